"""The command line: parse, call, exit code.

Exit codes: 0 all done; 1 finished, some vehicles failed; 2 settings or usage; 3 sign-in refused or account in use;
4 portal or browser unusable; 129, 130, 143 interrupted and resumable.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jdp_scraper import __version__, system
from jdp_scraper.console import Console, say, unexpected_text, use_ascii
from jdp_scraper.demo.command import add_arguments as add_demo_arguments
from jdp_scraper.environment import set_meanwhile, taken_out
from jdp_scraper.errors import Interrupted, PortalDown, ScraperError, StorageError, UsageError
from jdp_scraper.events import Bus
from jdp_scraper.interpreter import collected_later, keep_what_lives, quick_turns

if TYPE_CHECKING:
    from jdp_scraper.browser.driver import Driver
    from jdp_scraper.run_report import RunReport
    from jdp_scraper.settings import Settings
    from jdp_scraper.stop import StopRequest

COMMANDS = ("run", "values", "archive", "status", "verify", "doctor", "demo-portal")
DEMO_VEHICLES = 30
_TURNS = 10  # of the loop, in which Playwright gets as far as the start of its driver's process
_COMMAND_CUT_OFF = "Interrupted: what was there before is whole; start the command again."


class _Parser(argparse.ArgumentParser):
    """Takes options by their whole names: a shortened one could mean what nobody meant, such as --retry-sign-in."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, allow_abbrev=False)

    def error(self, message: str) -> Any:
        raise UsageError(f"{message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; every failure is one line on standard error."""
    use_ascii()
    system.hush_reaped_children()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        args = _parse(given)
        return int(args.call(args))
    except ScraperError as error:
        sys.stderr.write(f"error: {' '.join(str(error).split())}\n")
        return error.exit_code
    except KeyboardInterrupt:  # where no handler of ours has taken it
        sys.stderr.write(f"error: {_COMMAND_CUT_OFF}\n")
        return 130
    except Exception as error:  # a fault of this program: no exit code that means something else, and not hidden
        sys.stderr.write(unexpected_text(error))
        return ScraperError.exit_code


def _parse(given: list[str]) -> argparse.Namespace:
    parser = _parser()
    args, unknown = parser.parse_known_args(_with_command(given))
    if unknown:  # told here, since argparse would name the help of the program in place of the command's
        raise UsageError(f"unrecognized arguments: {' '.join(unknown)}; see {parser.prog} {args.command} --help")
    return args


def _with_command(given: list[str]) -> list[str]:
    """``main_async.py --max 10`` means ``main_async.py run --max 10``; raises ``UsageError`` for an unknown command."""
    if given and (given[0] in COMMANDS or given[0] in {"-h", "--help", "--version"}):
        return given
    if given and not given[0].startswith("-"):
        raise UsageError(f"{given[0]!r} is no command; the commands are {', '.join(COMMANDS)}")
    return ["run", *given]


def _parser() -> argparse.ArgumentParser:
    # Where it is started as a script, the package's own command may not be installed.
    prog = "python main_async.py" if Path(sys.argv[0]).name == "main_async.py" else "jdp-scraper"
    parser = _Parser(
        prog=prog,
        description="Fetches one proven valuation PDF for every vehicle of an account.",
        epilog=f"Without a command the reports are fetched: '{prog} --max 10' is '{prog} run --max 10'. "
        f"'{prog} run --help' lists the options of a run, and so on for the other commands.",
    )
    parser.add_argument("--version", action="version", version=f"jdp-scraper {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    _add_run(commands.add_parser("run", help="fetch the reports (the default command)"))
    _add_values(commands.add_parser("values", help="read the values out of reports, as tables"))
    status = commands.add_parser("status", help="say what a run folder holds")
    status.add_argument(
        "run", nargs="?", type=Path, help="a run folder, or its name (default: all in the download folder)"
    )
    status.set_defaults(call=_status)
    check = commands.add_parser("verify", help="check a run folder again: every PDF there, whole, its vehicle's")
    check.add_argument("run", nargs="?", type=Path, help="a run folder, or its name (default: the newest run)")
    check.add_argument("--repair", action="store_true", help="move what is wrong away and have it fetched again")
    check.add_argument("--portal", help="prove by this profile, not by what the run has kept")
    check.add_argument("--download-folder", type=Path, help="DOWNLOAD_FOLDER of this command")
    check.set_defaults(call=_verify)
    _add_archive(commands.add_parser("archive", help="build the pages on which all runs' reports are looked up"))
    doctor = commands.add_parser("doctor", help="check settings, browser, folder and portal")
    doctor.set_defaults(call=_doctor)
    demo = commands.add_parser("demo-portal", help="serve a portal to practise on")
    add_demo_arguments(demo)
    demo.set_defaults(call=_demo_portal)
    status.add_argument("--download-folder", type=Path, help="DOWNLOAD_FOLDER of this command")
    _add_where(doctor)
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--max", dest="max_downloads", metavar="N", help="only the first N of the inventory")
    run.add_argument("--pages", dest="concurrent_contexts", metavar="N", help="pages at work at once")
    run.add_argument("--only", action="append", default=[], metavar="REF", help="only this reference (repeatable)")
    run.add_argument("--headed", action="store_true", help="show the browser's window")
    which = run.add_mutually_exclusive_group()
    which.add_argument("--new", action="store_true", help="begin another run, whatever is unfinished")
    which.add_argument("--resume", action="store_true", help="go on with an unfinished run of over 7 days, too")
    run.add_argument("--retry-sign-in", action="store_true", help="try a password again that the portal refused")
    run.add_argument("--demo", action="store_true", help="work on the embedded demo portal, without an account")
    _add_where(run)
    run.set_defaults(call=_run)


def _add_values(values: argparse.ArgumentParser) -> None:
    values.add_argument(
        "sources",
        nargs="*",
        type=Path,
        metavar="RUN_OR_FOLDER",
        help="a run folder, its name, or a folder of PDFs with its sub-folders (default: the newest run)",
    )
    values.add_argument("--out", type=Path, metavar="DIR", help="one table of all, written here")
    values.add_argument("--portal", help="read by the rules of this profile, not of the run's own portal")
    values.add_argument("--download-folder", type=Path, help="DOWNLOAD_FOLDER of this command")
    values.set_defaults(call=_values)


def _add_archive(archive: argparse.ArgumentParser) -> None:
    archive.add_argument(
        "sources", nargs="*", type=Path, metavar="RUN_OR_FOLDER", help="a run or a folder of PDFs (default: all runs)"
    )
    archive.add_argument("--out", type=Path, metavar="DIR", help="where to (default: archive in the download folder)")
    archive.add_argument("--verbose", action="store_true", help="tell workers, times, and what parallel work saved")
    archive.add_argument("--download-folder", type=Path, help="DOWNLOAD_FOLDER of this command")
    archive.set_defaults(call=_archive)


def _add_where(command: argparse.ArgumentParser) -> None:
    command.add_argument("--portal", help="PORTAL of this command: a built-in profile's name or a profile file")
    command.add_argument("--portal-url", help="PORTAL_URL of this command")
    command.add_argument("--download-folder", type=Path, help="DOWNLOAD_FOLDER of this command")


def _run(args: argparse.Namespace) -> int:
    if not all(map(str.strip, args.only)):
        raise UsageError("--only is empty: name a reference of the inventory")
    system.forbid_core_dumps()  # one would hold the password
    # Every child process would inherit the one; the other makes Playwright's driver print whatever it is told.
    private = taken_out("JD_PASS", "DEBUG")
    given: dict[str, Any] = {"headless": False} if args.headed else {}
    return asyncio.run(_run_demo(args, given, private) if args.demo else _run_once(args, given, private))


async def _run_demo(args: argparse.Namespace, given: dict[str, Any], private: Mapping[str, str]) -> int:
    """Run against a demo portal of our own, and say what it saw."""
    from jdp_scraper.demo.options import DemoOptions, SiteName  # noqa: PLC0415 - only here and for demo-portal
    from jdp_scraper.demo.process import DemoPortal, PortalStartError  # noqa: PLC0415

    site: SiteName = "plain" if args.portal == "plain" else "jdpower"
    options = DemoOptions(site=site, vehicles=DEMO_VEHICLES)
    async with AsyncExitStack() as stack:
        try:
            portal = await stack.enter_async_context(DemoPortal.start(options))
        except PortalStartError as error:
            raise PortalDown(str(error)) from error
        account = {"portal": site, "portal_url": portal.url, "jd_user": options.user, "jd_pass": options.password}
        try:
            code = await _run_once(args, given | account, private)
        except Interrupted as error:
            raise Interrupted(error.signal_number, "Interrupted: the demo portal has ended with its run.") from error
        ledger = await portal.ledger()
    asked = ledger["reports_asked"].values()
    say(
        f"  demo portal saw {ledger['sign_ins']} sign-in, {ledger['sign_outs']} sign-out, "
        f"{sum(asked)} reports asked for, {sum(1 for times in asked if times > 1)} of them twice"
    )
    return code


async def _run_once(args: argparse.Namespace, given: Mapping[str, Any], private: Mapping[str, str]) -> int:
    from jdp_scraper.browser.driver import Driver  # noqa: PLC0415 - the browser's library is slow to import
    from jdp_scraper.stop import StopRequest  # noqa: PLC0415

    stop = StopRequest()
    # A driver that does not start is told to whoever wants it; until there is a log, nobody does.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    async with Driver() as driver:  # it starts beside all that follows
        for _ in range(_TURNS):  # or its process would wait for the interpreter, which the imports hold
            await asyncio.sleep(0)
        with collected_later(), quick_turns():
            await asyncio.to_thread(import_module, "jdp_scraper.settings")
            settings = _settings(args, given, private)
            await asyncio.to_thread(import_module, "jdp_scraper.run")
            keep_what_lives()
        ended, report = await _run_with(driver, settings, args, stop)
    followed = 0
    # A start that failed leaves what follows to the next one, unless it has brought reports to look at meanwhile.
    if report.fetched or (report.done and not isinstance(ended, ScraperError)):
        from jdp_scraper.aftermath import follow_up  # noqa: PLC0415 - imported by now, but for itself

        followed = await follow_up(settings, report, stop)
    if isinstance(ended, ScraperError):
        raise ended
    return ended or followed


def _settings(args: argparse.Namespace, given: Mapping[str, Any], private: Mapping[str, str]) -> Settings:
    """Read the settings with what was taken out of the environment; in the loop's thread, as the driver's start is."""
    from jdp_scraper.settings import OPTIONS, load_settings  # noqa: PLC0415 - imported by now

    with set_meanwhile(private):
        settings = load_settings({**{name: getattr(args, name) for name in OPTIONS}, **given})
    settings.require_credentials()
    return settings


async def _run_with(
    driver: Driver, settings: Settings, args: argparse.Namespace, stop: StopRequest
) -> tuple[int | ScraperError, RunReport]:
    """Return the run's exit code, or the error that ended it, and its report.

    Raises ``Interrupted`` and ``StorageError``, after which nothing is to be begun.
    """
    from jdp_scraper.report_text import report_lines  # noqa: PLC0415 - imported by now
    from jdp_scraper.run import Run, RunOptions  # noqa: PLC0415

    at_terminal = sys.stdout.isatty()
    options = RunOptions(args.new, args.resume, tuple(args.only), args.retry_sign_in, at_terminal)
    bus = Bus()
    # What a driver that was killed leaves unanswered is in the log where it matters, and is no line for a person.
    asyncio.get_running_loop().set_exception_handler(lambda _, context: bus.notice("debug", str(context["message"])))
    with Console(at_terminal) as console, system.on_stop_signals(stop.receive):
        bus.subscribe(console)
        run = Run(settings, options, bus, stop, driver)
        try:
            await run.execute()
        except (Interrupted, StorageError):
            raise
        except ScraperError as error:
            return error, run.report
        except Exception as error:  # told here, where the secrets are known that its lines may quote
            sys.stderr.write(bus.secrets.message(unexpected_text(error)))
            return ScraperError.exit_code, run.report
        finally:
            console.close()
            for line in report_lines(run.report):
                say(line)
    return (1 if run.report.done < run.report.wanted else 0), run.report


async def _until_stopped(command: Coroutine[Any, Any, int]) -> int:
    """Run a command that a signal may cut off at any time; raises ``Interrupted`` then."""
    from jdp_scraper.stop import StopRequest  # noqa: PLC0415

    stop = StopRequest()
    with system.on_stop_signals(stop.receive):
        try:
            return await stop.guard(command)
        except Interrupted as error:
            raise Interrupted(error.signal_number, _COMMAND_CUT_OFF) from error


def _values(args: argparse.Namespace) -> int:
    from jdp_scraper.settings import load_settings  # noqa: PLC0415
    from jdp_scraper.values.command import options_of, values  # noqa: PLC0415 - slow to import, as the libraries are

    settings = load_settings({"download_folder": args.download_folder})
    options = replace(options_of(settings), named=tuple(args.sources), out=args.out, rules_from=args.portal)
    return asyncio.run(_until_stopped(values(options)))


def _status(args: argparse.Namespace) -> int:
    from jdp_scraper.settings import load_settings  # noqa: PLC0415
    from jdp_scraper.status import status  # noqa: PLC0415

    settings = load_settings({"download_folder": args.download_folder})
    return asyncio.run(_until_stopped(status(settings.download_folder, args.run)))


def _verify(args: argparse.Namespace) -> int:
    from jdp_scraper.settings import load_settings  # noqa: PLC0415
    from jdp_scraper.verify import VerifyOptions, verify  # noqa: PLC0415

    settings = load_settings({"download_folder": args.download_folder})
    options = VerifyOptions(settings.download_folder, args.run, args.repair, settings.portal, args.portal)
    return asyncio.run(_until_stopped(verify(options)))


def _archive(args: argparse.Namespace) -> int:
    from jdp_scraper.archive.command import archive, options_of  # noqa: PLC0415 - slow to import, as the libraries are
    from jdp_scraper.settings import load_settings  # noqa: PLC0415

    settings = load_settings({"download_folder": args.download_folder})
    options = replace(options_of(settings), named=tuple(args.sources), out=args.out)
    return asyncio.run(_until_stopped(archive(options, verbose=args.verbose)))


def _doctor(args: argparse.Namespace) -> int:
    from jdp_scraper.doctor import doctor  # noqa: PLC0415
    from jdp_scraper.settings import read_settings  # noqa: PLC0415

    names = ("portal", "portal_url", "download_folder")
    return asyncio.run(_until_stopped(doctor(*read_settings({name: getattr(args, name) for name in names}))))


def _demo_portal(args: argparse.Namespace) -> int:
    from jdp_scraper.demo.__main__ import announce  # noqa: PLC0415
    from jdp_scraper.demo.command import options_from  # noqa: PLC0415
    from jdp_scraper.demo.server import serve  # noqa: PLC0415

    try:
        asyncio.run(serve(options_from(args), args.port, announce, exit_with_parent=args.exit_with_parent))
    except (ValueError, OSError, OverflowError) as error:  # the last of a port that is none
        raise UsageError(f"demo portal: {error}") from error
    return 0
