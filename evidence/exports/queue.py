"""Which exports wait to be made: a queue of record (`evidence.queues`).

    order     the row and its parts, in the caller's transaction; the same order while one is pending gives that one
    finish    the archive can be had from now on, for some days
    sweep     also expires what is old and removes what nobody refers to
"""

import hashlib
import json
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from cases.access import visible_to
from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.queues import Queue
from evidence.reports.issuing import IN_FORCE
from evidence.reports.models import Report, Revision
from portal.ledger.entries import record
from portal.people.models import User

from . import archive
from .models import PENDING, Export, ExportedExhibit, ExportedReport
from .rights import handed_out, may_export

EXHIBITS_MAX = 2_000
"""Exhibits in one export, with those that its reports speak of: several times a large case; a bigger one is exported in parts."""
REPORTS_MAX = 500
PENDING_MAX = 3
"""Exports of one person that wait or are made at the same time: each may hold gigabytes."""
EXPORTS = Queue(Export, seconds=300, task="evidence.exports.make.v1", at_rest={"reports_done": 0, "bytes_done": 0})
"""The lease is longer than one file of the largest size takes to copy; prolonged after each."""
EXPIRED_MAX = 200
"""Archives that one sweep removes; the next goes on."""


class ExportRefused(Exception):
    """The order cannot be taken: `too_many` parts, `pending` too many, `rights`, or `nothing` chosen."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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
        transaction.on_commit(EXPORTS.ring)
    return made


def finish(export: Export, *, sha256: str, size: int) -> bool:
    """False: the lease was lost, nothing was written."""
    ends = Now() + timedelta(days=settings.PORTAL_EXPORT_DAYS)
    full = {"reports_done": F("reports_total"), "bytes_done": F("bytes_total")}
    with transaction.atomic():
        if not EXPORTS.finish(export, sha256=sha256, size=size, expires_at=ends, **full):
            return False
        record("export.finish", actor=None, case=export.case, subject_digest=sha256, params={"export": str(export.public_id), "size": size})
    return True


def sweep() -> None:
    EXPORTS.sweep()
    for old in Export.objects.filter(state=Export.State.DONE, expires_at__lt=Now()).order_by("pk").values_list("pk", flat=True)[:EXPIRED_MAX]:
        _expire(old)
    archive.tidy(keep=_kept_names)


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
