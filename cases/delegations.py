"""What the presiding judge has handed on to others in a case: predicate `delegated` of the permission table (court-domain §8).

A delegation is of one action, in one case, to one person, by one presiding judge; it holds until it is taken back, and only while whoever
gave it presides over the case and whoever was given it serves there. Giving and taking back are acts in the ledger; a row is ended, never changed.
The table says which roles may be given what: nothing can be handed on that its column does not name.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.ledger.entries import record
from portal.people.models import User

if TYPE_CHECKING:
    from .models import Membership

OFFERED = {"report.release": _("向当事人开放、送达核验报告")}
"""Actions of the table with cells `P:delegated` that the portal has; what it does not do yet is not offered."""


class NotDelegable(ValueError):
    """Not this action, not to this person, or not by this one."""


class Delegation(models.Model):
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="delegations")
    action = models.CharField(max_length=40)
    """A name of the permission table."""
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "action", "to"], condition=Q(ended_at__isnull=True), name="delegation_once"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="delegation_ended_by_somebody",
            ),
        ]

    @property
    def words(self) -> str:
        return str(OFFERED.get(self.action, self.action))

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise NotImplementedError("a delegation is ended, never deleted")


def give(case: models.Model, action: str, *, to: User, by: User) -> Delegation:
    """Hand `action` on. Given twice, it is the same. Raises NotDelegable."""
    from .models import Case

    with transaction.atomic():
        locked = Case.objects.select_for_update().get(pk=case.pk)
        if action not in OFFERED or not presides(by, locked) or to.pk not in {m.user_id for m in recipients(locked, action)}:
            raise NotDelegable(action)
        held = holding(timezone.now()).filter(case=locked, action=action, to=to).first()
        if held is not None:
            return held
        # What a judge who has left gave is over by itself; it is closed by whoever gives anew.
        for lapsed in Delegation.objects.filter(case=locked, action=action, to=to, ended_at__isnull=True):
            _end(lapsed, by=by)
        record("case.delegate", actor=by, case=locked, params={"person": str(to.public_id), "action": action})
        return Delegation.objects.create(case=locked, action=action, to=to, by=by)


def end(delegation: Delegation, *, by: User) -> None:
    """Take it back: any presiding judge of the case. Twice is once. Raises NotDelegable."""
    with transaction.atomic():
        row = Delegation.objects.select_for_update(of=("self",)).select_related("case", "to").get(pk=delegation.pk)
        if not presides(by, row.case):
            raise NotDelegable(row.action)
        if row.ended_at is None:
            _end(row, by=by)


def _end(row: Delegation, *, by: User) -> None:
    row.ended_at, row.ended_by = timezone.now(), by
    row.save(update_fields=["ended_at", "ended_by"])
    record("case.undelegate", actor=by, case=row.case, params={"person": str(row.to.public_id), "action": row.action})


def holding(now: datetime) -> QuerySet[Delegation]:
    """Delegations that hold at `now`: not taken back, and whoever gave them presides over the case still."""
    presiding = _presiding(now).filter(case=OuterRef("case"), user=OuterRef("by"))
    return Delegation.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=now), Exists(presiding), at__lte=now)


def presides(user: User, case: models.Model) -> bool:
    return _presiding(timezone.now()).filter(case=case, user=user).exists()


def _presiding(now: datetime) -> "QuerySet[Membership]":
    from .models import Membership, Role, holds_at

    return Membership.objects.filter(holds_at(now), role=Role.PRESIDING_JUDGE, user__is_active=True)


def recipients(case: models.Model, action: str) -> "list[Membership]":
    """The memberships of the case now to whom the table lets `action` be handed on, oldest first."""
    from .access.matrix import table
    from .models import Membership, holds_at

    roles = [role for role, cell in table().actions[action]["cells"].items() if cell == "P:delegated"]
    held = Membership.objects.filter(holds_at(timezone.now()), case=case, role__in=roles, user__is_active=True)
    return list(held.select_related("user").order_by("pk"))
