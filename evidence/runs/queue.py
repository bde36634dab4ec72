"""Which runs wait: a queue of record (`evidence.queues`).

    request   writes the run in the caller's transaction and rings once that transaction has committed
    claim     one run of some lanes, and as of when its verdict is reached
    tell      how far the work has come
    finish    verdict, state and act in one transaction
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Q, Sum
from django.db.models.functions import Coalesce, Now

from evidence.exhibits.models import Exhibit
from evidence.queues import Queue
from evidence.verification import Verdict
from portal.celery import ring
from portal.ledger.entries import record
from portal.people.models import User

from . import given
from .models import BULK, Lane, Run, RunVerdict

log = logging.getLogger(__name__)

RUNS = Queue(
    Run, seconds=settings.PORTAL_LEASE_SECONDS, at_rest={"stage": "", "stage_file": "", "bytes_done": None, "bytes_total": None}
)
TASK, BULK_TASK = "evidence.runs.work.v1", "evidence.runs.bulk.v1"
"""Large exhibits have a bell of their own, whose task has a longer time limit and may be given workers of its own."""
SWEEP_RINGS_MAX = 100
"""Bells one sweep rings at most; the next sweep rings for the rest."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one run until the lease ends.

    at       the verdict's `at`: the moment of receipt for the first verdict of an exhibit, on whatever attempt; else `clock`
    clock    the database's time of the claim
    """

    pk: int
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
    with transaction.atomic():
        at_work = Run.objects.filter(state=Run.State.RUNNING, lane__in=BULK, lease_until__gte=Now()).count()
        free = [lane for lane in lanes if lane not in BULK or at_work < settings.PORTAL_BULK_AT_ONCE]
        run = RUNS.claim(
            Q(lane__in=free), order=("lane", "pk"), worker=worker, stage="copying", started_at=Coalesce("started_at", Now())
        )
        if run is None:
            return None
        clock = Run.objects.annotate(clock=Now()).values_list("clock", flat=True).get(pk=run.pk)
        # What the court itself asked of its nodes is younger than the receipt.
        later = RunVerdict.objects.filter(run__exhibit=run.exhibit_id, run__number__lt=run.number).exists() or run.obtained.exists()
        return Claim(run.pk, run.attempt, clock if later else run.exhibit.submitted_at, clock)


def tell(claim: Claim, *, stage: str, file: str = "", done: int | None = None, total: int | None = None) -> None:
    """How far the work has come, for the pages. Of a worker that lost its lease nothing is written."""
    RUNS.mine(claim).update(stage=stage, stage_file=file[:255], bytes_done=done, bytes_total=total)


def finish(claim: Claim, *, document: bytes, verdict: "VerdictColumns") -> bool:
    """Store the verdict, close the run and write the act, in one transaction. False: stale, nothing was written."""
    with transaction.atomic():
        if not RUNS.finish(claim):
            record("verify.stale", actor=None, params={"run": claim.pk, "attempt": claim.attempt})
            log.warning("run %s attempt %s: stale write refused", claim.pk, claim.attempt)
            return False
        run = Run.objects.select_related("exhibit__case").get(pk=claim.pk)
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


def sweep() -> int:
    """Park runs that used up their attempts; ring for every run that waits or whose lease has run out. How many were parked."""
    with transaction.atomic():
        parked = RUNS.give_up()
        for run in parked:
            record("verify.park", actor=None, case=run.exhibit.case, params={"run": str(run.public_id), "attempts": run.attempt})
            log.error("run %s parked after %s attempts: %s", run.public_id, run.attempt, run.fault)
    for pk, lane in RUNS.waiting().order_by("lane", "pk").values_list("pk", "lane")[:SWEEP_RINGS_MAX]:
        ring(_task(lane), pk)
    return len(parked)


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


def _task(lane: int) -> str:
    return BULK_TASK if lane in BULK else TASK


def _ring(run_id: int, lane: int) -> None:
    if ring(_task(lane), run_id):
        Run.objects.filter(pk=run_id).update(rung_at=Now())
