"""What the court trusted, when, and on whose word. Rows are only ever added; the database holds that (migration 0002).

A draft is a chain of revisions, each the whole of a pack: the exact bytes of its manifest, which fix every member, and the
members themselves in the vault by digest. What is approved is therefore a digest, and what is published is that digest.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Draft(models.Model):
    """A change that somebody works out (`created_by`) and somebody else decides on."""

    class State(models.TextChoices):
        EDITING = "editing", _("拟定中")
        PROPOSED = "proposed", _("待批准")
        PUBLISHED = "published", _("已批准并发布")
        REJECTED = "rejected", _("已驳回")
        WITHDRAWN = "withdrawn", _("已放弃")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    """What changes and why, in the proposer's words."""
    base = models.ForeignKey("Pack", null=True, on_delete=models.PROTECT, related_name="drafts_on_it")
    """The pack in force when the draft was started or last brought up to date; None before the first pack."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.EDITING)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="trust_drafts")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="trust_decisions"
    )
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    """Why it was rejected."""

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state__in=["published", "rejected"])
                | (models.Q(decided_by__isnull=False) & ~models.Q(decided_by=models.F("created_by"))),
                name="trust_two_persons",
            ),
        ]


class Revision(models.Model):
    """A draft as it stood after one change. `manifest` is byte for byte what would be published."""

    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    manifest = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    """Of `manifest`: the digest that the pack will bear."""
    change = models.CharField(max_length=300)
    made_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["draft", "number"], name="trust_revision_number")]


class Pack(models.Model):
    """A published trust store. The one with the highest number is in force."""

    number = models.PositiveIntegerField(unique=True)
    sha256 = models.CharField(max_length=64, unique=True)
    version = models.CharField(max_length=100)
    manifest = models.BinaryField()
    signature = models.TextField()
    """The signed note that stands beside the pack as `manifest.sig`."""
    previous = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="next")
    """One to one: of two drafts approved at once on the same pack, one is published."""
    draft = models.OneToOneField(Draft, on_delete=models.PROTECT, related_name="pack")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number=1, previous__isnull=True) | models.Q(number__gt=1, previous__isnull=False),
                name="trust_pack_follows",
            ),
            models.CheckConstraint(condition=~models.Q(proposed_by=models.F("approved_by")), name="trust_pack_two_persons"),
        ]
