from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.benchmarks.keeper import Charge, Kept, Sample
from tests.benchmarks.processes import descendants, pss_mib
from tests.support.program import ROOT
from tests.unit.benchmarks.outcomes import outcome

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

# Its own child burns half a second and outlives it: whoever counts only what was waited for misses that.
ORPHAN = """
import subprocess, sys
burn = "import time\\nwhile time.process_time() < 0.5: pass\\nopen('1.pdf', 'w').close()"
subprocess.Popen([sys.executable, '-c', burn])
sys.exit(3)
"""


def test_own_memory_is_what_the_system_says_of_this_process() -> None:
    mine = psutil.Process().memory_full_info()
    assert pss_mib([os.getpid()]) == pytest.approx(mine.pss / 2**20, rel=0.2)


def test_a_process_that_has_ended_holds_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert pss_mib([child.pid]) == 0


def test_descendants_are_found_through_all_generations() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        below = descendants(child.pid)
        assert len(below) == 1
        assert {child.pid, *below} <= set(descendants(os.getpid()))
        child.communicate(b"\n")


def test_the_keeper_counts_what_orphans_use(tmp_path: Path) -> None:
    charge = Charge([sys.executable, "-c", ORPHAN], str(tmp_path), "*.pdf", str(tmp_path / "log"), 120)
    run = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.keeper", charge.to_json()], cwd=ROOT, capture_output=True, check=True
    )
    kept = Kept.from_json(run.stdout)
    assert kept.code == 3
    assert kept.cpu_s > 0.5
    assert (kept.left_behind, (tmp_path / "1.pdf").exists()) == (0, True)


def test_what_was_kept_survives_as_json() -> None:
    kept = Kept(0, 1.0, 3.5, 0.25, 0, [Sample(0.2, 1, 10.5)])
    assert Kept.from_json(kept.to_json()) == kept
    assert kept.wall_s == 2.5
    assert json.loads(kept.to_json())["cpu_s"] == 0.25


def test_memory_at_a_number_of_vehicles_is_the_median_of_the_last_looks_before_it() -> None:
    samples = [Sample(done / 10, done, 500.0 + done) for done in range(0, 1000, 10)]
    samples.append(Sample(29.9, 295, 9_000.0))
    run = outcome("this project", 1000, samples=samples)
    assert run.pss_at(300) == pytest.approx(750, abs=5)
    assert run.pss_at(5_000) is None
