"""What the interpreter does beside the work is put off, and as it was before afterwards."""

from __future__ import annotations

import gc
import sys

from jdp_scraper.interpreter import collected_later, keep_what_lives, quick_turns


def test_garbage_is_not_searched_for_in_the_block_alone() -> None:
    assert gc.isenabled()
    with collected_later():
        assert not gc.isenabled()
        with collected_later():
            pass
        assert not gc.isenabled(), "it was off before the inner block"
    assert gc.isenabled()


def test_threads_take_shorter_turns_in_the_block_alone() -> None:
    before = sys.getswitchinterval()
    with quick_turns():
        assert sys.getswitchinterval() < before / 2
    assert sys.getswitchinterval() == before


def test_what_lives_is_not_looked_at_any_more() -> None:
    gc.unfreeze()
    kept: list[list[int]] = [[] for _ in range(1000)]
    assert any(one is kept for one in gc.get_objects())
    keep_what_lives()
    try:
        assert gc.get_freeze_count() > 1000
        assert not any(one is kept for one in gc.get_objects())
    finally:
        gc.unfreeze()
