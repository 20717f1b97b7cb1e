"""The portal's one account: who is signed in, who is refused, and until when the account stays in use."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain

from .lot import Vehicle
from .options import DemoOptions


class Stage(Enum):
    """How far a session has come."""

    OUT = "signed out"
    SECOND_FACTOR = "asked for a code"
    EXPIRED_PASSWORD = "asked for a new password"  # noqa: S105 - a name, not a secret
    IN = "signed in"


class Outcome(Enum):
    """What became of an attempt to sign in."""

    SIGNED_IN = "signed_in"
    BAD_PASSWORD = "bad_password"  # noqa: S105
    LOCKED = "locked"
    IN_USE = "in_use"
    SECOND_FACTOR = "second_factor"
    EXPIRED_PASSWORD = "expired_password"  # noqa: S105


def new_secret() -> str:
    """Give a fresh value for a cookie or a token."""
    return secrets.token_hex(16)


@dataclass(eq=False)
class Session:
    """One browser's session; the view of the grid lives here, so all its tabs share it."""

    id: str = field(default_factory=new_secret)
    token: str = field(default_factory=new_secret)
    stage: Stage = Stage.OUT
    auth: str | None = None
    old_auth: dict[str, float] = field(default_factory=dict)
    auth_is_new: bool = False
    is_new: bool = True
    license_due: bool = False
    filter: str = ""
    page: int = 0
    opened: Vehicle | None = None
    last_seen: float = 0.0
    requests: int = 0

    @property
    def signed_in(self) -> bool:
        """Whether the pages behind the sign-in are open to this session."""
        return self.stage is Stage.IN

    def clear(self) -> None:
        """Forget who it is and what was looked at, as the server's memory does when a session ends."""
        self.stage, self.auth, self.license_due = Stage.OUT, None, False
        self.old_auth.clear()
        self.filter, self.page, self.opened = "", 0, None
        self.token = new_secret()

    def renew_auth(self, now: float) -> None:
        """Give the session a new sign-in cookie; the old value is remembered with the time of its end of service."""
        if self.auth:
            self.old_auth[self.auth] = now
        self.auth, self.auth_is_new = new_secret(), True


class Desk:
    """Keeps the sessions and lets at most one of them be signed in.

    `clock` gives seconds; `options` gives the options of this moment, which may change between two calls.
    """

    def __init__(self, options: Callable[[], DemoOptions], clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        self._sessions: dict[str, list[Session]] = {}
        self._holder: Session | None = None
        self._bad_passwords = 0
        self._license_accepted = False

    @property
    def open_sessions(self) -> int:
        """How many sessions are signed in."""
        return sum(session.signed_in for session in self._all())

    def session(self, session_id: str | None, auth: str | None) -> Session:
        """Give the session of these two cookies, a new one where there is none.

        A wrong sign-in cookie opens nothing, and ends nothing either: the session it does not fit goes on for others.
        """
        now = self._clock()
        session = self._find(session_id, auth, now)
        if session.stage is not Stage.OUT and now - session.last_seen > self._options().idle_s:
            self.end(session)
        session.last_seen = now
        session.requests += 1
        return session

    def sign_in(self, session: Session, user: str, password: str) -> Outcome:
        """Try to sign a session in, and say what became of it."""
        options = self._options()
        if options.account == "locked" or self._bad_passwords >= options.max_bad_passwords:
            return Outcome.LOCKED
        if (user, password) != (options.user, options.password):
            self._bad_passwords += 1
            return Outcome.LOCKED if self._bad_passwords >= options.max_bad_passwords else Outcome.BAD_PASSWORD
        holder = self._holder
        if holder is not None and holder is not session:
            if self._clock() - holder.last_seen < options.lockout_s:
                return Outcome.IN_USE
            self.end(holder)
        self._bad_passwords = 0
        session.clear()
        session.renew_auth(self._clock())
        if options.account in ("second_factor", "expired_password"):
            session.stage = Stage[options.account.upper()]
            return Outcome[options.account.upper()]
        session.stage, self._holder = Stage.IN, session
        asked_for = options.license in ("each", "always") or not self._license_accepted
        session.license_due = asked_for and options.license != "never"
        return Outcome.SIGNED_IN

    def accept_license(self, session: Session) -> None:
        """Note that the license was accepted in this session."""
        session.license_due, self._license_accepted = False, True

    def end(self, session: Session) -> None:
        """End a session by sign-out or expiry; the account is free at once."""
        session.clear()
        if self._holder is session:
            self._holder = None

    def end_all(self) -> int:
        """End every session, and give how many were open."""
        ended = self.open_sessions
        for session in self._all():
            self.end(session)
        return ended

    def unlock(self) -> None:
        """Forget the wrong passwords."""
        self._bad_passwords = 0

    def rotate(self, session: Session) -> None:
        """Renew a signed-in session's cookie."""
        session.renew_auth(self._clock())

    def _find(self, session_id: str | None, auth: str | None, now: float) -> Session:
        known = self._sessions.get(session_id or "", [])
        for session in known:
            if auth is not None and (auth == session.auth or self._retired(session, auth, now)):
                return session
        for session in known:
            if session.auth is None:
                return session
        session = Session(id=known[0].id, is_new=False) if known else Session()
        self._sessions.setdefault(session.id, []).append(session)
        return session

    def _retired(self, session: Session, auth: str, now: float) -> bool:
        until = session.old_auth.get(auth)
        return until is not None and now - until <= self._options().rotate_grace_s

    def _all(self) -> Iterator[Session]:
        return chain.from_iterable(self._sessions.values())
