"""Work that waits in a table: the row is the truth, the broker only a doorbell (spec reliability §4).

A table is a queue when its rows have `state` (queued, running, done, parked), `attempt`, `lease_until`, `finished_at` and `fault`.

    claim      one row for one worker: SKIP LOCKED, a lease by the database's clock, a new attempt number
    prolong    the lease, once; `heartbeat` does it for as long as the work goes on
    finish, park, give_back   fenced by the attempt number: False, and nothing written, for a worker that lost its lease
    work_once  a worker's turn, from the claim to one of the three
    sweep      parks what has failed too often and rings again for what waits

Losing a message, a worker or the broker delays the work by at most a lease and a sweep; it loses nothing.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Case, F, Model, Q, QuerySet, Value, When
from django.db.models.functions import Now

from portal.celery import ring

log = logging.getLogger(__name__)

QUEUED, RUNNING, DONE, PARKED = "queued", "running", "done", "parked"
RINGS_MAX = 20
"""Bells that one sweep of one queue rings; the next goes on."""


class Lost(RuntimeError):
    """The lease ran out and another worker took over: nothing of this one's may be written."""


class Claim(Protocol):
    """The right to work on one row until the lease ends; the row itself, as `Queue.claim` gives it, is one."""

    @property
    def pk(self) -> int: ...

    @property
    def attempt(self) -> int: ...


Row = TypeVar("Row", bound=Model)


class Queue(Generic[Row]):
    """rows      of this model
    seconds   of a lease: longer than the work may take by the clock on the wall, or than a heartbeat's pause
    task      of Celery, which a bell sets off; none where the workers look by themselves
    at_rest   what stands in the columns of progress of a row that nobody works on
    """

    def __init__(self, rows: type[Row], *, seconds: float, task: str = "", at_rest: Mapping[str, Any] | None = None) -> None:
        self.rows, self.task = rows._default_manager, task
        self._lease = timedelta(seconds=seconds)
        self._at_rest = dict(at_rest or {})
        self._fault_max = rows._meta.get_field("fault").max_length

    def waiting(self) -> QuerySet[Row]:
        """Queued, or left by a worker that let its lease run out."""
        return self.rows.filter(Q(state=QUEUED) | Q(state=RUNNING, lease_until__lt=Now()))

    def mine(self, claim: Claim) -> QuerySet[Row]:
        """The row, as long as this claim on it stands."""
        return self.rows.filter(pk=claim.pk, attempt=claim.attempt, state=RUNNING)

    def claim(self, where: Q | None = None, *, order: Sequence[str] = ("pk",), **columns: Any) -> Row | None:
        """The next waiting row; None when there is nothing to do."""
        with transaction.atomic():
            due = self.waiting().filter(where or Q(), attempt__lt=settings.PORTAL_ATTEMPTS_MAX)
            pk = due.order_by(*order).select_for_update(skip_locked=True).values_list("pk", flat=True).first()
            if pk is None:
                return None
            self.rows.filter(pk=pk).update(state=RUNNING, attempt=F("attempt") + 1, lease_until=Now() + self._lease, **(self._at_rest | columns))
            return self.rows.get(pk=pk)

    def prolong(self, claim: Claim, **columns: Any) -> bool:
        return bool(self.mine(claim).update(lease_until=Now() + self._lease, **columns))

    def finish(self, claim: Claim, **columns: Any) -> bool:
        return self._leave(claim, DONE, finished_at=Now(), fault="", **columns)

    def park(self, claim: Claim, *, fault: str) -> bool:
        """It was stopped on this row, and would be again."""
        return self._leave(claim, PARKED, finished_at=Now(), fault=self._said(fault))

    def give_back(self, claim: Claim, *, fault: str) -> bool:
        """The work could not be done here, which is not the row's fault: the next worker may try at once."""
        return self._leave(claim, QUEUED, fault=self._said(fault))

    def work_once(self, carry_out: Callable[[Row], str], where: Q | None = None, **columns: Any) -> bool:
        """Take one row and carry this attempt to its end. True when there was one.

        carry_out   does the work and finishes the row; or says why the row has to be parked. It may raise Lost
        """
        row = self.claim(where, **columns)
        if row is None:
            return False
        name = f"{row._meta.label} {row.pk} attempt {row.attempt}"
        try:
            if fault := carry_out(row):
                log.warning("%s is parked: %s", name, fault)
                self.park(row, fault=fault)
        except Lost:
            log.warning("%s lost its lease", name)
        except Exception as error:
            # What failed is the infrastructure (vault, jail, disk), not the row: another attempt, then it is parked with this reason.
            log.exception("%s could not be worked", name)
            self.give_back(row, fault=f"{type(error).__name__}: {error}")
        return True

    def give_up(self) -> list[Row]:
        """Park what has used up its attempts."""
        with transaction.atomic():
            spent = self.waiting().filter(attempt__gte=settings.PORTAL_ATTEMPTS_MAX).select_for_update(skip_locked=True)
            found = [row.pk for row in spent]
            fault = Case(When(fault="", then=Value("CRASH")), default=F("fault"))
            self.rows.filter(pk__in=found).update(state=PARKED, finished_at=Now(), lease_until=None, fault=fault, **self._at_rest)
            return list(self.rows.filter(pk__in=found))

    def ring(self) -> bool:
        return ring(self.task)

    def sweep(self) -> None:
        self.give_up()
        for _ in range(self.waiting()[:RINGS_MAX].count()):
            self.ring()

    def _leave(self, claim: Claim, state: str, **columns: Any) -> bool:
        return bool(self.mine(claim).update(state=state, lease_until=None, **(self._at_rest | columns)))

    def _said(self, fault: str) -> str:
        return fault[: self._fault_max].replace("\0", "")


@contextmanager
def heartbeat(prolong: Callable[[], bool], *, seconds: float, seconds_max: float = math.inf) -> Iterator[None]:
    """Calls `prolong` every so often, from a thread with a connection of its own, until it answers that the lease was lost.

    seconds_max   after this a worker that is still alive counts as hung
    """
    over = threading.Event()

    def beat() -> None:
        end = time.monotonic() + seconds_max
        try:
            while not over.wait(seconds) and time.monotonic() < end:
                try:
                    if not prolong():
                        return
                except Error:  # the database may be restarting; the next beat may still be in time, and the result is fenced anyway
                    log.exception("a lease could not be prolonged")
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
