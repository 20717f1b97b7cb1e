"""Each class of errors.py is raised in some test from a real cause, where its docstring's consequence is held as well.

A new class needs a line in RAISED: the test's file and function, and a text of that function (or of a constant of its
file) which shows that it is this class, its message or its consequence that the test is about.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from jdp_scraper.errors import ScraperError

from .test_errors import kinds

TESTS = Path(__file__).parents[1]
ACCEPTANCE = "acceptance/test_"
STOPPING, ONE, BAD = (f"{ACCEPTANCE}{name}.py" for name in ("stopping_errors", "vehicle_errors", "bad_input"))
EACH = "test_each_is_counted_and_tried_again_and_nothing_wrong_gets_a_name"
RAISED: dict[str, tuple[str, str, str]] = {
    # exit 2
    "UsageError": (BAD, "test_usage", "--no-such-option"),
    "SettingsError": (STOPPING, "test_settings_and_profile_are_judged_before_anything_is_opened", "MAX_RETRIES"),
    "ProfileError": (STOPPING, "test_settings_and_profile_are_judged_before_anything_is_opened", "is no key"),
    "RunFolderError": (
        STOPPING,
        "test_a_checkpoint_that_cannot_be_read_is_left_as_it_is_and_new_begins_another_run",
        "is no run folder",
    ),
    "RunFolderBusy": (f"{ACCEPTANCE}interruption.py", "test_two_at_once_on_one_folder_are_refused", "second.code == 2"),
    "RunTooOld": (STOPPING, "test_a_run_that_is_too_old_waits_for_a_word_and_nothing_is_begun", "8 days old"),
    "CheckpointUnreadable": (
        STOPPING,
        "test_a_checkpoint_that_cannot_be_read_is_left_as_it_is_and_new_begins_another_run",
        "left as they are",
    ),
    "InventoryError": (STOPPING, "test_an_inventory_that_is_empty_ends_signed_out", "inventory is empty"),
    "ColumnMissing": (BAD, "test_export_without_the_column", "columns found"),
    "UnknownReference": (
        f"{ACCEPTANCE}whole_run.py",
        "test_only_fetches_what_it_names_and_refuses_what_the_inventory_lacks",
        "ended.code == 2",
    ),
    "ValuesError": (
        "unit/values/test_command.py",
        "test_a_folder_without_pdfs_a_run_without_reports_and_a_folder_in_use_are_told",
        "holds no report yet",
    ),
    "ArchiveError": (f"{ACCEPTANCE}archive.py", "test_bad_input_is_one_line_and_leaves_the_archive_as_it_was", "--out"),
    "ArchiveBusy": (f"{ACCEPTANCE}archive.py", "test_two_builds_at_once_are_one_build_and_one_line", "is under way"),
    "StorageError": (
        STOPPING,
        "test_what_was_proven_stays_where_the_folder_cannot_be_written_any_more",
        "cannot write",
    ),
    "FolderNotWritable": (
        STOPPING,
        "test_a_folder_that_may_not_be_written_is_found_before_the_sign_in",
        "cannot write",
    ),
    "DiskFull": (BAD, "test_full_disk_stops_in_order_and_the_next_start_goes_on", "the disk is full"),
    # exit 3
    "WrongCredentials": (BAD, "test_wrong_password_is_tried_once_and_never_again_until_changed", "refused"),
    "AccountLocked": (BAD, "test_an_account_that_only_a_person_can_help", "account is locked"),
    "AccountInUse": (BAD, "test_account_in_use_ends_after_the_wait", "in use"),
    "UnknownPage": (BAD, "test_an_account_that_only_a_person_can_help", "does not know"),
    # exit 4
    "PortalDown": (BAD, "test_portal_down", "503"),
    "PortalChanged": (
        STOPPING,
        "test_a_portal_that_has_changed_ends_signed_out_until_the_profile_is_mended",
        "inventory.grid.reference",
    ),
    "BrowserMissing": (BAD, "test_no_browser", "no browser was found"),
    "BrowserLost": (STOPPING, "test_a_browser_that_does_not_start_loses_nothing_of_the_run", "cannot be started"),
    "StuckRun": (
        "unit/work/test_watchdog.py",
        "test_an_attempt_that_does_not_end_although_its_limit_fired_ends_the_run",
        "StuckRun",
    ),
    # never ends a batch
    "JobFailed": (
        "unit/batch/test_workers.py",
        "test_what_a_function_raises_is_the_failure_of_its_job_alone",
        "no such thing",
    ),
    "JobBroke": ("unit/batch/test_workers.py", "test_a_job_that_takes_too_long_costs_its_process", "longer than"),
    # exit 129, 130, 143
    "Interrupted": (
        f"{ACCEPTANCE}interruption.py",
        "test_a_signal_ends_signed_out_and_the_next_start_goes_on",
        "128 + number",
    ),
    # one vehicle
    "StepTimeout": (ONE, EACH, "StepTimeout"),
    "NotShown": (ONE, EACH, "NotShown"),
    "VehicleGone": (ONE, "test_a_vehicle_that_the_portal_no_longer_has_is_told_as_that", "VehicleGone"),
    "PageLost": (ONE, "test_a_page_that_crashes_is_replaced", "PageLost"),
    "PortalAnswered": (ONE, EACH, "PortalAnswered"),
    "VehicleNotListed": (ONE, "test_a_row_that_appears_late_is_found_by_the_filter", "VehicleNotListed"),
    "WrongVehicle": (ONE, EACH, "WrongVehicle"),
    "TabAstray": (
        f"{ACCEPTANCE}whole_run.py",
        "test_a_way_of_opening_reports_that_changes_in_mid_run_uses_up_no_try",
        "TabAstray",
    ),
    "ReportRefused": (ONE, EACH, "ReportRefused"),
    "ReportUnreachable": (ONE, EACH, "ReportUnreachable"),
    "ReportStatus": (ONE, EACH, "ReportStatus"),
    "ReportBroken": (ONE, EACH, "ReportBroken"),
    "ReportMismatch": (ONE, EACH, "ReportMismatch"),
    "ReportUnproven": (ONE, "test_a_report_that_names_no_vehicle_never_gets_a_name", "ReportUnproven"),
    "ForeignAddress": (ONE, EACH, "ForeignAddress"),
    "TaskLost": ("unit/pdf/test_store.py", "test_a_task_taken_back_meanwhile_places_nothing", "TaskLost"),
    "SessionExpired": (
        f"{ACCEPTANCE}interruption.py",
        "test_a_session_that_ends_in_mid_run_is_mended_once_for_all",
        "expire",
    ),
}
# Never raised as they are: they are there to be caught, and to give their branch its exit code.
BRANCHES = {"ScraperError", "SignInError", "UnusableError", "VehicleError"}


def test_every_class_has_its_test_and_no_line_is_left_of_one_that_is_gone() -> None:
    assert set(RAISED) | BRANCHES == {kind.__name__ for kind in kinds()}
    assert not set(RAISED) & BRANCHES


@pytest.mark.parametrize("name", sorted(BRANCHES))
def test_a_branch_has_kinds_of_its_own(name: str) -> None:
    (branch,) = (kind for kind in kinds() if kind.__name__ == name)
    assert issubclass(branch, ScraperError)
    assert branch.__subclasses__()


@pytest.mark.parametrize("name", sorted(RAISED))
def test_the_test_of_a_class_is_there_and_is_about_it(name: str) -> None:
    file, function, about = RAISED[name]
    functions, rest = _parts(TESTS / file)
    assert function in functions, f"{file} has no {function}: correct RAISED"
    assert about in functions[function] or about in rest, f"{function} does not mention {about!r}"


@cache
def _parts(path: Path) -> tuple[dict[str, str], str]:
    """Return a test file's functions with their decorators as text, and the text of its other statements."""
    source = path.read_text("utf-8")
    body = ast.parse(source).body
    functions = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = [ast.get_source_segment(source, one) or "" for one in node.decorator_list]
            functions[node.name] = "\n".join([*decorators, ast.get_source_segment(source, node) or ""])
    others = (ast.get_source_segment(source, node) or "" for node in body if isinstance(node, ast.Assign))
    return functions, "\n".join(others)
