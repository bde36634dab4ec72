"""One worker's turn: claim a run, let the jailed engine verify the exhibit, check what it answered, store it."""

import logging
import os
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction

from evidence.connectors import inquiries
from evidence.queues import heartbeat
from evidence.trust import packs
from evidence.verification import ALWAYS_NOT_PROVEN, TrustStore, selftest
from evidence.verification.codecs import strict_json
from evidence.verification.reasons import Reason
from evidence.verification.verdict import (
    ENGINE,
    Bearing,
    Grade,
    Overall,
    SourceRecord,
    Verdict,
    indeterminate,
    instant,
)
from portal.vault import Vault

from . import given, queue, telling
from .jail import Jail, JailResult, Limits
from .models import Lane, Run

log = logging.getLogger(__name__)

TOLD_SECONDS = 1
"""Between two notes of how far a run has come."""
REASON_OF_KILL = {"RESOURCE_LIMIT": Reason.RESOURCE_LIMIT, "TIMEOUT": Reason.RESOURCE_LIMIT}
"""How the jail ended a child -> why the verdict is open. Anything else (a crash of the parser) is INTERNAL_ERROR."""


class Untrustworthy(ValueError):
    """The jailed child answered something that is not the verdict of these files: treated as a crash."""


def work_once(*, worker: str | None = None, lanes: Sequence[Lane] = tuple(Lane)) -> bool:
    """Take one run of these lanes and carry it to its end. True when there was one."""
    claim = queue.claim(worker=worker or name(), lanes=lanes)
    if claim is None:
        return False
    try:
        with heartbeat(partial(queue.RUNS.prolong, claim), seconds=settings.PORTAL_LEASE_SECONDS / 3):
            document, columns = _verify(claim)
            queue.tell(claim, stage="storing")
        with transaction.atomic():
            if queue.finish(claim, document=document, verdict=columns):
                _consider(claim, document)
    except Exception as fault:
        # The infrastructure failed (vault, jail, trust store, ledger), not the file: another attempt, then the clerk sees it.
        log.exception("run %s attempt %s could not be worked", claim.pk, claim.attempt)
        queue.RUNS.give_back(claim, fault=f"{type(fault).__name__}: {fault}")
    return True


def _consider(claim: queue.Claim, document: bytes) -> None:
    """What the verdict lacks may be had of a node of the court. That this cannot be decided never costs the verdict."""
    try:
        with transaction.atomic():
            inquiries.consider(claim.pk, document)
    except Exception:  # the bench can still ask by hand
        log.exception("run %s: whether a node should be asked could not be decided", claim.pk)


def name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:100]


def _verify(claim: queue.Claim) -> tuple[bytes, queue.VerdictColumns]:
    files = given.sources(claim.pk)
    vault = Vault(settings.PORTAL_VAULT_DIR)
    # The pack that was in force when the run was claimed, checked on this machine's disk; the verdict records its digest.
    in_use = packs.in_use(at=claim.clock)
    trust = in_use.trust
    queue.tell(claim, stage="verifying")
    result = _jail().run(
        [(file.name, vault.path(file.sha256)) for file in files],
        trust_dir=in_use.directory,
        at=claim.at,
        limits=Limits(wall_seconds_max=settings.PORTAL_BULK_SECONDS),
        heard=_Hearing(claim, files),
    )
    if result.verdict_json is not None:
        try:
            columns = checked(result.verdict_json, files=files, trust=trust, at=claim.at)
            return result.verdict_json, columns
        except Untrustworthy as fault:
            log.error("run %s: the jailed engine answered nonsense: %s", claim.pk, fault)
            result = JailResult(verdict_json=None, killed="CRASH", cpu_seconds=0, max_rss=0)
    verdict = undecided(result, files=files, trust=trust, at=claim.at)
    return verdict.to_json(), queue.VerdictColumns.of(verdict)


class _Hearing:
    """Writes down what the jailed engine says of its progress, once a second at most. That it cannot be written costs nothing."""

    def __init__(self, claim: queue.Claim, files: list[given.Given]) -> None:
        self._claim, self._files = claim, files
        self._written = float("-inf")

    def __call__(self, told: telling.Told) -> None:
        now = time.monotonic()
        file = self._files[told.file]
        # What the court itself obtained is not for everybody's eyes, and small.
        if now < self._written + TOLD_SECONDS or file.name.startswith(given.COURT):
            return
        self._written = now
        try:
            queue.tell(self._claim, stage=told.step, file=file.name, done=told.offset, total=file.size)
        except DatabaseError:
            log.exception("run %s: its progress could not be written", self._claim.pk)


def checked(
    document: bytes, *, files: list[given.Given], trust: TrustStore, at: datetime
) -> queue.VerdictColumns:
    """Is this a verdict of this engine, over exactly these files, this trust store and this time? Else Untrustworthy."""
    try:
        data: Any = strict_json.loads(document)
    except strict_json.JsonError as fault:
        raise Untrustworthy(f"not JSON: {fault}") from fault
    if not isinstance(data, Mapping):
        raise Untrustworthy("not an object")
    due = sorted((f.name, f.size, f.sha256, f.sm3) for f in files)
    try:
        given = sorted((s["name"], s["size"], s["sha256"], s["sm3"]) for s in data["sources"])
        same = (
            given == due
            and data["engine"] == ENGINE
            and data["trust"] == trust.identity()
            and data["at"] == instant(at)
        )
        columns = queue.VerdictColumns(
            Overall(data["overall"]).value, Grade(data["grade"]).value, ENGINE, trust.identity()["sha256"]
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise Untrustworthy(f"not a verdict: {fault}") from fault
    if not same:
        raise Untrustworthy("a verdict of something else")
    return columns


def undecided(result: JailResult, *, files: list[given.Given], trust: TrustStore, at: datetime) -> Verdict:
    """The verdict when the engine was stopped on these files: 无法判定, with the budget or the crash as the reason."""
    reason = REASON_OF_KILL.get(result.killed or "", Reason.INTERNAL_ERROR)
    ordered = sorted(files, key=lambda f: (f.name, f.sha256))
    return Verdict(
        engine=ENGINE,
        at=at,
        trust=trust.identity(),
        sources=tuple(SourceRecord(f.name, f.size, f.sha256, f.sm3, "unknown") for f in ordered),
        overall=Overall.INDETERMINATE,
        grade=Grade.E,
        time=None,
        findings=(
            indeterminate(
                "ENGINE.RUN", reason, ", ".join(f.name for f in ordered), actual=result.killed, bearing=Bearing.DECISIVE
            ),
        ),
        walks=(),
        not_proven=ALWAYS_NOT_PROVEN,
        selftest=selftest.run(()),
        reasons=(reason,),
    )


@cache
def _jail() -> Jail:
    """One zygote per process; `Jail` is safe to use from several threads."""
    return Jail(weak=settings.PORTAL_WEAK_JAIL)


def unfinished() -> int:
    return Run.objects.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING]).count()
