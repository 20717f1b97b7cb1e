"""Everything that can go wrong, as one tree.

::

    ScraperError
    +-- UsageError                 exit 2: the user can mend it
    |   +-- SettingsError
    |   +-- ProfileError
    |   +-- RunFolderError
    |   |   +-- RunFolderBusy
    |   |   +-- RunTooOld
    |   |   +-- CheckpointUnreadable
    |   +-- InventoryError
    |   |   +-- ColumnMissing
    |   |   +-- UnknownReference
    |   +-- ValuesError
    |   +-- ArchiveError
    |   |   +-- ArchiveBusy
    |   +-- StorageError
    |       +-- FolderNotWritable
    |       +-- DiskFull
    +-- SignInError                exit 3: nothing is tried a second time
    |   +-- WrongCredentials
    |   +-- AccountLocked
    |   +-- AccountInUse
    |   +-- UnknownPage
    +-- UnusableError              exit 4: portal or browser; a later start may work
    |   +-- PortalDown
    |   +-- PortalChanged
    |   +-- BrowserMissing
    |   +-- BrowserLost
    |   +-- StuckRun
    +-- Interrupted                exit 129, 130, 143: resumable
    +-- JobFailed                  never ends a batch: one file, told in its row
    |   +-- JobBroke
    +-- VehicleError               never ends the run: one vehicle, tried again
        +-- StepTimeout
        |   +-- NotShown
        +-- PageLost
        +-- PortalAnswered
        |   +-- VehicleGone
        +-- VehicleNotListed
        +-- WrongVehicle
        +-- TabAstray              costs no try, once for each vehicle
        +-- ReportRefused
        +-- ReportUnreachable
        |   +-- ReportStatus
        +-- ReportBroken
        +-- ReportMismatch
        +-- ReportUnproven
        +-- ForeignAddress
        +-- TaskLost
        +-- SessionExpired         costs no try where the session has ended: it is mended first

A class docstring's first line is the default message, what follows says the consequence. Errors of other libraries are
mapped to these once, at the boundary where they arise, with the cause kept.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Action(enum.Enum):
    """What an error asks of whoever decides."""

    STOP = "stop"
    RETRY = "retry"
    SIGN_IN = "sign in again"
    GIVE_UP = "give up"


class ScraperError(Exception):
    """Something went wrong."""

    exit_code = 4
    action = Action.STOP

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().partition("\n")[0])


class UsageError(ScraperError):
    """The command or its surroundings cannot be used as they are.

    The run does not begin, or ends in order; nothing saved is touched.
    """

    exit_code = 2


class SettingsError(UsageError):
    """A setting has a value that cannot be used.

    Nothing has been opened yet.
    """


class ProfileError(UsageError):
    """The site profile cannot be used.

    Nothing has been opened yet; every fault of the file is listed as ``path.to.field: message``.
    """


class RunFolderError(UsageError):
    """The run folder cannot be used.

    It is left as it is.
    """


class RunFolderBusy(RunFolderError):
    """Another run works in this download folder.

    The other run is not disturbed.
    """


class RunTooOld(RunFolderError):
    """The unfinished run is old; say --resume or --new.

    Nothing is begun: a week-old inventory is the user's to judge.
    """


class CheckpointUnreadable(RunFolderError):
    """A checkpoint file cannot be read.

    No other file tells the run's state either. All are left as they are; --new begins another run.
    """


class InventoryError(UsageError):
    """The inventory cannot be used.

    The session is signed out; nothing was fetched.
    """


class ColumnMissing(InventoryError):
    """The exported inventory lacks a column.

    The message lists the columns found, so that the profile can be mended.
    """


class UnknownReference(InventoryError):
    """A reference that was asked for is not in the inventory.

    Nothing is fetched, since the list was meant to be exact.
    """


class ValuesError(UsageError):
    """There are no values to be read there.

    Nothing was written; what lies there is left as it is.
    """


class ArchiveError(UsageError):
    """The archive cannot be built there.

    What lies there is left as it is.
    """


class ArchiveBusy(ArchiveError):
    """The archive is being built by another process.

    It is left to that one.
    """


class StorageError(UsageError):
    """The download folder cannot be written.

    The run stops in order and signs out; what is proven and in place stays.
    """


class FolderNotWritable(StorageError):
    """The download folder cannot be written.

    Found before the sign-in wherever it can be.
    """


class DiskFull(StorageError):
    """The disk is full.

    The run stops in order and signs out; make room and start again, it goes on.
    """


class SignInError(ScraperError):
    """The sign-in did not work.

    There is no second try in this run, so that the account is not locked.
    """

    exit_code = 3


class WrongCredentials(SignInError):
    """The portal refused the user name or password; correct JD_USER and JD_PASS before the next start."""


class AccountLocked(SignInError):
    """The portal says that the account is locked; have it unlocked there before the next start."""


class AccountInUse(SignInError):
    """The portal says that the account is in use elsewhere; end that session or wait until it expires."""


class UnknownPage(SignInError):
    """After the sign-in came a page that the profile does not know; see the screenshot.

    A second factor, an expired password: only a person can answer it.
    """


class UnusableError(ScraperError):
    """The portal or the browser cannot be used.

    The run stops in order; the next start goes on.
    """

    exit_code = 4


class PortalDown(UnusableError):
    """The portal does not answer as a portal."""


class PortalChanged(UnusableError):
    """The portal does not look as the profile says.

    No vehicle can be worked on until the profile is mended.
    """


class BrowserMissing(UnusableError):
    """No browser was found; run 'playwright install chromium' or set BROWSER_PATH."""


class BrowserLost(UnusableError):
    """The browser ended by itself or cannot be started.

    Tasks in hand are tried again by the next start.
    """


class StuckRun(UnusableError):
    """A loop that keeps the run alive has died.

    The run stops in order rather than work unwatched.
    """


class Interrupted(ScraperError):
    """Interrupted: start again and it goes on.

    ``exit_code`` is 128 plus the number of the signal.
    """

    def __init__(self, signal_number: int, message: str | None = None) -> None:
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number


class JobFailed(ScraperError):
    """A worker process could not do its job on one file.

    The other files of the batch are not affected; the file's row says why.
    """

    exit_code = 1


class JobBroke(JobFailed):
    """A job took too much memory or time, or ended its process.

    The process is replaced, and the file is tried again by the next start.
    """


class VehicleError(ScraperError):
    """One vehicle's report could not be fetched this time.

    The task is tried again after a back-off until MAX_RETRIES is used up; the run goes on. ``status`` is the HTTP
    status behind it, ``retry_after_s`` the wait that the portal asked for, where there was one.
    """

    exit_code = 1
    action = Action.RETRY

    def __init__(
        self, message: str | None = None, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class StepTimeout(VehicleError):
    """A step gave no sign of progress within its time.

    The page that it ran on is replaced.
    """


class NotShown(StepTimeout):
    """The page answered, but does not show what the profile names.

    Taken for a fault of this vehicle's page, not of the portal as a whole.
    """


class PageLost(VehicleError):
    """The page crashed or was closed.

    The pool replaces it.
    """


class PortalAnswered(VehicleError):
    """The portal answered a page with an error, or not at all.

    The page is replaced. Many in a row, over all pages, pause the run until the portal is back.
    """


class VehicleGone(PortalAnswered):
    """The portal no longer has this vehicle.

    It may have left the inventory since the run began.
    """


class VehicleNotListed(VehicleError):
    """The portal's inventory shows no row for this reference.

    Tried again by the filter, since a row may appear late.
    """


class WrongVehicle(VehicleError):
    """The opened page is of another vehicle.

    No report is asked for on it.
    """


class TabAstray(VehicleError):
    """The report's tab was opened in another way than those before.

    Nothing has left the browser. From then on requests are paused again, so that the next try takes any way.
    """


class ReportRefused(VehicleError):
    """The portal refused to make the report.

    Noticed by the refusal, not by the step's deadline. With status 429 all workers wait, and no try is used up.
    """


class ReportUnreachable(VehicleError):
    """The report could not be received.

    An HTTP error or a broken connection; the unfinished file is removed.
    """


class ReportStatus(ReportUnreachable):
    """The portal answered the report's address with an error status.

    A wait that the portal asks for is kept.
    """


class TaskLost(VehicleError):
    """The task was taken back while its report was being proven.

    The report is removed; whoever holds the task now brings it.
    """


class ReportBroken(VehicleError):
    """What came is not a whole PDF.

    It never gets a name; counted, and tried again.
    """


class ReportMismatch(VehicleError):
    """The PDF is of another vehicle.

    It never gets a name; counted, and tried again. ``shown`` holds what the PDF says in place of this vehicle's
    reference and VIN, one word each.
    """

    def __init__(self, message: str | None = None, *, shown: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.shown = frozenset(shown)


class ReportUnproven(VehicleError):
    """The PDF does not show which vehicle it is of.

    It is kept apart from the proven ones, in ``run_data/unproven/``; counted, and tried again.
    """


class ForeignAddress(VehicleError):
    """The report's address leads away from the portal.

    It is not followed: cookies go to the portal's origin only.
    """


class SessionExpired(VehicleError):
    """The portal has ended the session.

    The session is looked at first: where it has ended it is mended once for all workers and the task uses up no try;
    where the portal still knows it, this was an answer to one vehicle alone and counts as a try.
    """

    action = Action.SIGN_IN
