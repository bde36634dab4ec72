"""The custody of the exhibits of a report, from the court's own ledger of acts (court-domain §11.1 no. 11).

Each event carries the leaf hash of its entry (RFC 6962), so that it can be proved against any signed head of the ledger.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from cases.models import Case, Membership
from evidence.exhibits.models import Exhibit
from portal.ledger.entries import sentence
from portal.ledger.models import Detail
from portal.people.models import User

from .wording import ROLES, Words

EVENTS_MAX = 500
"""Events carried by one report, the latest ones; an exhibit that was looked at more often says so by its number."""


@dataclass(frozen=True, slots=True)
class Event:
    """`actor_role` is the role in this case, never the name; `exhibit` the public id, empty for acts on the report."""

    at: datetime
    act: str
    words: Words
    actor_role: str
    exhibit: str
    leaf_hash: str

    @property
    def role(self) -> Words:
        return ROLES[self.actor_role]


def events(
    case: Case, exhibits: Iterable[Exhibit], *, report: str, until: datetime, within: frozenset[str] | None = None
) -> tuple[Event, ...]:
    """What happened to `exhibits` and to the report numbered `report`, in order, up to `until`.

    within   leaf hashes (hex): only these, where the list was settled before
    """
    ids = [str(e.public_id) for e in exhibits]
    about = Q(params__contains=f'"report":"{report}"')
    for one in ids:
        about |= Q(params__contains=f'"exhibit":"{one}"')
    found = Detail.objects.filter(about, case=str(case.public_id), at__lte=until)
    if within is not None:
        found = found.filter(entry__leaf_hash__in=[bytes.fromhex(leaf) for leaf in within])
    details = list(found.select_related("entry").order_by("-entry_id")[:EVENTS_MAX])
    roles = _roles(case, {d.actor for d in details if d.actor})
    return tuple(
        Event(
            at=detail.at,
            act=detail.act,
            words=Words(sentence(detail, language="zh"), sentence(detail, language="en")),
            actor_role=roles.get(detail.actor, "") if detail.actor else "system",
            exhibit=str(json.loads(detail.params).get("exhibit", "")),
            leaf_hash=bytes(detail.entry.leaf_hash).hex(),
        )
        for detail in reversed(details)
    )


def _roles(case: Case, actors: set[str]) -> dict[str, str]:
    """Public id of a person -> the role in the case; the earliest one where there were several."""
    people = {u.pk: str(u.public_id) for u in User.objects.filter(public_id__in=actors)}
    found: dict[str, str] = {}
    for membership in Membership.objects.filter(case=case, user_id__in=people).order_by("pk"):
        found.setdefault(people[membership.user_id], membership.role)
    return found
