"""The queue of record for comparisons: one row for two texts or two pictures, by digest, and version of the method; the result lies in
the vault. The database refuses to take a row away or to change what it came to (migration 0001)."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ComparedPair(models.Model):
    """The row says nothing about cases and is reached from no address: rights are asked of the two exhibits, never of this row.

    left_sha256, right_sha256   of two readings or two pictures, in the vault; `*_item` the capture in the reading, 0 for pictures
    (left_sha256, left_item) ≤ (right_sha256, right_item): a pair is compared once, whichever side is called left on a page
    """

    class What(models.TextChoices):
        TEXTS = "texts", _("文字")
        PICTURES = "pictures", _("图像")

    class State(models.TextChoices):
        QUEUED = "queued", _("等待比较")
        RUNNING = "running", _("正在比较")
        DONE = "done", _("已比较")
        PARKED = "parked", _("未能比较")

    what = models.CharField(max_length=10, choices=What.choices)
    left_sha256 = models.CharField(max_length=64)
    left_item = models.PositiveSmallIntegerField()
    right_sha256 = models.CharField(max_length=64)
    right_item = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    """Fencing token, as of a run."""
    lease_until = models.DateTimeField(null=True)
    fault = models.CharField(max_length=200, blank=True)
    """Why it is parked or the last attempt did not end."""
    result_sha256 = models.CharField(max_length=64, blank=True)
    queued_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["what", "left_sha256", "left_item", "right_sha256", "right_item", "method"], name="compared_once"
            )
        ]
        indexes = [models.Index(fields=["id"], condition=models.Q(state__in=["queued", "running"]), name="comparison_queue")]
