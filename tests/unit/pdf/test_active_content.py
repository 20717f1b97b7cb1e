from __future__ import annotations

import asyncio
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from jdp_scraper.pdf.active_content import EMBEDDED, FLAGS, JAVASCRIPT, UNCHECKED, Examined, examine
from jdp_scraper.pdf.parser import ParserPool

from . import active, reports


@pytest.mark.parametrize("kind", active.KINDS, ids=lambda kind: kind.__name__)
def test_what_a_pdf_can_do_is_seen_wherever_it_stands(kind: Callable[[pikepdf.Pdf], None]) -> None:
    data = active.changed(kind)
    assert examine(data).flags == active.KINDS[kind]


def test_object_streams_hide_the_names_from_a_search_and_not_from_here() -> None:
    data = active.changed(active.open_action)
    assert b"JavaScript" not in data
    assert examine(data).flags == (JAVASCRIPT,)


def test_a_name_that_is_spelled_with_escapes_is_the_same_name() -> None:
    plain = active.changed(active.open_action, object_stream_mode=pikepdf.ObjectStreamMode.disable, qdf=True)
    data = plain.replace(b"/JavaScript", b"/J#61va#53cript").replace(b"/JS", b"/#4a#53")
    assert b"JavaScript" not in data and data != plain
    assert JAVASCRIPT in examine(data).flags


def test_a_script_in_a_later_revision_of_the_file_is_seen() -> None:
    """An update is written behind the old end, as viewers do that save in place."""
    first = active.changed(lambda pdf: None, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert examine(first).flags == ()
    with pikepdf.open(io.BytesIO(first)) as pdf:
        number, size = pdf.Root.objgen[0], int(pdf.trailer.Size)
        pages = pdf.Root.Pages.objgen[0]
    catalog = b"%d 0 obj\n<< /Type /Catalog /Pages %d 0 R /OpenAction << /S /JavaScript /JS (x) >> >>\nendobj\n"
    update = catalog % (number, pages)
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, len(first))
    old = int(first.rpartition(b"startxref")[2].split()[0])
    end = b"trailer\n<< /Size %d /Root %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
    data = first + update + table + end % (size, number, old, len(first) + len(update))
    assert examine(data).flags == (JAVASCRIPT,)


def test_several_flags_stand_in_one_order() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        active.attachment(pdf)
        active.open_action(pdf)

    flags = examine(active.changed(change)).flags
    assert flags == (JAVASCRIPT, EMBEDDED)
    assert sorted(flags, key=FLAGS.index) == list(flags)


@pytest.mark.parametrize("make", [reports.beside, reports.above, reports.table])
def test_a_report_like_any_other_has_no_flag(make: Callable[[str], bytes]) -> None:
    assert examine(make("7")) == Examined((), False)


def test_a_pdf_of_another_maker_is_seen_too() -> None:
    assert examine(active.drawn_by_reportlab()).flags == (JAVASCRIPT,)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4\nnothing else\n%%EOF", reports.encrypted("7")])
def test_what_cannot_be_examined_is_flagged_as_that_and_may_hide_text(data: bytes) -> None:
    assert examine(data) == Examined((UNCHECKED,), True)


@pytest.mark.parametrize(
    ("change", "hidden"),
    [
        (active.field, True),
        (active.xfa, True),
        (active.launch_by_annotation, False),
        (active.open_action, False),
    ],
)
def test_a_form_may_hide_text_and_a_link_does_not(change: Callable[[pikepdf.Pdf], None], hidden: bool) -> None:
    assert examine(active.changed(change)).hidden_text is hidden


# -- in the child process ----------------------------------------------------------------------------------------------


def scanned(change: Callable[[pikepdf.Pdf], object] = lambda pdf: None) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(reports.blank())) as pdf:
        change(pdf)
        pdf.save(buffer)
    return buffer.getvalue()


def note(pdf: pikepdf.Pdf) -> None:
    one = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.FreeText,
        Rect=pikepdf.Array([0, 0, 99, 99]),
        Contents=pikepdf.String("Stock # 8"),
    )
    pdf.pages[0].obj.Annots = pikepdf.Array([pdf.make_indirect(one)])


def unreadable() -> bytes:
    """One glyph that stands for no character: something is printed there, and nobody can tell what."""
    return reports.drawn(lambda canvas: canvas.drawString(72, 700, "\x01"))


@pytest.mark.parametrize(
    ("data", "textless"),
    [(scanned(), True), (reports.beside("7"), False), (scanned(note), False), (unreadable(), False)],
    ids=["scan", "text", "note", "unreadable"],
)
async def test_the_child_tells_of_flags_and_of_pdfs_without_any_text(
    pool: ParserPool, tmp_path: Path, data: bytes, textless: bool
) -> None:
    path = tmp_path / "a.pdf"
    await asyncio.to_thread(path.write_bytes, data)
    found = await pool.read(path)
    assert (found.textless, found.flags) == (textless, ())
    await asyncio.to_thread(path.write_bytes, active.changed(active.attachment))
    assert (await pool.read(path)).flags == (EMBEDDED,)


async def test_a_bomb_of_an_object_stream_costs_its_process_at_most(pool: ParserPool, tmp_path: Path) -> None:
    """A gigabyte of blanks, packed into a few kilobytes: the limit on memory holds, and the next file is read."""
    path = tmp_path / "a.pdf"
    await asyncio.to_thread(path.write_bytes, await asyncio.to_thread(bomb))
    try:
        flags = (await pool.read(path)).flags
    except Exception as error:
        assert type(error).__name__ == "ReportBroken"
    else:
        assert flags == (UNCHECKED,)
    await asyncio.to_thread(path.write_bytes, reports.beside("7"))
    assert (await pool.read(path)).flags == ()


def bomb() -> bytes:
    """A report and, behind its end, an object stream that unfolds to 1.5 GB, in which an object is said to lie."""
    packer = zlib.compressobj(9)
    head = packer.compress(b"99 0 << /S /JavaScript >> ") + packer.flush(zlib.Z_FULL_FLUSH)
    blanks = packer.compress(b" " * (16 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = head + blanks * 96 + packer.flush()
    data = reports.beside("7")
    with pikepdf.open(io.BytesIO(data)) as pdf:
        number, root = int(pdf.trailer.Size), pdf.Root.objgen[0]
    old = int(data.rpartition(b"startxref")[2].split()[0])
    about = b"<< /Type /ObjStm /N 1 /First 5 /Filter /FlateDecode /Length %d >>" % len(packed)
    stream = b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number, about, packed)
    at = len(data) + len(stream)
    places = ((1, len(data), 0), (1, at, 0), (2, number, 0))  # the stream, this table, the object within
    rows = b"".join(bytes([kind]) + place.to_bytes(4, "big") + bytes([index]) for kind, place, index in places)
    about = b"<< /Type /XRef /Size %d /W [1 4 1] /Index [%d 3] /Root %d 0 R /Prev %d /Length %d >>"
    about %= (number + 3, number, root, old, len(rows))
    table = b"%d 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (number + 1, about, rows)
    return data + stream + table + b"startxref\n%d\n%%%%EOF\n" % at
