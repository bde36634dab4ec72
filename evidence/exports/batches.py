"""Reports for many chosen exhibits with one press: one for each, or one for all. Nothing is issued by it: drafts are made, and each goes
through the hands that every report goes through.

Nothing is ordered twice, whoever presses, in whatever window: the case is locked, and a report that is alive on the same results is
taken instead of a new one. One that failed is alive: it is tried again (`retry`), not replaced. An exhibit whose own report in force
speaks of an earlier result gets none: that report is corrected or supplemented, with a reason, where the life of a report is decided.
"""

import hashlib
import json
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from cases.access import may, visible_to
from cases.catalogue import in_order_of_sides
from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.reports import decisions, issuing
from evidence.reports.models import Report
from evidence.runs.models import RunVerdict
from portal.ledger.entries import record
from portal.people.models import User

from .models import Batch, BatchItem

EACH_MAX = 500
"""Reports ordered with one press: a day's work of a worker at a minute each, and as many as one export holds."""
GROUP_MAX = 500
"""Exhibits in one report, as `evidence.reports.views`; beyond 50 in volumes."""
ALIVE = (*issuing.OPEN, Report.State.FAILED, *issuing.IN_FORCE)


class BatchRefused(Exception):
    """Not ordered: `rights`, `nothing` chosen, `no_verdict` on any of them, or `too_many`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def order(case: Case, exhibits: QuerySet[Exhibit], *, by: User, mode: str, language: str, key: UUID) -> Batch:
    """Order what is lacking. The same form again, and the same choice while nothing is lacking, give the batch there is. BatchRefused."""
    mode, language = Batch.Mode(mode), Report.Language(language)
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=case.pk)
        if not may(by, "report.generate", case):
            raise BatchRefused("rights")
        most = EACH_MAX if mode == Batch.Mode.EACH else GROUP_MAX
        chosen = list(visible_to(by, exhibits.filter(case=case)).order_by(in_order_of_sides("side"), "number")[: most + 1])
        if not chosen:
            raise BatchRefused("nothing")
        if len(chosen) > most:
            raise BatchRefused("too_many")
        digest = hashlib.sha256(json.dumps([mode, language, sorted(e.pk for e in chosen)]).encode()).hexdigest()
        before = Batch.objects.filter(case=case, ordered_by=by, contents_sha256=digest)
        same = before.filter(key=key).first()
        if same is not None:
            return same
        verdicts = {v.run.exhibit_id: v for v in issuing.latest(Exhibit.objects.filter(pk__in=[e.pk for e in chosen]))}
        if not verdicts:
            raise BatchRefused("no_verdict")
        found = _each(case, verdicts.values(), language) if mode == Batch.Mode.EACH else _group(case, verdicts.values(), language)
        earlier = _earlier(case, [e for e in verdicts if e not in found]) if mode == Batch.Mode.EACH else {}
        lacking = [v for e, v in verdicts.items() if e not in found and e not in earlier]
        obstacles = {e.pk: _obstacle(e, verdicts=verdicts, earlier=earlier) for e in chosen}
        newest = before.first()
        if newest is not None and not lacking:
            there = {e.pk: (report.pk if (report := found.get(e.pk) or earlier.get(e.pk)) else None, obstacles[e.pk]) for e in chosen}
            if there == {exhibit: (report, why) for exhibit, report, why in newest.items.values_list("exhibit", "report", "obstacle")}:
                return newest
        if mode == Batch.Mode.EACH:
            made = dict(zip((v.run.exhibit_id for v in lacking), issuing.order_each(case, lacking, by=by, language=language), strict=True))
        else:
            one = issuing.order(case, lacking, by=by, language=language) if lacking else None
            made = {v.run.exhibit_id: one for v in lacking if one is not None}
        batch = Batch.objects.create(case=case, ordered_by=by, mode=mode, language=language, key=key, contents_sha256=digest)
        BatchItem.objects.bulk_create(
            BatchItem(
                batch=batch,
                exhibit=exhibit,
                report=made.get(exhibit.pk) or found.get(exhibit.pk) or earlier.get(exhibit.pk),
                found=exhibit.pk in found,
                obstacle=obstacles[exhibit.pk],
            )
            for exhibit in chosen
        )
        ordered = len({report.pk for report in made.values()})
        record("report.batch", actor=by, case=case, params={"batch": str(batch.public_id), "exhibits": len(chosen), "reports": ordered})
    return batch


def reports_of(batch: Batch) -> QuerySet[Report]:
    """Each report of the batch once, without those that stand in the way of one."""
    return Report.objects.filter(pk__in=batch.items.filter(obstacle="").values("report"))


def retry(batch: Batch, *, by: User) -> tuple[int, list[str]]:
    """Try the failed ones again, nothing else: how many, and in plain words why one was not."""
    tried, refused = 0, []
    failed = reports_of(batch).filter(state=Report.State.FAILED).exclude(fault__contains=issuing.CHANGED)
    for report in failed.select_related("case").order_by("number"):
        try:
            decisions.retry(report, by=by)
            tried += 1
        except decisions.Refused as why:
            refused.append(f"{report.number}: {why}")
    return tried, refused


def _each(case: Case, verdicts: Iterable[RunVerdict], language: str) -> dict[int, Report]:
    """Exhibit -> a report that is alive on its newest result alone; one in force before one that is not, the newest of several."""
    alone = _alone(Report.objects.filter(case=case, language=language, state__in=ALIVE))
    rows = Report.verdicts.through.objects.filter(report__in=alone, runverdict__in=[v.pk for v in verdicts])
    found: dict[int, Report] = {}
    for row in rows.select_related("report", "runverdict__run").defer("runverdict__document").order_by("report"):
        exhibit, former = row.runverdict.run.exhibit_id, found.get(row.runverdict.run.exhibit_id)
        if former is None or former.state not in issuing.IN_FORCE or row.report.state in issuing.IN_FORCE:
            found[exhibit] = row.report
    return found


def _alone(reports: QuerySet[Report]) -> list[int]:
    """Keys of those that speak of one exhibit only."""
    return list(reports.annotate(spoken_of=Count("verdicts")).filter(spoken_of=1).order_by().values_list("pk", flat=True))


def _group(case: Case, verdicts: Iterable[RunVerdict], language: str) -> dict[int, Report]:
    wanted = {v.pk: v.run.exhibit_id for v in verdicts}
    alive = issuing.exactly_on(Report.objects.filter(case=case, language=language, state__in=ALIVE), wanted.keys())
    report = alive.filter(state__in=issuing.IN_FORCE).order_by("-pk").first() or alive.order_by("-pk").first()
    return dict.fromkeys(wanted.values(), report) if report is not None else {}


def _earlier(case: Case, exhibits: Iterable[int]) -> dict[int, Report]:
    """Exhibit -> its own report in force, in whatever language: on an earlier result, for there is none on the newest in this language."""
    in_force = _alone(Report.objects.filter(case=case, state__in=issuing.IN_FORCE))
    newer = RunVerdict.objects.filter(run__exhibit=OuterRef("runverdict__run__exhibit"), run__state="done", run__number__gt=OuterRef("runverdict__run__number"))
    rows = Report.verdicts.through.objects.filter(Exists(newer), report__in=in_force, runverdict__run__exhibit__in=list(exhibits))
    return {row.runverdict.run.exhibit_id: row.report for row in rows.select_related("report", "runverdict__run").defer("runverdict__document").order_by("report")}


def _obstacle(exhibit: Exhibit, *, verdicts: dict[int, RunVerdict], earlier: dict[int, Report]) -> str:
    if exhibit.pk not in verdicts:
        return BatchItem.Obstacle.NO_VERDICT
    return BatchItem.Obstacle.EARLIER if exhibit.pk in earlier else ""
