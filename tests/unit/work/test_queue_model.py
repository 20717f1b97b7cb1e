"""The queue against a simple model, in any order of events: nothing is lost, nothing is held twice."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from jdp_scraper.errors import PageLost, PortalDown, SessionExpired
from jdp_scraper.work.queue import StaleLease
from jdp_scraper.work.retry import GiveUp, Retry, Stop
from jdp_scraper.work.task import Lease, State
from tests.support.thorough import search

from .conftest import Clock, queue_of

KEYS = tuple("abcde")
RETRIES = 2
WAIT_S = 10.0


class QueueMachine(RuleBasedStateMachine):
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.queue = queue_of(*KEYS, clock=self.clock, retries=RETRIES, wait_s=WAIT_S)
        self.held: dict[str, Lease] = {}
        self.tries = dict.fromkeys(KEYS, 0)
        self.due = dict.fromkeys(KEYS, 0.0)
        self.ended: dict[str, State] = {}
        self.stopped = False

    def ready(self) -> set[str]:
        """What the model says may be handed out now."""
        return {key for key in KEYS if key not in self.ended | self.held and self.due[key] <= self.clock.now}

    @precondition(lambda self: not self.stopped and (self.ready() or len(self.ended) == len(KEYS)))
    @rule(target=leases)
    def take(self) -> Lease | None:
        wanted = self.ready()
        lease = asyncio.run(self.queue.take())
        if not wanted:
            assert lease is None
            return None
        assert lease is not None
        assert lease.key in wanted
        assert lease.attempt == self.tries[lease.key] + 1
        assert (lease.taken_at, lease.last_sign) == (self.clock.now, self.clock.now)
        self.held[lease.key] = lease
        return lease

    @precondition(lambda self: self.stopped)
    @rule()
    def take_after_stop(self) -> None:
        assert asyncio.run(self.queue.take()) is None

    def mine(self, lease: Lease) -> bool:
        mine = self.held.get(lease.key) is lease
        assert self.queue.holds(lease) is mine
        return mine

    @rule(lease=leases, step=st.sampled_from([None, "open", "download"]))
    def beat(self, lease: Lease | None, step: str | None) -> None:
        if lease is not None:
            self.queue.beat(lease, step)
            assert lease.last_sign == self.clock.now

    @rule(lease=leases)
    def done(self, lease: Lease | None) -> None:
        if lease is None:
            return
        if not self.mine(lease):
            with pytest.raises(StaleLease):
                self.queue.done(lease)
            return
        self.queue.done(lease)
        del self.held[lease.key]
        self.tries[lease.key] += 1
        self.ended[lease.key] = State.DONE

    @rule(lease=leases)
    def give_back(self, lease: Lease | None) -> None:
        if lease is None:
            return
        if not self.mine(lease):
            with pytest.raises(StaleLease):
                self.queue.give_back(lease)
            return
        self.queue.give_back(lease)
        del self.held[lease.key]

    @rule(
        lease=leases,
        error=st.sampled_from([PageLost(), SessionExpired(), PortalDown(), ValueError("a bug")]),
        free=st.booleans(),
    )
    def fail(self, lease: Lease | None, error: Exception, free: bool) -> None:
        if lease is None:
            return
        if not self.mine(lease):
            with pytest.raises(StaleLease):
                self.queue.fail(lease, error)
            return
        key = lease.key
        foretold = self.queue.decide(lease, error)
        decision = self.queue.fail(lease, error, free=free)
        assert free or decision == foretold
        del self.held[key]
        if free:
            assert decision == Retry(0.0, counts=False)
        elif isinstance(error, PortalDown | ValueError):
            assert decision == Stop()
        elif self.tries[key] < RETRIES:
            assert decision == Retry(WAIT_S)
            self.tries[key] += 1
            self.due[key] = self.clock.now + WAIT_S
        else:
            assert decision == GiveUp()
            self.tries[key] += 1
            self.ended[key] = State.FAILED

    @rule(seconds=st.sampled_from([0.5, 4.0, 10.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @precondition(lambda self: len(self.ended) >= len(KEYS) - 1)
    @rule()
    def stop(self) -> None:
        self.queue.stop()
        self.stopped = True

    @invariant()
    def every_task_is_in_one_place(self) -> None:
        placed = [key for state in State for key in self.queue.keys(state)]
        assert sorted(placed) == sorted(KEYS)
        assert {lease.key: lease for lease in self.queue.leases()} == self.held
        assert len(self.queue.leases()) == len(self.held)
        assert set(self.queue.keys(State.LEASED)) == set(self.held)
        done, failed = self.queue.keys(State.DONE), self.queue.keys(State.FAILED)
        assert dict.fromkeys(done, State.DONE) | dict.fromkeys(failed, State.FAILED) == self.ended

    @invariant()
    def the_numbers_add_up(self) -> None:
        told = self.queue.statistics()
        assert told.total == len(KEYS)
        assert told.left == len(KEYS) - len(self.ended)
        assert told.leased == len(self.held)
        assert (told.ready, told.waiting) == (
            len(list(self.queue.keys(State.READY))),
            len(list(self.queue.keys(State.WAITING))),
        )
        assert told.attempts == sum(self.tries.values())
        assert {key: self.queue.attempts(key) for key in KEYS} == self.tries

    def teardown(self) -> None:
        """Whatever has happened, all that is left can still be worked off."""
        if self.stopped:
            return
        for lease in list(self.held.values()):
            self.queue.give_back(lease)
        worked = set()
        for _ in KEYS:
            self.clock.now += WAIT_S
            taken = asyncio.run(self.queue.take())
            if taken is None:
                break
            worked.add(taken.key)
            self.queue.done(taken)
        assert worked == set(KEYS) - set(self.ended)


QueueMachine.TestCase.settings = settings(search(60), stateful_step_count=40)
TestQueueAgainstModel = pytest.mark.thorough(QueueMachine.TestCase)
