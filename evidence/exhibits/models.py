"""An exhibit and its files. Both are written once, in the transaction that receives them, and never change afterwards;
only the procedural state and the exchange mark of the exhibit move, each move being an act in the ledger. The database itself
refuses the rest (migration 0003)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.models import Case, Party, Side


class Category(models.TextChoices):
    """The five classes of electronic data, Civil Evidence Rules art. 14."""

    WEB = "web", _("网页、博客、微博客等网络平台发布的信息")
    COMMUNICATION = "communication", _("手机短信、电子邮件、即时通信等通信信息")
    LOG_TRANSACTION = "log_transaction", _("用户注册信息、身份认证信息、电子交易记录、通信记录、登录日志等信息")
    FILE = "file", _("文档、图片、音频、视频、数字证书、计算机程序等电子文件")
    OTHER = "other", _("其他以数字化形式存储、处理、传输的信息")


CATEGORY_SHORT = {
    Category.WEB: _("网页"),
    Category.COMMUNICATION: _("通信"),
    Category.LOG_TRANSACTION: _("日志、交易"),
    Category.FILE: _("文件"),
    Category.OTHER: _("其他"),
}
"""The classes in a word, for lists."""


class OriginalForm(models.TextChoices):
    """How the material came into electronic form, Online Litigation Rules art. 11."""

    NATIVE = "native", _("原生电子数据")
    SCAN = "scan", _("扫描件")
    REPHOTOGRAPHED = "rephotographed", _("翻拍件")
    TRANSCRIBED = "transcribed", _("转录件")


class State(models.TextChoices):
    """States of an evidence item (`evidence_state_machine.json`); a draft lives in `evidence.intake`, not here."""

    SUBMITTED = "submitted", _("已提交")
    LATE_PENDING = "late_pending", _("逾期待审")
    RECEIVED = "received", _("已接收")


class Exhibit(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="exhibits")
    number = models.PositiveIntegerField()
    """Running number of the side within the case; never re-used, never shifted: 原告证据3."""
    side = models.CharField(max_length=10, choices=Side.choices)
    party = models.ForeignKey(Party, null=True, on_delete=models.PROTECT)
    name = models.CharField(max_length=200)
    category = models.CharField(max_length=20, choices=Category.choices)
    original_form = models.CharField(max_length=20, choices=OriginalForm.choices)
    origin = models.TextField(blank=True)
    """Source of the data as the submitter states it, verbatim."""
    purpose = models.TextField()
    """证明对象: what the exhibit is to prove, verbatim."""
    state = models.CharField(max_length=20, choices=State.choices, default=State.SUBMITTED)
    exchanged = models.BooleanField(default=False)
    confidential = models.BooleanField(default=False)
    receipt_number = models.CharField(max_length=30, unique=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exhibits")
    submitted_at = models.DateTimeField(db_default=Now(), editable=False)
    """Time of entry into the court's system by the database clock (Electronic Signature Law art. 11)."""
    late_reason = models.TextField(blank=True)

    ACCESS_PATH = ""
    ACCESS_ACTION = "evidence.view_meta"
    ACCESS_OPEN = models.Q(exchanged=True)
    ACCESS_OWN_SIDE = True

    class Meta:
        ordering = ["side", "number"]
        constraints = [models.UniqueConstraint(fields=["case", "side", "number"], name="exhibit_number")]
        indexes = [models.Index(fields=["case", "-submitted_at"])]

    def __str__(self) -> str:
        return self.label

    @property
    def category_short(self) -> str:
        return str(CATEGORY_SHORT[Category(self.category)])

    @property
    def label(self) -> str:
        return gettext("%(side)s证据%(number)d") % {"side": self.get_side_display(), "number": self.number}


class ExhibitFile(models.Model):
    """One file as received; the bytes lie in the vault under `sha256`."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="files")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    sm3 = models.CharField(max_length=64)
    declared_type = models.CharField(max_length=100, blank=True)
    detected_type = models.CharField(max_length=100)
    hashed_on_device = models.BooleanField(default=False)
    """The submitter's device computed the same two digests before the bytes left it."""

    ACCESS_PATH = "exhibit"
    ACCESS_ACTION = "evidence.view_meta"
    ACCESS_OPEN = models.Q(exhibit__exchanged=True)
    ACCESS_OWN_SIDE = True

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["exhibit", "position"], name="file_position")]


from .statements import Statement  # noqa: E402  a noun of its own, registered with this room's rows

__all__ = ["CATEGORY_SHORT", "Category", "Exhibit", "ExhibitFile", "OriginalForm", "State", "Statement"]
