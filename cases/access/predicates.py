"""The conditions of the permission table, evaluated live for one membership and one object.

A predicate named in the table but not written here denies (`matrix.Table`): a right nobody has defined is no right.
The last argument is the action asked about. `thing` is a Case, or anything with a `case` and, where sides matter, a `side` and `exchanged`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..delegations import holding
from ..models import Case, Membership

Predicate = Callable[[Membership, Any, datetime, str], bool]


def own(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    return bool(getattr(thing, "side", None) == membership.side)


def own_or_exchanged(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    return own(membership, thing, now, action) or bool(getattr(thing, "exchanged", False))


def own_or_exchanged_and_clearance(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    return own_or_exchanged(membership, thing, now, action) and not getattr(thing, "confidential", False)


def released(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    """Released to the side: a thing that speaks of several exhibits says itself which sides that opens it to."""
    return bool(getattr(thing, "released", False)) and getattr(thing, "may_open_to", _to_all)(membership.side)


def _to_all(side: str) -> bool:
    return True


def own_or_released(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    return own(membership, thing, now, action) or released(membership, thing, now, action)


def window_open(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    """Material is always receivable (court-domain D23): past the deadline the act is marked late, never refused."""
    return True


def mandate_valid(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    return membership.valid_to is not None and now < membership.valid_to


def joined(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    """Served, identified and linked to the case: which is what makes a membership of a party's side."""
    return membership.party_id is not None


def second_person(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    """Another user than the one who made the thing."""
    maker = getattr(thing, "created_by_id", None)
    return maker is not None and maker != membership.user_id


def delegated(membership: Membership, thing: Any, now: datetime, action: str) -> bool:
    """The presiding judge delegated this very action to this person, has not taken it back, and presides over the case still."""
    return holding(now).filter(case=case_of(thing), action=action, to=membership.user_id).exists()


PREDICATES: dict[str, Predicate] = {
    "own": own,
    "own_or_exchanged": own_or_exchanged,
    "own_or_exchanged_and_clearance": own_or_exchanged_and_clearance,
    "released": released,
    "own_or_released": own_or_released,
    "window_open": window_open,
    "mandate_valid": mandate_valid,
    "joined": joined,
    "second_person": second_person,
    "delegated": delegated,
}


def case_of(thing: Any) -> Case:
    return thing if isinstance(thing, Case) else thing.case
