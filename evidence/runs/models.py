"""The queue of record: one row per verification run, and the verdict it produced (spec reliability §4). The database refuses
to take either away or to change what it says (migration 0002)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from evidence.exhibits.models import Exhibit


class Lane(models.IntegerChoices):
    """Smaller goes first. Exhibits of more than PORTAL_BULK_BYTES take a bulk lane, of which few are worked on at once."""

    INTERACTIVE = 0, "interactive"
    STANDARD = 1, "standard"
    BULK = 2, "bulk"
    REVERIFY = 3, "reverify"
    REVERIFY_BULK = 4, "reverify bulk"


BULK = (Lane.BULK, Lane.REVERIFY_BULK)
OTHERS = tuple(lane for lane in Lane if lane not in BULK)


class Run(models.Model):
    """A run is never edited into another: a retry or re-verification is a new row with the next `number`."""

    class State(models.TextChoices):
        QUEUED = "queued", _("排队中")
        RUNNING = "running", _("核验中")
        DONE = "done", _("已完成")
        PARKED = "parked", _("未能完成")
        CANCELLED = "cancelled", _("已取消")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    lane = models.PositiveSmallIntegerField(choices=Lane.choices, default=Lane.STANDARD)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    """Fencing token: only the holder of the current attempt may finish the run."""
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    stage = models.CharField(max_length=30, blank=True)
    """Where the work stands, for the progress shown to people: copying, verifying, storing, or a step of `telling.STEPS`."""
    stage_file = models.CharField(max_length=255, blank=True, default="", db_default="")
    """In such a step: the file that is read, how many bytes of it were read, and how many it has. The engine's word, from inside
    the jail, as far as it can be true; nothing rests on it."""
    bytes_done = models.BigIntegerField(null=True)
    bytes_total = models.BigIntegerField(null=True)
    fault = models.CharField(max_length=200, blank=True)
    """Why the last attempt did not finish (technical, for the clerk and the operator)."""
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)
    queued_at = models.DateTimeField(db_default=Now(), editable=False)
    rung_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    """When the court opened the result to the parties."""

    # A side sees that its own exhibit is being verified and how it ended; others see it once results are released.
    ACCESS_PATH = "exhibit"
    ACCESS_ACTION = "verify.view_summary"
    ACCESS_OPEN = models.Q(released_at__isnull=False)
    ACCESS_OWN_SIDE = True

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["exhibit", "number"], name="run_number")]
        indexes = [
            models.Index(fields=["lane", "id"], condition=models.Q(state__in=["queued", "running"]), name="run_queue"),
        ]

    @property
    def case(self) -> Case:
        return self.exhibit.case

    @property
    def side(self) -> str:
        return self.exhibit.side

    @property
    def released(self) -> bool:
        return self.released_at is not None


class RunSource(models.Model):
    """What the court itself obtained and hands to the engine beside the exhibit's files: answers of its own nodes, as they came,
    and the record of what was asked (`evidence.connectors.handover`). Written with the run, never a file of the exhibit."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="obtained")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    """Its label in the verdict, `court-node/…`; no file of a party is handed in under such a label (`given`)."""
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    sm3 = models.CharField(max_length=64)

    ACCESS_PATH = "run__exhibit"
    ACCESS_ACTION = "verify.view_detail"
    ACCESS_OPEN = models.Q(run__released_at__isnull=False)
    ACCESS_OWN_SIDE = False

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="source_position"),
            models.UniqueConstraint(fields=["run", "name"], name="source_name"),
            models.CheckConstraint(condition=models.Q(name__startswith="court-node/"), name="source_of_the_court"),
        ]


class RunVerdict(models.Model):
    """The verdict of a run: the exact canonical bytes, and the few columns that lists need. Written once."""

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="verdict")
    document = models.BinaryField()
    """Canonical JSON (`docs/schema/verdict.schema.json`)."""
    sha256 = models.CharField(max_length=64)
    overall = models.CharField(max_length=15, db_index=True)
    grade = models.CharField(max_length=1)
    engine = models.CharField(max_length=60)
    trust_sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    ACCESS_PATH = "run__exhibit"
    ACCESS_ACTION = "verify.view_summary"
    ACCESS_OPEN = models.Q(run__released_at__isnull=False)
    ACCESS_OWN_SIDE = True
