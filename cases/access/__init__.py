"""Every right is asked here, per case and per object (DESIGN rule 6).

`may(user, action, thing)` decides one act; `visible_to(user, queryset)` is the same rule as a query, for lists and for
look-ups: what is not visible is absent (404), and nobody can learn that it exists.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from portal.people.models import User

from ..models import Case, CaseUserPermission, Membership, Role, holds_at
from .matrix import table
from .predicates import PREDICATES, case_of

M = TypeVar("M", bound=Model)

PARTY_ROLES = (Role.LITIGANT, Role.AGENT, Role.THIRD_PARTY)


@dataclass(frozen=True, slots=True)
class Decision:
    """`role` and `predicate` say which cell decided, for the audit; a denial says which was tried last."""

    allow: bool
    role: str | None
    predicate: str | None

    def __bool__(self) -> bool:
        return self.allow


DENIED = Decision(False, None, None)


def may(user: User | AnonymousUser, action: str, thing: Any, *, at: datetime | None = None) -> Decision:
    """May `user` do `action` (a name of the permission table) to `thing` (a case, or what belongs to one) now?

    Every case-bound action also needs `case.view` through the same membership, so that the end of a mandate cuts everything
    at once, also for somebody who is of the case in another capacity.
    """
    if not isinstance(user, User) or not user.is_active:
        return DENIED
    now = at or timezone.now()
    case = case_of(thing)
    last = DENIED
    for membership in Membership.objects.filter(holds_at(now), case=case, user=user):
        if not _decide(membership, "case.view", case, now):
            continue
        last = _decide(membership, action, thing, now)
        if last:
            return last
    return last


def demand(user: User | AnonymousUser, action: str, thing: Any) -> Decision:
    """`may`, or the same 404 as for a thing that does not exist."""
    decision = may(user, action, thing)
    if not decision:
        raise Http404
    return decision


def visible_to(user: User | AnonymousUser, queryset: QuerySet[M], *, at: datetime | None = None) -> QuerySet[M]:
    """The rows of `queryset` that `user` may know.

    A case is visible by `case.view`. Any other model says how it is reached, in three attributes:
        ACCESS_PATH     the way to the row that carries `case` and `side` ("" for that row itself, "exhibit", "run__exhibit")
        ACCESS_ACTION   the action of the permission table that shows it
        ACCESS_OPEN     the condition, beside one's own side, under which a conditional cell shows it (exchanged, released)
    and may narrow, by `access_open_to(memberships)`, to which sides that condition opens it.
    """
    if not isinstance(user, User) or not user.is_active:
        return queryset.none()
    now = at or timezone.now()
    model: Any = queryset.model
    if model is Case:
        return queryset.filter(_of_the_case("pk", user, now))
    prefix = f"{model.ACCESS_PATH}__" if model.ACCESS_PATH else ""
    case_field = f"{prefix}case_id"
    # What a presiding judge delegates is done to one thing at a time (`may`); it opens no list.
    cells = {role: cell for role, cell in table().roles_for(model.ACCESS_ACTION).items() if cell != "P:delegated"}
    always = Q(role__in=[role for role, cell in cells.items() if cell == "Y"])
    if model.ACCESS_OWN_SIDE:
        # One's own side opens a thing only to roles whose cell says so: a third party waits for release even of its own.
        own = [role for role, cell in cells.items() if cell.startswith("P:own")]
        always |= Q(role__in=own, side=OuterRef(f"{prefix}side"))
    here = _memberships(case_field, user, now)
    opened = here.filter(role__in=list(cells))
    if hasattr(model, "access_open_to"):
        opened = model.access_open_to(opened)
    shown = Q(Exists(here.filter(always))) | model.ACCESS_OPEN & Q(Exists(opened))
    return queryset.filter(shown, _of_the_case(case_field, user, now))


def cases_where(user: User | AnonymousUser, action: str, *, at: datetime | None = None) -> QuerySet[Case]:
    """The cases in which `user` may do `action` whatever it is done to: a valid membership whose cell says "Y" without condition."""
    if not isinstance(user, User) or not user.is_active:
        return Case.objects.none()
    now = at or timezone.now()
    seeing = {role for role, cell in table().roles_for("case.view").items() if cell == "Y"}
    roles = [role for role, cell in table().roles_for(action).items() if cell == "Y" and role in seeing]
    here = _memberships("pk", user, now).filter(role__in=roles)
    return Case.objects.filter(Exists(here), _of_the_case("pk", user, now))


def who_may(action: str, thing: Any, *, at: datetime | None = None) -> list[Membership]:
    """The memberships through which somebody may do `action` to `thing` now, oldest first, each person once: to tell people
    whom to ask. One query, whatever the number of people; of an action that can be delegated, one more for each who may be given it."""
    now, case = at or timezone.now(), case_of(thing)
    here = Membership.objects.filter(holds_at(now), case=case, user__is_active=True).select_related("user").order_by("pk")
    found: dict[int, Membership] = {}
    for membership in here:
        if _decide(membership, "case.view", case, now) and _decide(membership, action, thing, now):
            found.setdefault(membership.user_id, membership)
    return list(found.values())


def membership_of(user: User, case: Case, *, at: datetime | None = None) -> Membership | None:
    """The membership through which the user acts in a case, court roles before party roles."""
    found = Membership.objects.filter(holds_at(at or timezone.now()), case=case, user=user).select_related("party")
    return min(found, key=lambda m: (m.role in PARTY_ROLES, m.pk), default=None)


def _decide(membership: Membership, action: str, thing: Any, now: datetime) -> Decision:
    column = _column(membership, thing)
    cell = table().cell(column, action)
    if cell == "Y":
        return Decision(True, column, None)
    if cell and cell.startswith("P:"):
        name = cell.removeprefix("P:")
        predicate = PREDICATES.get(name)
        if predicate is not None and predicate(membership, thing, now, action):
            return Decision(True, column, name)
    return DENIED


def _column(membership: Membership, thing: Any) -> str:
    """The column of the table: a party meeting another side's item is `opposing` (court-domain §8 rule 3).

    For the case itself it stays what it is: whoever is of the case by a mandate needs the mandate, on either side.
    """
    if membership.role not in (Role.LITIGANT, Role.AGENT):
        return membership.role
    side = getattr(thing, "side", None)
    return "opposing" if side is not None and side != membership.side else membership.role


def _memberships(case_field: str, user: User, now: datetime) -> QuerySet[Membership]:
    """The user's valid memberships in the case of the outer row, to be asked with `EXISTS`."""
    here = Membership.objects.filter(holds_at(now), case_id=OuterRef(case_field), user=user)
    # A mandate without an end is no mandate: the same rule as the predicates `mandate_valid` and `joined`.
    here = here.exclude(role=Role.AGENT, valid_to__isnull=True)
    return here.exclude(role=Role.THIRD_PARTY, party__isnull=True)


def _of_the_case(case_field: str, user: User, now: datetime) -> Q:
    """`case.view`: a valid membership whose role may see the case, and guardian's row for the same user and case."""
    members = _memberships(case_field, user, now).filter(role__in=list(table().roles_for("case.view")))
    row = CaseUserPermission.objects.filter(content_object_id=OuterRef(case_field), user=user)
    return Q(Exists(members)) & Q(Exists(row))
