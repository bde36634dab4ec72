"""The queue of record for exports, and what each of them holds. The row stays; the archive is no record and is removed after some days.

    queued ⇄ running ─ done ─ expired        parked: from queued or running

The parts are settled when it is ordered and never change: the database refuses it (migrations 0001, 0002). So are batches of reports.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.reports.models import Report, Revision

PENDING = ("queued", "running")


class Export(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", _("等待打包")
        RUNNING = "running", _("正在打包")
        DONE = "done", _("可以下载")
        PARKED = "parked", _("未能打包")
        EXPIRED = "expired", _("已到期删除")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="exports")
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField(db_default=Now(), editable=False)
    whole = models.BooleanField(default=False)
    """Every exhibit of the case, and every report in force, as of the order."""
    contents_sha256 = models.CharField(max_length=64)
    """Of the parts: the same order pressed twice has the same."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    """Fencing token, as of a run; part of the name of the archive."""
    lease_until = models.DateTimeField(null=True)
    fault = models.CharField(max_length=200, blank=True)
    """Why it is parked or the last attempt did not end: a code of `working`, ": " and particulars, or a fault of our own."""
    reports_total = models.PositiveIntegerField(default=0)
    reports_done = models.PositiveIntegerField(default=0)
    bytes_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    """Of the parties' files; shown and nothing else."""
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    ACCESS_PATH = ""
    ACCESS_ACTION = "report.download"
    # For those of the court's side alone: nothing ever opens an export to somebody whose right has a condition.
    ACCESS_OPEN = models.Q(pk__in=[])
    ACCESS_OWN_SIDE = False
    released = False

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "ordered_by", "contents_sha256"], condition=models.Q(state__in=PENDING), name="export_pending_once"
            ),
            models.CheckConstraint(condition=~models.Q(state="done") | ~models.Q(sha256="") & models.Q(expires_at__isnull=False), name="export_done"),
        ]
        indexes = [models.Index(fields=["id"], condition=models.Q(state__in=PENDING), name="export_queue")]

    @property
    def name(self) -> str:
        """What a browser is to call the archive; without "/" or anything else a file name may not hold."""
        return f"{self.case.number}-{'全案' if self.whole else '部分'}-{timezone.localtime(self.ordered_at):%Y%m%d-%H%M}.zip"

    @property
    def fault_code(self) -> str:
        return self.fault.partition(":")[0]


class ExportedExhibit(models.Model):
    """listed    it stands in the catalogue; else it is there only because a report in the archive speaks of it
    content   its files go along in the bundles; else their digests
    """

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="exhibits")
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    listed = models.BooleanField()
    content = models.BooleanField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["export", "exhibit"], name="exported_exhibit_once")]


class ExportedReport(models.Model):
    """A signed report, in the revision that was the newest one at the order."""

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="reports")
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="+")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["export", "report"], name="exported_report_once")]


class Batch(models.Model):
    """Reports asked for with one press. The row says what was asked; how far each report is, the report says."""

    class Mode(models.TextChoices):
        EACH = "each", _("每件证据各一份报告")
        GROUP = "group", _("所选证据合为一份报告")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="report_batches")
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField(db_default=Now(), editable=False)
    mode = models.CharField(max_length=5, choices=Mode.choices)
    language = models.CharField(max_length=5, choices=Report.Language.choices)
    key = models.UUIDField()
    """Of the form that was sent: the same form with the same choice is the same order, however often it comes."""
    contents_sha256 = models.CharField(max_length=64)
    """Of mode, language and exhibits."""

    ACCESS_PATH = ""
    ACCESS_ACTION = "report.generate"
    ACCESS_OPEN = models.Q(pk__in=[])
    ACCESS_OWN_SIDE = False

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["case", "ordered_by", "key", "contents_sha256"], name="batch_once")]


class BatchItem(models.Model):
    """One chosen exhibit, with the report that speaks of it or the reason why there is none."""

    class Obstacle(models.TextChoices):
        NO_VERDICT = "no_verdict", _("还没有核验结论")
        EARLIER = "earlier", _("已有报告说的是较早的核验结果")

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="items")
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    report = models.ForeignKey(Report, null=True, on_delete=models.PROTECT, related_name="+")
    """With the obstacle EARLIER: the report that there is."""
    found = models.BooleanField(default=False)
    """There was one already: it was not ordered by this batch."""
    obstacle = models.CharField(max_length=10, choices=Obstacle.choices, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "exhibit"], name="batch_exhibit_once"),
            models.CheckConstraint(condition=models.Q(obstacle="no_verdict", report__isnull=True) | models.Q(report__isnull=False), name="batch_item_whole"),
        ]


__all__ = ["PENDING", "Batch", "BatchItem", "Export", "ExportedExhibit", "ExportedReport"]
