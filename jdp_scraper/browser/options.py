"""How the browser and Playwright's driver are launched: what is asked for, as flags, each with its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jdp_scraper import system

# Nothing that the user did not ask for leaves the machine, and pages out of sight keep their speed.
_QUIET_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)
# A browser takes the last list of features that it is given, so Playwright's own are said again; a test holds the two
# lists together. RenderDocument gives each document a frame of its own in the browser, which a run that goes from page
# to page of one site has no use for: without it a navigation costs a third less CPU time (docs/performance.md).
_FEATURES = (
    "CDPScreenshotNewSurface",
    "SkipListAccountsWithoutGaiaCookies",
    "RenderDocument:level/crashed-frame",
)
# Nothing is shown, so there is nothing to draw by a graphics processor, or by a program in its place.
_UNSEEN_FLAGS = ("--disable-gpu", "--disable-gpu-compositing", "--disable-software-rasterizer")
# Pages of one site can share a process, and each process costs some 40 MiB; but where the portal answers at once, too
# many pages of one process wait for each other.
PAGES_A_PROCESS = 3
FEWEST_PROCESSES = 2
# Of the driver, which is a Node.js program and lives as long as the run: with the usual half-spaces it collects its
# young garbage too late. Its old space has no limit here, as one that is reached ends the driver.
DRIVER_OPTIONS = ("--max-semi-space-size=2",)


@dataclass(frozen=True, slots=True)
class BrowserOptions:
    """How to launch; ``pages`` work at once, ``blocked_hosts`` are patterns like ``*.ads.example``.

    ``traces`` is a private folder in which Playwright keeps a trace while it is recorded.
    """

    headless: bool = True
    path: Path | None = None
    sandbox: str = "auto"
    pages: int = 1
    block_images: bool = False
    block_fonts: bool = False
    blocked_hosts: Sequence[str] = ()
    step_timeout_s: float = 30.0
    traces: Path | None = None
    extra_flags: Sequence[str] = field(default=())

    def flags(self) -> list[str]:
        """Return the command-line flags: blocking by the browser's own means keeps its cache on."""
        flags = [*_QUIET_FLAGS, f"--enable-features={','.join(_FEATURES)}"]
        flags.append(f"--renderer-process-limit={max(FEWEST_PROCESSES, math.ceil(self.pages / PAGES_A_PROCESS))}")
        if self.headless:
            flags += _UNSEEN_FLAGS
        if self.block_images:
            flags.append("--blink-settings=imagesEnabled=false")
        if self.block_fonts:
            flags.append("--disable-remote-fonts")
        if self.blocked_hosts:
            rules = ", ".join(f"MAP {host} ~NOTFOUND" for host in self.blocked_hosts)
            flags.append(f"--host-resolver-rules={rules}")
        return [*flags, *self.extra_flags]

    @property
    def use_sandbox(self) -> bool:
        """Tell whether Chromium's sandbox is on."""
        return not system.is_root() if self.sandbox == "auto" else self.sandbox == "on"
