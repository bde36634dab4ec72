"""Which exports wait to be made: the row is the truth, the broker only a doorbell (as `evidence.captures.queue`).

    order     the row and its parts, in the caller's transaction; the same order while one is pending gives that one
    claim     one export for one worker: SKIP LOCKED, a lease by the database's clock, a new attempt number
    advance   progress, which also prolongs the lease; False when it was lost
    finish, park, give_back   fenced by the attempt number
    sweep     parks what has failed too often, expires what is old, rings
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from cases.access import visible_to
from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.reports.issuing import IN_FORCE
from evidence.reports.models import Report, Revision
from portal.ledger.entries import record
from portal.people.models import User

from . import archive, bell
from .models import PENDING, Export, ExportedExhibit, ExportedReport
from .rights import handed_out, may_export

EXHIBITS_MAX = 2_000
"""Exhibits in one export, with those that its reports speak of: several times a large case; a bigger one is exported in parts."""
REPORTS_MAX = 500
PENDING_MAX = 3
"""Exports of one person that wait or are made at the same time: each may hold gigabytes."""
LEASE_SECONDS = 300
"""Longer than one file of the largest size takes to copy; prolonged after each."""
RINGS_MAX = 20
EXPIRED_MAX = 200
"""Archives that one sweep removes; the next goes on."""


class ExportRefused(Exception):
    """The order cannot be taken: `too_many` parts, `pending` too many, `rights`, or `nothing` chosen."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claim:
    row: int
    attempt: int


def reports_of(user: User, case: Case, exhibits: QuerySet[Exhibit]) -> QuerySet[Report]:
    """Reports in force that speak of any of these exhibits."""
    found = visible_to(user, Report.objects.filter(case=case, state__in=IN_FORCE))
    return found.filter(pk__in=Report.verdicts.through.objects.filter(runverdict__run__exhibit__in=exhibits).values("report"))


def order(case: Case, exhibits: QuerySet[Exhibit], *, by: User, reports: Collection[Report] = (), whole: bool = False) -> Export:
    """Export these exhibits with the reports in force on them, and these signed reports. Raises ExportRefused.

    Nothing is issued: an exhibit that no report speaks of stands in the catalogue, and that is said.
    """
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=case.pk)
        if not may_export(by, case):
            raise ExportRefused("rights")
        listed = list(visible_to(by, exhibits.filter(case=case)).order_by("pk")[: EXHIBITS_MAX + 1])
        chosen = {r.pk for r in reports} | set(reports_of(by, case, Exhibit.objects.filter(pk__in=[e.pk for e in listed])).values_list("pk", flat=True))
        revisions = _newest(by, case, chosen)
        if not listed and not revisions:
            raise ExportRefused("nothing")
        spoken = Exhibit.objects.filter(runs__verdict__reports__in=chosen).distinct()
        spoken_of = list(visible_to(by, spoken).order_by("pk")[: EXHIBITS_MAX + 1])
        if spoken.count() > len(spoken_of) <= EXHIBITS_MAX:
            raise ExportRefused("rights")
        every = {e.pk: e for e in [*listed, *spoken_of]}
        if len(every) > EXHIBITS_MAX or len(revisions) > REPORTS_MAX:
            raise ExportRefused("too_many")
        content, shown = handed_out(by, case, every.values()), {e.pk for e in listed}
        parts = [(pk, pk in shown, pk in content) for pk in sorted(every)]
        taken = [(revision.report_id, revision.pk) for revision in revisions]
        digest = hashlib.sha256(json.dumps([whole, parts, taken]).encode()).hexdigest()
        pending = Export.objects.filter(ordered_by=by, state__in=PENDING)
        same = pending.filter(case=case, contents_sha256=digest).first()
        if same is not None:
            return same
        if pending.count() >= PENDING_MAX:
            raise ExportRefused("pending")
        made = Export.objects.create(case=case, ordered_by=by, whole=whole, contents_sha256=digest, reports_total=len(taken))
        ExportedExhibit.objects.bulk_create(ExportedExhibit(export=made, exhibit_id=e, listed=s, content=c) for e, s, c in parts)
        ExportedReport.objects.bulk_create(ExportedReport(export=made, report_id=r, revision_id=v) for r, v in taken)
        record("export.order", actor=by, case=case, params={"export": str(made.public_id), "exhibits": len(shown), "reports": len(taken)})
        transaction.on_commit(bell.ring)
    return made


def claim() -> Claim | None:
    """The next waiting export; None when there is nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE exports_export SET
                state = 'running', attempt = attempt + 1, reports_done = 0, bytes_done = 0,
                lease_until = clock_timestamp() + %(lease)s * interval '1 second'
            WHERE id = (
                SELECT id FROM exports_export
                WHERE (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp())) AND attempt < %(cap)s
                ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1
            )
            RETURNING id, attempt
            """,
            {"lease": LEASE_SECONDS, "cap": settings.PORTAL_ATTEMPTS_MAX},
        )
        row = cursor.fetchone()
    return Claim(*row) if row else None


def advance(claim: Claim, *, reports: int, done: int, total: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE exports_export SET reports_done = %s, bytes_done = %s, bytes_total = %s,"
            " lease_until = clock_timestamp() + %s * interval '1 second' WHERE id = %s AND attempt = %s AND state = 'running'",
            [reports, done, total, LEASE_SECONDS, claim.row, claim.attempt],
        )
        return cursor.rowcount == 1


def finish(claim: Claim, *, sha256: str, size: int) -> bool:
    """False: the lease was lost, nothing was written."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE exports_export SET state = 'done', lease_until = NULL, fault = '', sha256 = %s, size = %s,"
            " reports_done = reports_total, bytes_done = bytes_total,"
            " finished_at = clock_timestamp(), expires_at = clock_timestamp() + %s * interval '1 day'"
            " WHERE id = %s AND attempt = %s AND state = 'running'",
            [sha256, size, settings.PORTAL_EXPORT_DAYS, claim.row, claim.attempt],
        )
        if cursor.rowcount != 1:
            return False
        made = Export.objects.select_related("case").get(pk=claim.row)
        record("export.finish", actor=None, case=made.case, subject_digest=sha256, params={"export": str(made.public_id), "size": size})
    return True


def park(claim: Claim, *, fault: str) -> bool:
    """It would fail again; `fault` begins with a code of `working.FAULTS`."""
    return _mine(claim, state="parked", fault=_said(fault))


def give_back(claim: Claim, *, fault: str) -> bool:
    """Another attempt may do better."""
    return _mine(claim, state="queued", fault=_said(fault))


def sweep() -> int:
    """How many bells were rung."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE exports_export SET state = 'parked', lease_until = NULL, fault = CASE WHEN fault = '' THEN 'CRASH' ELSE fault END"
            " WHERE attempt >= %s AND (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))",
            [settings.PORTAL_ATTEMPTS_MAX],
        )
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM exports_export WHERE state = 'queued'"
            " OR (state = 'running' AND lease_until < clock_timestamp()) LIMIT %s) waiting",
            [RINGS_MAX],
        )
        waiting = int(cursor.fetchone()[0])
        cursor.execute("SELECT id FROM exports_export WHERE state = 'done' AND expires_at < clock_timestamp() ORDER BY id LIMIT %s", [EXPIRED_MAX])
        old = [row[0] for row in cursor.fetchall()]
    for pk in old:
        _expire(pk)
    archive.tidy(keep=_kept_names)
    for _ in range(waiting):
        bell.ring()
    return waiting


def _expire(pk: int) -> None:
    """The row first: a crash in between leaves a file that nothing refers to, which the next sweep removes."""
    with transaction.atomic():
        if not Export.objects.filter(pk=pk, state=Export.State.DONE).update(state=Export.State.EXPIRED):
            return
        gone = Export.objects.select_related("case").get(pk=pk)
        record("export.expire", actor=None, case=gone.case, subject_digest=gone.sha256, params={"export": str(gone.public_id)})


def _kept_names() -> set[str]:
    """Beginnings of the names of files that belong to somebody: archives to be had, and attempts at work."""
    rows = Export.objects.filter(state__in=[Export.State.DONE, Export.State.RUNNING]).values_list("public_id", "attempt")
    return {archive.stem(public_id, attempt) for public_id, attempt in rows}


def _newest(by: User, case: Case, reports: Collection[int]) -> list[Revision]:
    """The newest revision of each of these reports of the case that is signed and known to the person, by report number."""
    known = visible_to(by, Report.objects.filter(case=case, pk__in=reports))
    newest = Revision.objects.filter(report__in=known).order_by("report_id", "-number").distinct("report_id").values("pk")
    return list(Revision.objects.filter(pk__in=newest).order_by("report__number"))


def _mine(claim: Claim, **columns: object) -> bool:
    return bool(Export.objects.filter(pk=claim.row, attempt=claim.attempt, state=Export.State.RUNNING).update(lease_until=None, **columns))


def _said(fault: str) -> str:
    return fault[:200].replace("\0", "")
