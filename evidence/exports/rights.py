"""Who may order and take an export: somebody with `report.download` in the case without condition, that is, of the court's side.

Asked twice: when it is ordered, and of every part once more at each download. All questions are queries over the whole set, so that
their number does not grow with the exhibits.
"""

from collections.abc import Collection

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, QuerySet

from cases.access import cases_where, may, visible_to
from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.reports.models import Report
from portal.people.models import User

from .models import Export


def may_export(user: User | AnonymousUser, case: Case) -> bool:
    return cases_where(user, "report.download").filter(pk=case.pk).exists()


def handed_out(user: User | AnonymousUser, case: Case, exhibits: Collection[Exhibit]) -> set[int]:
    """Keys of those exhibits whose files may go along: none of a sealed case, none that is confidential by itself, and of the others
    those whose content the person may have.

    An archive is made to be passed on, and what was passed on cannot be called back: what is closed goes as its digest (court-domain D57).
    Whoever may read it takes it from the exhibit's own page, one act in the ledger for each file."""
    if case.sealed:
        return set()
    open_ = [e for e in exhibits if not e.confidential]
    if cases_where(user, "evidence.view_content").filter(pk=case.pk).exists():
        return {e.pk for e in open_}
    return {e.pk for e in open_ if may(user, "evidence.view_content", e)}


def closed_since(user: User, export: Export) -> str:
    """Why this person may not have the archive (any more), "" if nothing stands against it.

    case       no right to export in the case
    exhibits   an exhibit or a report in it may no longer be known to the person
    content    files in it may no longer be handed out: the case was sealed, or an exhibit closed
    """
    case = Case.objects.get(pk=export.case_id)
    if not may_export(user, case):
        return "case"
    parts: QuerySet[Exhibit] = Exhibit.objects.filter(pk__in=export.exhibits.values("exhibit"))
    counted = export.exhibits.aggregate(all=Count("pk"))["all"]
    reports = Report.objects.filter(pk__in=export.reports.values("report"))
    if visible_to(user, parts).count() != counted or visible_to(user, reports).count() != export.reports.count():
        return "exhibits"
    with_files = list(Exhibit.objects.filter(pk__in=export.exhibits.filter(content=True).values("exhibit")).select_related("case"))
    if {e.pk for e in with_files} - handed_out(user, case, with_files):
        return "content"
    return ""
