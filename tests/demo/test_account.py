"""One session an account, by a clock of the test's own."""

from __future__ import annotations

from jdp_scraper.demo.account import Desk, Outcome, Session
from jdp_scraper.demo.options import DemoOptions


class Bench:
    """A desk with a clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.options = DemoOptions()
        self.desk = Desk(lambda: self.options, lambda: self.now)

    def sign_in(self, session: Session | None = None, password: str = "demo") -> tuple[Session, Outcome]:
        session = session or self.desk.session(None, None)
        return session, self.desk.sign_in(session, "demo", password)


def test_the_account_is_in_use_until_the_lock_out_has_passed_since_the_last_activity() -> None:
    bench = Bench()
    first, _ = bench.sign_in()
    bench.now = 200
    bench.desk.session(first.id, first.auth)
    bench.now = 499
    assert bench.sign_in()[1] is Outcome.IN_USE
    bench.now = 501
    second, outcome = bench.sign_in()
    assert outcome is Outcome.SIGNED_IN
    assert not first.signed_in and second.signed_in
    assert bench.desk.open_sessions == 1


def test_a_sign_out_frees_the_account_at_once() -> None:
    bench = Bench()
    first, _ = bench.sign_in()
    bench.desk.end(first)
    assert bench.sign_in()[1] is Outcome.SIGNED_IN


def test_wrong_passwords_in_a_row_lock_the_account() -> None:
    bench = Bench()
    outcomes = [bench.sign_in(password="no")[1] for _ in range(5)]
    assert outcomes == [Outcome.BAD_PASSWORD] * 4 + [Outcome.LOCKED]
    assert bench.sign_in()[1] is Outcome.LOCKED


def test_a_right_password_forgets_the_wrong_ones() -> None:
    bench = Bench()
    for _ in range(4):
        bench.sign_in(password="no")
    first, _ = bench.sign_in()
    bench.desk.end(first)
    assert bench.sign_in(password="no")[1] is Outcome.BAD_PASSWORD


def test_a_session_without_its_sign_in_cookie_is_signed_out_and_leaves_the_real_one_alone() -> None:
    bench = Bench()
    first, _ = bench.sign_in()
    other = bench.desk.session(first.id, "made up")
    assert not other.signed_in and not other.is_new
    assert bench.desk.session(first.id, first.auth) is first


def test_a_renewed_cookie_makes_the_old_one_void_after_a_while() -> None:
    bench = Bench()
    session, _ = bench.sign_in()
    old = session.auth
    bench.desk.rotate(session)
    assert bench.desk.session(session.id, old) is session
    bench.now = 6
    assert bench.desk.session(session.id, old) is not session
    assert bench.desk.session(session.id, session.auth) is session


def test_an_idle_session_ends_with_its_view() -> None:
    bench = Bench()
    session, _ = bench.sign_in()
    session.filter = "165530"
    bench.now = 1201
    session = bench.desk.session(session.id, session.auth)
    assert not session.signed_in and session.filter == ""
