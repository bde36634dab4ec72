"""The queue of record for readings: one row for each file, by its digest, and version of the reader; the reading itself lies in
the vault. The database refuses to take a row away or to change what it came to (migration 0001)."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .rendering.models import CourtRender, Renderer

__all__ = ["CourtRender", "FileReading", "Renderer"]


class FileReading(models.Model):
    """Whoever may see a file of an exhibit may see that it was read; the row says nothing about cases, so rights are asked of the
    file (`evidence.exhibits.models.ExhibitFile`), never of this row."""

    class State(models.TextChoices):
        QUEUED = "queued", _("等待读取")
        RUNNING = "running", _("正在读取")
        DONE = "done", _("已读取")
        PARKED = "parked", _("未能读取")

    sha256 = models.CharField(max_length=64)
    """Of the file, in the vault."""
    reader = models.CharField(max_length=60)
    turn = models.PositiveSmallIntegerField(db_default=1, editable=False)
    """A file that was parked and is read once more gets another row; the first one stands."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    """Fencing token, as of a run."""
    lease_until = models.DateTimeField(null=True)
    fault = models.CharField(max_length=200, blank=True)
    """Why it is parked or the last attempt did not end: RESOURCE_LIMIT, TIMEOUT, CRASH of the reader, or a fault of our own."""
    reading_sha256 = models.CharField(max_length=64, blank=True)
    """The canonical reading, in the vault; its pictures lie there under the digests it names."""
    captures = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["sha256", "reader", "turn"], name="read_once")]
        indexes = [models.Index(fields=["id"], condition=models.Q(state__in=["queued", "running"]), name="reading_queue")]
