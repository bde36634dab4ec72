"""Questions to the court's nodes, and the archive of what came back.

An inquiry is a row of a queue, like a run: leased, fenced, closed once. An exchange is one request and its answer, written as it
ended and never again; the bytes lie in the vault. The database refuses the rest (migration 0001).
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from evidence.exhibits.models import Exhibit
from evidence.runs.models import Run


class Inquiry(models.Model):
    """One transaction, asked of one node, for one exhibit."""

    class State(models.TextChoices):
        QUEUED = "queued", _("等待查询")
        RUNNING = "running", _("正在查询")
        ANSWERED = "answered", _("节点已答复")
        ABSENT = "absent", _("节点答复没有这笔交易")
        UNUSABLE = "unusable", _("节点的答复不能用")
        UNREACHABLE = "unreachable", _("节点没有答复")

    OPEN = (State.QUEUED, State.RUNNING)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="inquiries")
    because = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="inquiries")
    """The run whose verdict named the transaction as unproven."""
    node = models.CharField(max_length=32)
    tx_id = models.CharField(max_length=66)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    """Fencing token, one more each time a worker takes the inquiry."""
    tries = models.PositiveSmallIntegerField(default=0)
    """How often the node was really asked."""
    due_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    fault = models.CharField(max_length=200, blank=True)
    """Why there is no answer (technical, for the clerk and the operator)."""
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT)
    """Who asked; nobody: the portal by itself."""
    queued_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)
    led_to = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="fed_by")
    """The run that was queued with the answer."""

    ACCESS_PATH = "exhibit"
    ACCESS_ACTION = "verify.view_detail"
    ACCESS_OPEN = models.Q(because__released_at__isnull=False)
    ACCESS_OWN_SIDE = False

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["exhibit", "node", "tx_id"],
                condition=models.Q(requested_by__isnull=True),
                name="asked_by_itself_once",
            ),
            models.UniqueConstraint(
                fields=["exhibit", "node", "tx_id"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_open_inquiry",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state__in=["queued", "running"]), name="inquiry_queue")
        ]


class Exchange(models.Model):
    """One request to a node and what came of it."""

    inquiry = models.ForeignKey(Inquiry, on_delete=models.PROTECT, related_name="exchanges")
    attempt = models.PositiveIntegerField()
    node = models.CharField(max_length=32)
    question = models.CharField(max_length=60)
    """The method that was called."""
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField()
    address = models.CharField(max_length=45, blank=True)
    """Where the connection went, or was to go; empty: the name was refused or has none."""
    request_sha256 = models.CharField(max_length=64)
    certificate_sha256 = models.CharField(max_length=64, blank=True)
    """The certificate that the node showed and that was accepted (DER, in the vault)."""
    status = models.CharField(max_length=20, blank=True)
    answer_sha256 = models.CharField(max_length=64, blank=True)
    """The answer as it came, or as much of it as was taken (in the vault)."""
    answer_size = models.BigIntegerField(default=0)
    outcome = models.CharField(max_length=12)
    fault = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    ACCESS_PATH = "inquiry__exhibit"
    ACCESS_ACTION = "verify.view_detail"
    ACCESS_OPEN = models.Q(inquiry__because__released_at__isnull=False)
    ACCESS_OWN_SIDE = False

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["node", "-ended_at"], name="exchange_of_node")]


class Obtained(models.Model):
    """One source made of an inquiry's answers: bytes of a node, under the label they have in verdicts."""

    inquiry = models.ForeignKey(Inquiry, on_delete=models.PROTECT, related_name="obtained")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    sm3 = models.CharField(max_length=64)

    ACCESS_PATH = "inquiry__exhibit"
    ACCESS_ACTION = "verify.view_detail"
    ACCESS_OPEN = models.Q(inquiry__because__released_at__isnull=False)
    ACCESS_OWN_SIDE = False

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["inquiry", "position"], name="obtained_position")]
