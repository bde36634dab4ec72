"""What a party is preparing to hand in: a draft and its uploads. Only the drafting user can see them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from evidence.exhibits.models import Exhibit


class Draft(models.Model):
    """Answers of the mini-court form, kept from step to step and from device to device."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="drafts")
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT)
    answers = models.JSONField(default=dict)
    """step name -> cleaned answers of that step (`evidence.intake.forms`)."""
    exhibit = models.OneToOneField(Exhibit, null=True, on_delete=models.PROTECT, related_name="draft")
    """Set in the transaction that submits; a second submit of the same draft finds it and changes nothing."""
    idempotency_key = models.CharField(max_length=100, blank=True)
    """The key under which it was submitted: the same person's same key always leads to the same exhibit."""
    discarded_at = models.DateTimeField(null=True)
    """When its owner gave it up. The row stays, so that the bounds on what a person sends cannot be reset."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="draft_idempotency_key",
            )
        ]


class Upload(models.Model):
    """One file on its way in. The bytes grow in the vault's staging area; the row says how far they are."""

    class State(models.TextChoices):
        ARRIVING = "arriving", _("上传中")
        ARRIVED = "arrived", _("已收到")
        REFUSED = "refused", _("未接收")
        REMOVED = "removed", _("已移除")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="uploads")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    declared_type = models.CharField(max_length=100, blank=True)
    head_sha256 = models.CharField(max_length=64, blank=True)
    """SHA-256 of the first part, told by the device: with name and size it recognises a file chosen again."""
    device_sha256 = models.CharField(max_length=64, blank=True)
    device_sm3 = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    sm3 = models.CharField(max_length=64, blank=True)
    detected_type = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ARRIVING)
    refusal = models.CharField(max_length=30, blank=True)
    """UPLOAD_… code of court-domain §10 when refused."""
    warnings = models.JSONField(default=list)
    """What quarantine noticed about a file it took: [{"code": …, "detail": …}] (`evidence.intake.quarantine`)."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    touched_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["draft", "position"], name="upload_position")]

    @property
    def staging_id(self) -> str:
        """The name of its bytes in the vault's staging area."""
        return self.public_id.hex
