"""Offices: what a person is in the court as a whole, not in one case (spec court-domain §2, §8).

A case's roles follow from memberships; what concerns the whole court, its trust store first of all, belongs to an office. An
office opens no case: its cells of the permission table have no content (court-domain §8, notable denials).
"""

from datetime import datetime

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from portal.ledger.entries import record
from portal.people.models import User


class Office(models.Model):
    """`user` holds `post` from `valid_from` until `valid_to` (None: no end set). Ended, never deleted."""

    class Post(models.TextChoices):
        """Columns of `permission_matrix.json` that are offices of the court."""

        SYSADMIN = "sysadmin", _("系统管理员")
        AUDITOR = "auditor", _("审计/督察")
        SUPERVISOR = "supervisor", _("院庭长（监督）")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="offices")
    post = models.CharField(max_length=20, choices=Post.choices)
    valid_from = models.DateTimeField(db_default=Now())
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "post"], condition=models.Q(valid_to__isnull=True), name="office_once"),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from")), name="office_interval"
            ),
        ]

    @classmethod
    def give(cls, user: User, post: str, *, by: User | None = None) -> "Office":
        """Appoint `user`; whoever holds the office already keeps it. `by` None: at the machine's own console."""
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            held = cls.objects.filter(user=user, post=post, valid_to__isnull=True).first()
            if held is not None:
                return held
            record("office.give", actor=by, params={"person": str(user.public_id), "post": cls.Post(post).value})
            return cls.objects.create(user=user, post=post)

    def end(self, *, at: datetime, by: User | None = None) -> None:
        """The office ends; the row stays, the right goes."""
        with transaction.atomic():
            self.valid_to = max(at, self.valid_from)
            self.save(update_fields=["valid_to"])
            record("office.end", actor=by, params={"person": str(self.user.public_id), "post": self.post})

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise NotImplementedError("an office is ended, never deleted")
