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

from ..models import Case, CaseUserPermission, Membership, Role
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

    Every case-bound action also needs `case.view`, so that the end of a mandate cuts everything at once.
    """
    if not isinstance(user, User) or not user.is_active:
        return DENIED
    now = at or timezone.now()
    case = case_of(thing)
    memberships = list(_valid(Membership.objects.filter(case=case, user=user), now))
    if action != "case.view" and not any(_decide(m, "case.view", case, now) for m in memberships):
        return DENIED
    last = DENIED
    for membership in memberships:
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
    """
    if not isinstance(user, User) or not user.is_active:
        return queryset.none()
    now = at or timezone.now()
    model: Any = queryset.model
    if model is Case:
        return queryset.filter(_member("pk", user, "case.view", now))
    prefix = f"{model.ACCESS_PATH}__" if model.ACCESS_PATH else ""
    case_field, action = f"{prefix}case_id", model.ACCESS_ACTION
    shown = _member(case_field, user, action, now, unconditional=True)
    shown |= model.ACCESS_OPEN & _member(case_field, user, action, now)
    if model.ACCESS_OWN_SIDE:
        shown |= _member(case_field, user, action, now, side=f"{prefix}side")
    return queryset.filter(shown, _member(case_field, user, "case.view", now))


def membership_of(user: User, case: Case, *, at: datetime | None = None) -> Membership | None:
    """The membership through which the user acts in a case, court roles before party roles."""
    found = _valid(Membership.objects.filter(case=case, user=user), at or timezone.now()).select_related("party")
    return min(found, key=lambda m: (m.role in PARTY_ROLES, m.pk), default=None)


def _decide(membership: Membership, action: str, thing: Any, now: datetime) -> Decision:
    column = _column(membership, thing)
    cell = table().cell(column, action)
    if cell == "Y":
        return Decision(True, column, None)
    if cell and cell.startswith("P:"):
        name = cell.removeprefix("P:")
        predicate = PREDICATES.get(name)
        if predicate is not None and predicate(membership, thing, now):
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


def _valid(memberships: QuerySet[Membership], now: datetime) -> QuerySet[Membership]:
    return memberships.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=now), valid_from__lte=now)


def _member(
    case_field: str,
    user: User,
    action: str,
    now: datetime,
    *,
    unconditional: bool = False,
    side: str | None = None,
) -> Q:
    """`EXISTS` a valid membership whose role may `action`, and guardian's row for the same user and case.

    unconditional   only roles whose cell is an outright "Y" (the bench, the clerk): they see every side
    side            the membership's side must equal this field of the outer row
    """
    cells = table().roles_for(action)
    roles = [role for role, cell in cells.items() if cell == "Y" or not unconditional]
    if side is not None:
        # One's own side opens a thing only to roles whose cell says so: a third party waits for release even of its own.
        roles = [role for role in roles if cells[role].startswith("P:own")]
    memberships = _valid(Membership.objects.filter(case_id=OuterRef(case_field), user=user, role__in=roles), now)
    # A mandate without an end is no mandate: the same rule as the predicate `mandate_valid`.
    memberships = memberships.exclude(role=Role.AGENT, valid_to__isnull=True)
    memberships = memberships.exclude(role=Role.THIRD_PARTY, party__isnull=True)
    if side is not None:
        memberships = memberships.filter(side=OuterRef(side))
    row = CaseUserPermission.objects.filter(content_object_id=OuterRef(case_field), user=user)
    return Q(Exists(memberships)) & Q(Exists(row))
