"""The portal as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest

from jdp_scraper.demo.options import DemoOptions
from jdp_scraper.demo.process import DemoPortal, PortalStartError


async def test_a_portal_starts_with_its_options_and_leaves_no_process() -> None:
    async with DemoPortal.start(DemoOptions(vehicles=12, site="plain")) as portal:
        assert portal.url.startswith("http://127.0.0.1:")
        assert len(await portal.inventory()) == 12
        await portal.set(lockout_s=1)
        with pytest.raises(ValueError, match="site"):
            await portal.set(site="jdpower")
        with pytest.raises(ValueError, match="fault"):
            await portal.fault("nonsense")
    assert not psutil.pid_exists(portal.pid)


async def test_a_portal_that_hangs_on_purpose_still_stops() -> None:
    async with DemoPortal.start(DemoOptions(vehicles=2)) as portal:
        await portal.fault("hang", at="sign_in_page")
        async with httpx.AsyncClient(base_url=portal.url, trust_env=False, timeout=60) as client:
            asking = asyncio.ensure_future(client.get("/ValuesOnline/Home/LicenseAgreement"))
            while (await portal.ledger())["faults"] == {}:
                await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
    assert not psutil.pid_exists(portal.pid)


async def test_a_port_that_is_taken_is_a_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortalStartError, match="demo portal"):
            async with DemoPortal.start(DemoOptions(vehicles=2), port=taken.getsockname()[1]):
                pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_by_hand_it_says_where_it_is_and_ends_at_a_signal(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "jdp_scraper.demo", "--vehicles", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stderr is not None
        line = child.stdout.readline().decode("ascii")
        assert line.startswith("demo portal ready at http://127.0.0.1:")
        assert httpx.get(line.split()[-1], trust_env=False, follow_redirects=True, timeout=60).status_code == 200
        child.send_signal(number)
        assert child.wait(60) == 0
        assert child.stderr.read() == b""


def test_a_senseless_option_is_one_line_and_exit_2() -> None:
    command = [sys.executable, "-m", "jdp_scraper.demo", "--fault", "nonsense=0.1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("demo portal: fault: nonsense")
