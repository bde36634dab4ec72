"""Rights that belong to an office of the court and to no case: `policy.trust` and what goes with it.

The same table, default deny; the column is the office. `report.drill`, `trust.view` and `trust.propose` stand in it beside `policy.trust` (two
persons): the first of two people cannot be held to a condition on the second, and looking changes nothing. A membership of some case as auditor or supervisor gives none of them,
and an office gives no right in any case.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils import timezone

from portal.people.models import User

from ..models import Office, holds_at
from . import DENIED, Decision
from .matrix import table

COURT_WIDE = frozenset({"trust.view", "trust.propose", "policy.trust", "report.drill"})
"""Actions of the table that are decided here, and here only."""


def may_in_office(user: User | AnonymousUser, action: str, thing: Any = None, *, at: datetime | None = None) -> Decision:
    """May `user` do `action` by an office? `thing` is what a condition looks at: for `second_person`, whose `created_by_id` it is."""
    if action not in COURT_WIDE or not isinstance(user, User) or not user.is_active:
        return DENIED
    cells = table().roles_for(action)
    for post in _posts(user, at or timezone.now()):
        cell = cells.get(post)
        if cell == "Y":
            return Decision(True, post, None)
        if cell == "P:second_person":
            maker = getattr(thing, "created_by_id", None)
            if maker is not None and maker != user.pk:
                return Decision(True, post, "second_person")
    return DENIED


def demand_in_office(user: User | AnonymousUser, action: str, thing: Any = None) -> Decision:
    """`may_in_office`, or the same 404 as for a page that does not exist."""
    decision = may_in_office(user, action, thing)
    if not decision:
        raise Http404
    return decision


def _posts(user: User, now: datetime) -> list[str]:
    return list(Office.objects.filter(holds_at(now), user=user).order_by("pk").values_list("post", flat=True))
