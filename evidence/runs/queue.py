"""The queue of record: the database row is the truth, the broker only a doorbell (spec reliability §4).

    request   writes the run in the caller's transaction and rings once that transaction has committed
    claim     one run for one worker: SKIP LOCKED, a lease by the database's clock, a new attempt number
    extend    the heartbeat
    finish    fenced by the attempt number: a worker that lost its lease writes nothing
    sweep     parks what has failed too often and rings again for whatever waits

Losing a message, a worker or the broker delays a run by at most a lease and a sweep; it loses nothing.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Sum
from django.db.models.functions import Now

from evidence.exhibits.models import Exhibit
from evidence.verification import Verdict
from portal.ledger.entries import record
from portal.people.models import User

from . import bell, given
from .models import BULK, Lane, Run, RunVerdict

log = logging.getLogger(__name__)

_NOWHERE: dict[str, Any] = {"stage": "", "stage_file": "", "bytes_done": None, "bytes_total": None}
"""The progress of a run that nobody works on."""
SWEEP_RINGS_MAX = 100
"""Bells one sweep rings at most; the next sweep rings for the rest."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one run until the lease ends.

    at       the verdict's `at`: the moment of receipt for the first verdict of an exhibit, on whatever attempt; else `clock`
    clock    the database's time of the claim
    """

    run_id: int
    attempt: int
    at: datetime
    clock: datetime


def request(
    exhibit: Exhibit, *, by: User | None, lane: Lane = Lane.STANDARD, obtained: Sequence[given.Given] | None = None
) -> Run:
    """Queue the next run of an exhibit. Call it inside the transaction that makes the run necessary.

    obtained   what the court's own nodes answered, to be verified beside the files; None: what the last run had, so that a
               verification once more never knows less than the one before
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a run is requested inside the transaction that makes it necessary")
    Exhibit.objects.select_for_update().get(pk=exhibit.pk)
    last = Run.objects.filter(exhibit=exhibit).aggregate(n=Max("number"))["n"] or 0
    run = Run.objects.create(exhibit=exhibit, number=last + 1, lane=_lane(exhibit, lane), requested_by=by)
    given.attach(run, given.obtained(Run(exhibit=exhibit, number=last)) if obtained is None else obtained)
    record(
        "verify.request",
        actor=by,
        case=exhibit.case,
        params={"exhibit": str(exhibit.public_id), "run": str(run.public_id), "number": run.number},
    )
    transaction.on_commit(partial(_ring, run.pk, run.lane))
    return run


def _lane(exhibit: Exhibit, wanted: Lane) -> Lane:
    """Large exhibits do not stand in the way of the others, whoever asks for them."""
    size = exhibit.files.aggregate(n=Sum("size"))["n"] or 0
    if size <= settings.PORTAL_BULK_BYTES:
        return wanted
    return Lane.REVERIFY_BULK if wanted is Lane.REVERIFY else Lane.BULK


def claim(*, worker: str, lanes: Sequence[Lane] = tuple(Lane)) -> Claim | None:
    """The next waiting run of these lanes, or one whose worker has let its lease run out; None when there is nothing to do.

    Of the bulk lanes only PORTAL_BULK_AT_ONCE are worked on at a time (one more when two workers ask in the same moment).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE runs_run SET
                state = 'running', attempt = attempt + 1, worker = %(worker)s, stage = 'copying',
                stage_file = '', bytes_done = NULL, bytes_total = NULL,
                lease_until = clock_timestamp() + %(lease)s * interval '1 second',
                started_at = coalesce(started_at, clock_timestamp())
            WHERE id = (
                SELECT id FROM runs_run
                WHERE (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))
                  AND attempt < %(cap)s AND lane = ANY(%(lanes)s)
                  AND (lane <> ALL(%(bulk)s) OR (
                    SELECT count(*) FROM runs_run
                    WHERE state = 'running' AND lane = ANY(%(bulk)s) AND lease_until >= clock_timestamp()) < %(at_once)s)
                ORDER BY lane, id FOR UPDATE SKIP LOCKED LIMIT 1
            )
            RETURNING id, attempt,
                -- What the court itself asked of its nodes is younger than the receipt.
                CASE WHEN EXISTS (SELECT 1 FROM runs_runverdict v JOIN runs_run r ON r.id = v.run_id
                             WHERE r.exhibit_id = runs_run.exhibit_id AND r.number < runs_run.number)
                       OR EXISTS (SELECT 1 FROM runs_runsource s WHERE s.run_id = runs_run.id)
                     THEN clock_timestamp()
                     ELSE (SELECT e.submitted_at FROM exhibits_exhibit e WHERE e.id = runs_run.exhibit_id) END,
                clock_timestamp()
            """,
            {
                "worker": worker,
                "lease": settings.PORTAL_LEASE_SECONDS,
                "cap": settings.PORTAL_ATTEMPTS_MAX,
                "lanes": [int(lane) for lane in lanes],
                "bulk": [int(lane) for lane in BULK],
                "at_once": settings.PORTAL_BULK_AT_ONCE,
            },
        )
        row = cursor.fetchone()
    return Claim(*row) if row else None


def extend(claim: Claim) -> bool:
    """Heartbeat. False: the lease was lost and somebody else may hold the run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE runs_run SET lease_until = clock_timestamp() + %s * interval '1 second'"
            " WHERE id = %s AND attempt = %s AND state = 'running'",
            [settings.PORTAL_LEASE_SECONDS, claim.run_id, claim.attempt],
        )
        return bool(cursor.rowcount == 1)


def tell(claim: Claim, *, stage: str, file: str = "", done: int | None = None, total: int | None = None) -> None:
    """How far the work has come, for the pages. Of a worker that lost its lease nothing is written."""
    Run.objects.filter(pk=claim.run_id, attempt=claim.attempt, state=Run.State.RUNNING).update(
        stage=stage, stage_file=file[:255], bytes_done=done, bytes_total=total
    )


def finish(claim: Claim, *, document: bytes, verdict: "VerdictColumns") -> bool:
    """Store the verdict, close the run and write the act, in one transaction. False: stale, nothing was written."""
    with transaction.atomic():
        closed = Run.objects.filter(pk=claim.run_id, attempt=claim.attempt, state=Run.State.RUNNING).update(
            state=Run.State.DONE, finished_at=Now(), lease_until=None, fault="", **_NOWHERE
        )
        if not closed:
            record("verify.stale", actor=None, params={"run": claim.run_id, "attempt": claim.attempt})
            log.warning("run %s attempt %s: stale write refused", claim.run_id, claim.attempt)
            return False
        run = Run.objects.select_related("exhibit__case").get(pk=claim.run_id)
        RunVerdict.objects.create(
            run=run,
            document=document,
            sha256=hashlib.sha256(document).hexdigest(),
            overall=verdict.overall,
            grade=verdict.grade,
            engine=verdict.engine,
            trust_sha256=verdict.trust_sha256,
            at=claim.at,
        )
        record(
            "verify.finish",
            actor=None,
            case=run.exhibit.case,
            subject_digest=hashlib.sha256(document).hexdigest(),
            params={
                "exhibit": str(run.exhibit.public_id),
                "run": str(run.public_id),
                "overall": verdict.overall,
                "grade": verdict.grade,
                "engine": verdict.engine,
                "trust": verdict.trust_sha256,
            },
        )
    return True


def give_back(claim: Claim, *, fault: str) -> None:
    """The work could not be done here (not the file's fault): let the next worker try at once."""
    Run.objects.filter(pk=claim.run_id, attempt=claim.attempt, state=Run.State.RUNNING).update(
        state=Run.State.QUEUED, lease_until=None, fault=fault[:200], **_NOWHERE
    )


@dataclass(frozen=True, slots=True)
class Swept:
    parked: int
    rung: int


def sweep() -> Swept:
    """Park runs that used up their attempts; ring for every run that waits or whose lease has run out."""
    with transaction.atomic():
        exhausted = Run.objects.raw(
            """
            UPDATE runs_run SET state = 'parked', finished_at = clock_timestamp(), lease_until = NULL, stage = '',
                stage_file = '', bytes_done = NULL, bytes_total = NULL
            WHERE attempt >= %s AND (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))
            RETURNING *
            """,
            [settings.PORTAL_ATTEMPTS_MAX],
        )
        parked = list(exhausted)
        for run in parked:
            record(
                "verify.park",
                actor=None,
                case=run.exhibit.case,
                params={"run": str(run.public_id), "attempts": run.attempt},
            )
            log.error("run %s parked after %s attempts: %s", run.public_id, run.attempt, run.fault)
    waiting = _waiting()
    for pk, lane in waiting:
        (bell.ring_bulk if lane in BULK else bell.ring)(pk)
    return Swept(len(parked), len(waiting))


def position(run: Run) -> int:
    """How many runs go before this one: shown to the person who waits."""
    return (
        Run.objects.filter(state=Run.State.QUEUED, lane__lte=run.lane)
        .exclude(lane=run.lane, pk__gte=run.pk)
        .count()
    )


@dataclass(frozen=True, slots=True)
class VerdictColumns:
    """What lists need of a verdict, read from its checked document."""

    overall: str
    grade: str
    engine: str
    trust_sha256: str

    @classmethod
    def of(cls, verdict: Verdict) -> "VerdictColumns":
        return cls(verdict.overall.value, verdict.grade.value, verdict.engine, verdict.trust["sha256"])


def _waiting() -> Sequence[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, lane FROM runs_run WHERE state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp())"
            " ORDER BY lane, id LIMIT %s",
            [SWEEP_RINGS_MAX],
        )
        return list(cursor.fetchall())


def _ring(run_id: int, lane: int) -> None:
    if (bell.ring_bulk if lane in BULK else bell.ring)(run_id):
        Run.objects.filter(pk=run_id).update(rung_at=Now())
