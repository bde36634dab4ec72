"""What every process knows about an authority that does not answer and a key that refused its PIN, so that none asks in vain or too often.

Kept where attempts at the door are counted (`portal.people.attempts`, rows in the database): it survives a restart, and forgetting it
costs one try.
"""

import hashlib

from django.core.cache import cache

FIRST_REST, REST_MAX = 30, 1800
"""Seconds for which the time-stamping authority is not asked after a fault of its; doubled each time."""
REFUSED_SECONDS = 90 * 24 * 3600
_REST, _LAST = "reports.stamping.rest", "reports.stamping.last"
_REFUSED = "reports.refused."


def resting() -> str:
    """Why the time-stamping authority is left alone now; empty when it may be asked."""
    return str(cache.get(_REST, ""))


def rest(said: str) -> None:
    seconds = min(2 * int(cache.get(_LAST, FIRST_REST // 2)), REST_MAX)
    cache.set(_LAST, seconds, timeout=4 * seconds)
    cache.set(_REST, said[:300], timeout=seconds)


def answered() -> None:
    cache.delete(_REST)
    cache.delete(_LAST)


def refused(marks: list[str]) -> str:
    """What was said when one of these keys, with the files as they are now, refused its PIN or passphrase; empty when none did."""
    return next((said for mark in marks if (said := str(cache.get(_key(mark), "")))), "")


def refuse(mark: str, said: str) -> None:
    """Remember until the files of the key change: each wrong PIN counts against its token, whoever sends it."""
    cache.set(_key(mark), said[:300], timeout=REFUSED_SECONDS)


def _key(mark: str) -> str:
    return _REFUSED + hashlib.sha256(mark.encode()).hexdigest()
