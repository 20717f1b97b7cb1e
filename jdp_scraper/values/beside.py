"""Tells whether a value beside a label is the label's: other columns, units and the next line may say otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from jdp_scraper.values.around import FARTHEST, Around, Found, apart, overlap
from jdp_scraper.values.crossing import name_of
from jdp_scraper.values.labelling import Label
from jdp_scraper.values.layout import Cell
from jdp_scraper.values.rule import Rule
from jdp_scraper.values.texts import Texts
from jdp_scraper.values.typed import TEXT_TYPES, Typed, is_bare, is_firm_money

_BLOCK_ENDS = 2  # of a line's height: rows farther apart may have their values in another column
# Of these, no line has two unless it has several columns.
_ALL_ACROSS = frozenset({"money", "vin", "date"})


class _Evidence(NamedTuple):
    """A label's line, left edge and block of lines, and the cells of its value."""

    line: int
    left: float
    block: int
    first: Cell
    last: Cell
    rule: Rule
    found: Found


class Beside:
    """Values beside the labels of a page; ``several``: a line with VIN of several vehicles was met."""

    def __init__(
        self, around: Around, texts: Texts, fields: Mapping[str, Rule], crosses: Mapping[str, Sequence[frozenset[str]]]
    ) -> None:
        self._around = around
        self._texts = texts
        self._fields = fields
        self._crosses = crosses
        self.several = False

    def found(self, label: Label, rule: Rule) -> Found | None:
        """Return what stands behind a label in its cell, or in the next one."""
        found = self._around.beside(label)
        if found is None or found.first != label.cell or rule.type not in TEXT_TYPES or label.marked:
            return found
        # Behind a label that nothing sets off, a text may go on with anything.
        return found if rule.type == "reference" and self._texts.value(rule, found.text) is not None else None

    def sure(self, label: Label, rule: Rule, found: Found, value: Typed) -> Typed | None:
        """Return the value that stands beside a label, unless what else line or table hold puts it in doubt."""
        if rule.type in TEXT_TYPES:
            told = None if self._is_part(label, rule, found) else value
        else:
            told = self._with_unit(label, rule, found, value)
        if told is None or self._around.goes_on(label, found, text=rule.type == "text"):
            return None
        inline = found.first == label.cell
        if (rule.type not in TEXT_TYPES or (rule.type == "reference" and not inline)) and (
            self._varies(rule, found, told)
        ):
            self.several |= rule.type == "vin"
            return None
        return told if inline or self._is_its_own(label, rule, found) else None

    def _is_part(self, label: Label, rule: Rule, found: Found) -> bool:
        """Tell whether a text may go on in the line, or end before."""
        if found.first == label.cell:
            return label.cut or self._around.joined(found, near=FARTHEST) is not None
        beyond = not self._around.is_last(found) and self._several_columns
        return beyond or self._around.joined(found, near=FARTHEST) is not None

    def _with_unit(self, label: Label, rule: Rule, found: Found, value: Typed) -> Typed | None:
        joined = self._around.joined(found)
        return value if joined is None else self._texts.value(rule, joined, set_off=label.colon)

    def _is_its_own(self, label: Label, rule: Rule, found: Found) -> bool:
        """Tell whether a value in the next cell is the label's own, by the table around it."""
        if not self._in_column(label, rule, found):
            return False
        if rule.type == "money":
            return not self._under_columns(label, found)
        return rule.type != "miles" or not self._is_adjustment(label, found)

    def _varies(self, rule: Rule, found: Found, value: Typed) -> bool:
        """Tell whether other values of the type stand in the next columns."""
        for text in self._around.after(found):
            other = self._texts.any_value(rule, text)
            if other is None and rule.type not in _ALL_ACROSS:
                return False
            if other is not None and other != value and not (rule.type == "money" and is_bare(text)):
                return True
        return False

    @cached_property
    def _several_columns(self) -> bool:
        """Whether any number of the page stands in several columns, as where vehicles are compared."""
        for one in self._evidence:
            value = self._texts.any_value(one.rule, one.found.text)
            if value is not None and one.rule.type != "reference" and self._varies(one.rule, one.found, value):
                return True
        return False

    @cached_property
    def _evidence(self) -> list[_Evidence]:
        """Labels with a number in the next cell, which shows where this page has its values."""
        told = []
        for label in (label for labels in self._around.labels for label in labels if label.whole and label.fields):
            rule = self._fields[label.fields[0]]
            found = self._around.beside(label) if rule.type != "text" else None
            if found is not None and self._texts.value(rule, found.text, set_off=label.colon) is not None:
                cells = self._around.lines[label.line].cells
                left, block = cells[label.cell].left, self._blocks[label.line]
                told.append(_Evidence(label.line, left, block, cells[found.first], cells[found.last], rule, found))
        return told

    @cached_property
    def _blocks(self) -> list[int]:
        """The number of the block that each line belongs to."""
        blocks = [0]
        for upper, lower in zip(self._around.lines, self._around.lines[1:], strict=False):
            blocks.append(blocks[-1] + (upper.bottom - lower.top > _BLOCK_ENDS * upper.height))
        return blocks

    def _in_column(self, label: Label, rule: Rule, found: Found) -> bool:
        """Tell whether a value stands where labels in the same column have theirs; else it may be another label's.

        Where they have them in two columns, the nearer one counts, or the one that most have.
        """
        line, block = self._around.lines[label.line], self._blocks[label.line]
        left, near = line.cells[label.cell].left, line.height / 2
        same = [one for one in self._evidence if one.block == block and -near <= one.left - left <= near]
        if not any(one.line != label.line for one in same):
            return rule.type not in TEXT_TYPES or self._around.is_last(found)
        first, last = line.cells[found.first], line.cells[found.last]
        nearest = min(one.first.left for one in same)
        if first.left == nearest:
            return True
        aligned = [one for one in same if apart(first, one.first) <= near or apart(last, one.last) <= near]
        return any(one.first.left == nearest for one in aligned) or len(aligned) > max(2, len(same) / 2)

    def _under_columns(self, label: Label, found: Found) -> bool:
        """Tell whether a table's head has several columns for an amount, none of which is known."""
        own = self._around.lines[label.line].cells[label.cell]
        amount = self._around.lines[found.line].cells[found.last]
        for number in self._around.rows_above(label.line):
            line = self._around.lines[number]
            if len(line.cells) < 2 or line.cells[-2].left <= own.right:
                continue
            labels = self._around.labels[number]
            if labels and labels[0].cell == 0 and line.cells[0].left <= own.left + line.height:
                continue  # another row
            columns = [place for place, cell in enumerate(line.cells) if cell.left > own.right]
            over = [place for place in columns if overlap(line.cells[place], amount)]
            texts = [line.text[line.cells[place].start : line.cells[place].end] for place in columns]
            if len(columns) > 1 and over and not any(is_firm_money(text) for text in texts):
                cell = line.cells[over[0]]
                name = name_of(line.text[cell.start : cell.end])
                return not any(name in side for field in label.fields for side in self._crosses.get(field, ()))
        return False

    def _is_adjustment(self, label: Label, found: Found) -> bool:
        """Tell whether a number of miles stands in a column of amounts whose rows have no labels of their own."""
        if not found.text[-1].isdigit():
            return False
        line = self._around.lines[label.line]
        for number in (label.line - 1, label.line + 1):
            if (
                not 0 <= number < len(self._around.lines)
                or self._around.labels[number]
                or len(self._around.lines[number].cells) < 2
            ):
                continue
            row = self._around.lines[number]
            gap = max(row.bottom - line.top, line.bottom - row.top)
            if gap > FARTHEST * line.height or apart(row.cells[0], line.cells[label.cell]) > line.height:
                continue
            for cell in row.cells[1:]:
                if apart(cell, line.cells[found.last]) <= line.height and is_firm_money(
                    row.text[cell.start : cell.end]
                ):
                    return True
        return False
