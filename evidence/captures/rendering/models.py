"""Renders that were asked for, and the machines that make them.

A render hangs on the file of one exhibit, not on its digest alone: the same file in another case would otherwise tell that somebody
there had asked before. The database refuses to take a render away or to change what it came to (migration 0002)."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from evidence.exhibits.models import ExhibitFile


class Form(models.TextChoices):
    """What is given to the browser."""

    MHTML = "MHTML", _("原文件（MHTML）")
    HTML = "HTML", _("原文件（HTML）")
    SAFE_HTML = "SAFE_HTML", _("由本院从存档中取出、不含脚本的网页")


class CourtRender(models.Model):
    """One picture of one capture, by one version of the browser; `number` counts how often it was asked for after it had failed."""

    class State(models.TextChoices):
        QUEUED = "queued", _("等待绘制")
        RUNNING = "running", _("正在绘制")
        DONE = "done", _("已绘制")
        PARKED = "parked", _("未能绘制")

    file = models.ForeignKey(ExhibitFile, on_delete=models.PROTECT, related_name="renders")
    capture = models.CharField(max_length=500)
    """Its id in the reading of the file."""
    form = models.CharField(max_length=10, choices=Form.choices)
    source_sha256 = models.CharField(max_length=64)
    """What the browser was given, in the vault: the file itself, or a SAFE_HTML view of its reading."""
    browser = models.CharField(max_length=30)
    """Version of Chromium as its binary states it."""
    number = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    """Fencing token, as of a run."""
    lease_until = models.DateTimeField(null=True)
    fault = models.CharField(max_length=300, blank=True)
    """Why it is parked or the last attempt did not end: TIMEOUT, RESOURCE_LIMIT, CRASH, LEFT, VERSION, or a fault of our own."""
    picture_sha256 = models.CharField(max_length=64, blank=True)
    """PNG drawn anew in the jail, in the vault."""
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    full_width = models.PositiveIntegerField(default=0)
    full_height = models.PositiveIntegerField(default=0)
    """Of the page as the browser laid it out, of which the picture may show the beginning only."""
    refused = models.PositiveIntegerField(default=0)
    """Requests of the page for what is not in the file; none was made."""
    loaded = models.BooleanField(default=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)

    ACCESS_PATH = "file__exhibit"
    ACCESS_ACTION = "evidence.view_content"
    ACCESS_OPEN = models.Q(file__exhibit__exchanged=True)
    ACCESS_OWN_SIDE = True

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["file", "capture", "source_sha256", "browser", "number"], name="rendered_once")
        ]
        indexes = [models.Index(fields=["id"], condition=models.Q(state__in=["queued", "running"]), name="render_queue")]


class Renderer(models.Model):
    """A machine that can render, as it last said itself; the pages offer a render only where one has been seen lately."""

    host = models.CharField(max_length=255, unique=True)
    browser = models.CharField(max_length=30, blank=True)
    """Empty: no browser there."""
    fault = models.CharField(max_length=300, blank=True)
    """Why it makes no renders, such as that its kernel permits no network namespace."""
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
