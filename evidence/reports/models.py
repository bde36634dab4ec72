"""Reports issued for the record. Signed bytes never change; a new version is a new row that names the one it replaces.
The database itself refuses the rest (migration 0002)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cases.models import Case, Membership
from evidence.runs.models import RunVerdict


class Report(models.Model):
    class State(models.TextChoices):
        PREPARING = "preparing", _("制作中")
        SIGNED = "signed", _("已签名")
        RELEASED = "released", _("已发布")
        SUPERSEDED = "superseded", _("已被取代")
        REVOKED = "revoked", _("已撤销")
        FAILED = "failed", _("未能制作")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=40, unique=True)
    check_code = models.CharField(max_length=20)
    """Printed beside the number; both are needed to ask about a report in public."""
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    verdicts = models.ManyToManyField(RunVerdict, related_name="reports")
    language = models.CharField(max_length=5, default="zh-en")
    state = models.CharField(max_length=12, choices=State.choices, default=State.PREPARING)
    fault = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    """Starts since it was ordered or tried again."""
    annex_sha256 = models.CharField(max_length=64, blank=True)
    unsigned_sha256 = models.CharField(max_length=64, blank=True)
    signed_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    signature_level = models.CharField(max_length=20, blank=True)
    pages = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reports")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    issued_at = models.DateTimeField(null=True)
    """The moment printed in the report, by the database's clock: with the rows it makes the unsigned bytes again."""
    signed_at = models.DateTimeField(null=True)

    ACCESS_PATH = ""
    ACCESS_ACTION = "report.download"
    ACCESS_OPEN = models.Q(state="released")
    ACCESS_OWN_SIDE = False

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["preparing", "failed"]) | ~models.Q(signed_sha256=""),
                name="report_signed",
            )
        ]

    @property
    def released(self) -> bool:
        return self.state == self.State.RELEASED

    def may_open_to(self, side: str) -> bool:
        """Releasing a report exchanges no exhibit: it opens to a side only if the side may know all that it speaks of."""
        return not self.verdicts.filter(run__exhibit__exchanged=False).exclude(run__exhibit__side=side).exists()

    @staticmethod
    def access_open_to(memberships: models.QuerySet[Membership]) -> models.QuerySet[Membership]:
        """The same as a query: of these memberships in the case of the outer row, those to whose side it may open."""
        hidden = RunVerdict.objects.filter(reports=models.OuterRef(models.OuterRef("pk")), run__exhibit__exchanged=False)
        return memberships.filter(~models.Exists(hidden.exclude(run__exhibit__side=models.OuterRef("side"))))
