"""The evidence catalogue 证据目录 of a case, and the docket: what of it waits for whom.

The rows belong to the laboratory (`evidence`), which knows this room and not the other way; they are reached by name.
Every query starts from `visible_to`: what a person may not know is neither listed nor counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Case as WhenCase
from django.db.models import Count, Exists, Expression, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from portal.people.models import User

from .access import PARTY_ROLES, visible_to
from .models import Case, Membership, Role, Side, holds_at

WAITING_SHOWN = 12
"""Rows of one waiting list on the docket; a longer list says how many more there are."""
SUBMISSIONS_SHOWN = 30

NAMED = (Side.PLAINTIFF, Side.DEFENDANT, Side.THIRD)
COURT_ROLES = tuple(r for r in Role if r not in PARTY_ROLES)
IN_PROGRESS = ("queued", "running")
ISSUED = ("signed", "released")
UNRELEASED = ("failed", "preparing", "draft", "checked", "sealing", "signed")
REPORTS_SHOWN = 5
"""Reports on the page of a case; the others are on a page of their own."""
URGENCY = ("INCONSISTENT", "INDETERMINATE", "CONSISTENT")


@dataclass(slots=True)
class Line:
    """One exhibit in a list, with the newest run and the newest verdict this person may know (None: none, or not yet)."""

    exhibit: Any
    run: Any | None = None
    verdict: Any | None = None

    @property
    def waiting(self) -> str:
        """The word shown while there is no verdict."""
        return str(self.run.get_state_display()) if self.run else "–"


@dataclass(slots=True)
class Waiting:
    """A list of what waits for a person, the oldest WAITING_SHOWN; `more` says that there are others.

    How many others is not counted: for a clerk with tens of thousands of exhibits that costs more than it tells.
    """

    lines: list[Line]
    more: bool


@dataclass(slots=True)
class Docketed:
    """A case in the list of a person's cases."""

    case: Case
    roles: list[str]
    exhibits: int


def exhibits(user: User) -> QuerySet[Any]:
    return visible_to(user, apps.get_model("exhibits", "Exhibit").objects.all())


def catalogue(user: User, case: Case) -> QuerySet[Any]:
    """The exhibits of a case that this person may know: by side in the order of the parties, then by number."""
    found = exhibits(user).filter(case=case).select_related("party").annotate(file_count=Count("files"))
    return found.order_by(in_order_of_sides("side"), "number")


def in_order_of_sides(field: str) -> Expression:
    """Plaintiff, defendant, third party: the order in which a court names them."""
    places = (When(**{field: side, "then": Value(n)}) for n, side in enumerate(NAMED))
    return WhenCase(*places, default=Value(len(NAMED)))


def lines(user: User, page: Iterable[Any]) -> list[Line]:
    """The exhibits of one page with their newest run and verdict: one query, whatever the number of exhibits."""
    shown = [Line(exhibit) for exhibit in page]
    by_exhibit = {line.exhibit.pk: line for line in shown}
    runs = apps.get_model("runs", "Run").objects.filter(exhibit__in=by_exhibit).exclude(state="cancelled")
    runs = visible_to(user, runs).select_related("verdict").defer("verdict__document")
    # DISTINCT ON: the newest run of each exhibit; where it is not done, the newest that is.
    newest = runs.order_by("exhibit_id", "-number").distinct("exhibit_id")
    for run in newest:
        line = by_exhibit[run.exhibit_id]
        line.run = run
        line.verdict = run.verdict if run.state == "done" else None
    unfinished = [pk for pk, line in by_exhibit.items() if line.run is not None and line.verdict is None]
    if unfinished:
        for run in newest.filter(exhibit__in=unfinished, state="done"):
            by_exhibit[run.exhibit_id].verdict = run.verdict
    return shown


# ── the docket ────────────────────────────────────────────────────────────────────────────────────────────────────────


def my_cases(user: User, *, query: str = "") -> QuerySet[Case]:
    found = visible_to(user, Case.objects.all()).select_related("court")
    if query:
        found = found.filter(Q(number__icontains=query) | Q(cause__icontains=query))
    return found


def docketed(user: User, page: Iterable[Case]) -> list[Docketed]:
    """The cases of one page with this person's roles in them and the number of exhibits visible: two queries."""
    cases = list(page)
    counts = dict(
        exhibits(user).filter(case__in=cases).order_by().values_list("case").annotate(n=Count("pk"))
    )
    roles: dict[int, list[str]] = {}
    for membership in _mine(user, timezone.now()).filter(case__in=cases).order_by("pk"):
        side = "" if membership.role in COURT_ROLES else f"{membership.get_side_display()} · "
        roles.setdefault(membership.case_id, []).append(f"{side}{membership.get_role_display()}")
    return [Docketed(case, roles.get(case.pk, []), counts.get(case.pk, 0)) for case in cases]


@dataclass(frozen=True, slots=True)
class Capacity:
    """Does this person act anywhere for the court, anywhere for a party? Decides which halves the docket has."""

    court: bool
    party: bool


def capacity(user: User) -> Capacity:
    roles = set(_mine(user, timezone.now()).values_list("role", flat=True))
    return Capacity(court=bool(roles & set(COURT_ROLES)), party=bool(roles & set(PARTY_ROLES)))


def waiting(user: User) -> dict[str, Waiting]:
    """What waits for someone who acts for the court, oldest first in each list:

    parked       runs that gave up and need a person
    unreported   results that no issued report contains yet, contradictions first: to be read, and to be reported
    in_progress  runs waiting or working
    """
    run = apps.get_model("runs", "Run")
    newer = run.objects.filter(exhibit=OuterRef("exhibit"), number__gt=OuterRef("number")).exclude(state="cancelled")
    issued = apps.get_model("reports", "Report").verdicts.through.objects
    issued = issued.filter(report__state__in=ISSUED, runverdict__run__exhibit=OuterRef("exhibit"))
    serving = _mine(user, timezone.now()).filter(role__in=COURT_ROLES, case=OuterRef("exhibit__case"))
    found = (
        visible_to(user, run.objects.filter(Exists(serving), ~Exists(newer)))
        .select_related("exhibit__case", "verdict")
        .defer("verdict__document")
        .order_by("exhibit__submitted_at", "pk")
    )
    return {
        "parked": _first(found.filter(state="parked")),
        "unreported": _first(found.filter(~Exists(issued), state="done")),
        "in_progress": _first(found.filter(state__in=IN_PROGRESS)),
    }


def _first(found: QuerySet[Any]) -> Waiting:
    runs = list(found[: WAITING_SHOWN + 1])
    shown = [Line(run.exhibit, run, run.verdict if run.state == "done" else None) for run in runs[:WAITING_SHOWN]]
    shown.sort(key=lambda line: URGENCY.index(line.verdict.overall) if line.verdict else 0)
    return Waiting(shown, len(runs) > WAITING_SHOWN)


def unissued_reports(user: User) -> list[Any]:
    """Reports ordered but not in the parties' hands: being made, failed, to be checked or signed, or signed and not released."""
    reports = apps.get_model("reports", "Report").objects.filter(state__in=UNRELEASED)
    return list(visible_to(user, reports).select_related("case").order_by("created_at")[:WAITING_SHOWN])


def reports(user: User, case: Case) -> list[Any]:
    """The newest reports of a case that this person may know, REPORTS_SHOWN of them and one more to say that there are others."""
    found = visible_to(user, apps.get_model("reports", "Report").objects.filter(case=case))
    return list(found.order_by("-created_at", "-pk")[: REPORTS_SHOWN + 1])


def submissions(user: User) -> list[Line]:
    """What the person's own side handed in, newest first, wherever the person acts for a party."""
    now = timezone.now()
    mine = _mine(user, now).filter(role__in=PARTY_ROLES, case=OuterRef("case"), side=OuterRef("side"))
    own = exhibits(user).filter(Exists(mine)).select_related("case").order_by("-submitted_at")
    return lines(user, own[:SUBMISSIONS_SHOWN])


def drafts(user: User) -> list[Any]:
    """What the person began to hand in and has not finished, except for a case that is no longer the person's."""
    open_cases = Q(case=None) | Q(case__in=visible_to(user, Case.objects.all()))
    found = apps.get_model("intake", "Draft").objects.filter(open_cases, user=user, exhibit=None, discarded_at=None)
    return list(found.select_related("case").order_by("-updated_at")[:5])


def _mine(user: User, now: datetime) -> QuerySet[Membership]:
    return Membership.objects.filter(holds_at(now), user=user)
