"""In what standing does a person hand something in, and which drafts are theirs? Everything else is absent (404)."""

import uuid
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from cases.access import PARTY_ROLES, may, visible_to
from cases.models import Case, Membership, Role
from portal.people.models import User

from .models import Draft

SUBMIT = "evidence.submit"


def case_to_submit_in(user: User, number: str) -> Case | None:
    """The case of this number, if the user may submit in it. A case one may not know and a case that does not exist are
    the same None, found by the same query."""
    case = visible_to(user, Case.objects.filter(number=number)).first()
    return case if case is not None and may(user, SUBMIT, case) and memberships(user, case) else None


def memberships(user: User, case: Case, *, at: datetime | None = None) -> list[Membership]:
    """The user's own standings as a party, an agent with a running mandate, or a third party of this case; usually one."""
    now = at or timezone.now()
    held = Membership.objects.filter(case=case, user=user, role__in=PARTY_ROLES, valid_from__lte=now)
    return [
        m
        for m in held.select_related("party").order_by("pk")
        if (m.valid_to is None or now < m.valid_to)
        and not (m.role == Role.AGENT and m.valid_to is None)
        and not (m.role == Role.THIRD_PARTY and m.party_id is None)
    ]


def drafts(user: User) -> QuerySet[Draft]:
    return Draft.objects.filter(user=user, discarded_at=None).select_related("case", "exhibit__case", "user")


def own_draft(user: User | AnonymousUser, draft_id: uuid.UUID) -> Draft:
    """A draft of this user that may still be handed in, or was: the receipt goes with the right to see the exhibit."""
    if not isinstance(user, User):
        raise Http404
    draft = drafts(user).filter(public_id=draft_id).first()
    if draft is None or not _open_to(user, draft):
        raise Http404
    return draft


def open_drafts(user: User) -> list[Draft]:
    """What the user can go on with: not yet submitted, and not in a case that is no longer theirs."""
    return [d for d in drafts(user).filter(exhibit=None) if _open_to(user, d)]


def _open_to(user: User, draft: Draft) -> bool:
    if draft.exhibit is not None:
        return bool(may(user, "evidence.view_meta", draft.exhibit))
    if draft.case is None:
        return True
    return bool(may(user, SUBMIT, draft.case)) and bool(memberships(user, draft.case))
