"""Reports for the record. Signed bytes never change; a new version is a new row that names the one it replaces.

    preparing ─ draft ⇄ checked ─ sealing ─ signed ─ released        superseded, revoked: from signed or released
        └────────── failed (stage) ────┘                              discarded: a draft that will not be signed

`preparing`, `sealing`, `failed` and `discarded` are states of the work, not of the record. The database itself refuses every
other move, and a signature by whoever made the draft (migrations 0002 to 0008).
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cases.models import Case, Membership
from evidence.runs.models import RunVerdict

UNSIGNED = ("preparing", "failed", "draft", "checked", "sealing", "discarded")
"""States without signed bytes."""


class Report(models.Model):
    class State(models.TextChoices):
        PREPARING = "preparing", _("制作中")
        DRAFT = "draft", _("草稿")
        CHECKED = "checked", _("已复核")
        SEALING = "sealing", _("签名中")
        SIGNED = "signed", _("已签发")
        RELEASED = "released", _("已开放")
        SUPERSEDED = "superseded", _("已被取代")
        REVOKED = "revoked", _("已撤销")
        FAILED = "failed", _("未能制作")
        DISCARDED = "discarded", _("已作废（未签发）")

    class Kind(models.TextChoices):
        SINGLE = "single", _("单件证据")
        CATALOGUE = "catalogue", _("多件证据")
        SUPPLEMENT = "supplement", _("补充报告")
        CORRECTION = "correction", _("更正报告")

    class Language(models.TextChoices):
        BOTH = "zh-en", _("中文和英文")
        CHINESE = "zh", _("仅中文")
        ENGLISH = "en", _("仅英文")

    class Profile(models.TextChoices):
        FRE902 = "fre902", _("美国联邦证据规则 902(13)(14) 声明页")
        BSA63 = "bsa63", _("印度 BSA 第 63(4) 条证明页")
        ETSI = "etsi", _("ETSI TS 119 102-2 签名验证报告（XML）")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=40, unique=True)
    check_code = models.CharField(max_length=20)
    """Printed beside the number; both are needed to ask about a report in public."""
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    verdicts = models.ManyToManyField(RunVerdict, related_name="reports")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SINGLE)
    language = models.CharField(max_length=5, choices=Language.choices, default=Language.BOTH)
    profiles = models.JSONField(default=list)
    """Values of `Profile`, in order, none twice."""
    version = models.PositiveSmallIntegerField(default=1)
    supersedes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="successors")
    """The report that this one takes the place of once it is signed; `version` is one more than that one's."""
    reason = models.CharField(max_length=500, blank=True)
    """Why a correction or a supplement was ordered."""
    state = models.CharField(max_length=12, choices=State.choices, default=State.PREPARING)
    stage = models.CharField(max_length=12, blank=True)
    """Of a failed report: the state in which it failed, `preparing` or `sealing`; it goes back there."""
    fault = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    """Starts since it was ordered, sent to be signed or tried again."""
    draft_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    """The watermarked draft in the vault; empty in rows from before drafts."""
    annex_sha256 = models.CharField(max_length=64, blank=True)
    """What draft and signed report say, both: the canonical `result.json`, kept in the vault under this digest."""
    unsigned_sha256 = models.CharField(max_length=64, blank=True)
    signed_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    """The first signed bytes; `newest` gives the revision to hand out."""
    signature_level = models.CharField(max_length=20, blank=True)
    pages = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reports")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    issued_at = models.DateTimeField(null=True)
    """The moment printed in the report, by the database's clock, fixed when the draft is made: with the rows it makes the
    same bytes again."""
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    """The second person, who sent it to be signed; null only in rows from before drafts."""
    signed_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)

    ACCESS_PATH = ""
    ACCESS_ACTION = "report.download"
    # What was once released stays known to those who have it: it is superseded or revoked before their eyes.
    ACCESS_OPEN = models.Q(released_at__isnull=False)
    ACCESS_OWN_SIDE = False

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=UNSIGNED) | ~models.Q(signed_sha256=""), name="report_signed"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["draft", "checked", "sealing"]) | ~models.Q(draft_sha256="") & ~models.Q(annex_sha256=""),
                name="report_drafted",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["preparing", "failed", "draft", "discarded"])
                | models.Q(draft_sha256="")
                | models.Q(checked_by__isnull=False) & ~models.Q(checked_by=models.F("created_by")),
                name="report_checked_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["preparing", "failed", "draft", "checked", "discarded"])
                | models.Q(draft_sha256="")
                | models.Q(signed_by__isnull=False) & ~models.Q(signed_by=models.F("created_by")),
                name="report_signed_by_another",
            ),
            models.CheckConstraint(condition=~models.Q(state="released") | models.Q(released_at__isnull=False), name="report_released"),
            models.CheckConstraint(
                condition=models.Q(supersedes__isnull=True, version=1) & ~models.Q(kind__in=["supplement", "correction"])
                | models.Q(supersedes__isnull=False, version__gt=1, kind__in=["supplement", "correction"]) & ~models.Q(reason=""),
                name="report_version",
            ),
            models.UniqueConstraint(
                fields=["supersedes"],
                condition=models.Q(state__in=["sealing", "signed", "released", "superseded", "revoked"]),
                name="report_superseded_once",
            ),
        ]

    @property
    def released(self) -> bool:
        return self.released_at is not None

    @property
    def newest(self) -> "Revision | None":
        """The bytes to hand out; None while it is unsigned."""
        return self.revisions.order_by("-number").first()

    def supersedes_rivals(self) -> "models.QuerySet[Report]":
        """Other reports that take, or took, the place of the same one."""
        taking = Report.objects.exclude(state__in=["preparing", "failed", "draft", "checked", "discarded"]).exclude(pk=self.pk)
        return taking.filter(supersedes=self.supersedes_id) if self.supersedes_id else taking.none()

    def may_open_to(self, side: str) -> bool:
        """Releasing a report exchanges no exhibit: it opens to a side only if the side may know all that it speaks of."""
        return not self.verdicts.filter(run__exhibit__exchanged=False).exclude(run__exhibit__side=side).exists()

    @staticmethod
    def access_open_to(memberships: models.QuerySet[Membership]) -> models.QuerySet[Membership]:
        """The same as a query: of these memberships in the case of the outer row, those to whose side it may open."""
        hidden = RunVerdict.objects.filter(reports=models.OuterRef(models.OuterRef("pk")), run__exhibit__exchanged=False)
        return memberships.filter(~models.Exists(hidden.exclude(run__exhibit__side=models.OuterRef("side"))))


class Revision(models.Model):
    """Bytes of a signed report: the first, and each later one that extends it (archive time-stamps). All are kept."""

    class Reason(models.TextChoices):
        SIGNED = "signed", _("首次签发")
        UPGRADED = "upgraded", _("补齐时间戳和吊销资料")
        RENEWED = "renewed", _("续期归档时间戳")

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveSmallIntegerField()
    """1 is `Report.signed_sha256`; then one after the other."""
    sha256 = models.CharField(max_length=64, unique=True)
    level = models.CharField(max_length=20)
    reason = models.CharField(max_length=10, choices=Reason.choices)
    at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="revision_number")]


class Signature(models.Model):
    """One signature in a report, as read from its own bytes: what must be found again when a key is compromised.

    Time-stamps are signatures too (`field` DocTS1 …): their keys may be lost like any other."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="signatures")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="signatures")
    """The first revision that holds it; every later one of the report holds it too."""
    field = models.CharField(max_length=40)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    """Whose key it was; null for the court's e-seal and for time-stamps."""
    certificate_sha256 = models.CharField(max_length=64, db_index=True)
    subject = models.CharField(max_length=500)
    serial = models.CharField(max_length=60)
    """Hexadecimal, lower case."""
    level = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["report", "field"], name="signature_field")]


class Volume(models.Model):
    """An annex volume of a long report: at most 50 exhibits in full. Its digest is printed in the signed main report."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="volumes")
    number = models.PositiveSmallIntegerField()
    sha256 = models.CharField(max_length=64)
    pages = models.PositiveIntegerField()
    first_item = models.CharField(max_length=60)
    last_item = models.CharField(max_length=60)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="volume_number")]


class Errand(models.Model):
    """Who is at work on a report now, and what came of the last try: the queue's side of drafting, signing, upgrading and renewing.

    Nothing of the record: a row may be deleted at any time, and the worst is that work is done twice and the second result refused."""

    report = models.OneToOneField(Report, on_delete=models.CASCADE, primary_key=True, related_name="errand")
    fence = models.PositiveIntegerField(default=0)
    """Of the newest claim; a worker whose claim has another number has lost its lease and may write nothing."""
    lease_until = models.DateTimeField(null=True)
    signing = models.BooleanField(default=False)
    """The claim is for the court's keys, which one worker uses at a time."""
    tries = models.PositiveSmallIntegerField(default=0)
    """Failures in a row, for the pause before the next try."""
    not_before = models.DateTimeField(null=True)
    fault = models.CharField(max_length=300, blank=True)
    """Of the last try; empty when it did what it should."""
    at = models.DateTimeField(null=True)
    """The end of the last try."""

    class Meta:
        indexes = [models.Index(fields=["lease_until"], condition=models.Q(signing=True), name="errand_keys")]


class Step(models.Model):
    """What was done with a report, by whom and when. Only ever added to; a person reads it as the life of the report."""

    class Act(models.TextChoices):
        ORDERED = "ordered", _("要求制作")
        DRAFTED = "drafted", _("草稿制成")
        CHECKED = "checked", _("复核通过")
        RETURNED = "returned", _("退回草稿")
        SENT = "sent", _("决定签发")
        SIGNED = "signed", _("签名完成")
        RELEASED = "released", _("向当事人开放")
        SUPERSEDED = "superseded", _("被新版取代")
        REVOKE_ASKED = "revoke_asked", _("提请撤销")
        REVOKE_DROPPED = "revoke_dropped", _("不予撤销")
        REVOKED = "revoked", _("撤销")
        FAILED = "failed", _("未能完成")
        RETRIED = "retried", _("重试")
        DISCARDED = "discarded", _("草稿作废")

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="steps")
    act = models.CharField(max_length=16, choices=Act.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    """Null: the portal itself."""
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["pk"]

    # A request to revoke is a thing that another person decides on (`cases.access`, second_person).
    @property
    def case(self) -> Case:
        return self.report.case

    @property
    def created_by_id(self) -> int | None:
        return self.by_id


def newest_revisions() -> "models.Subquery":
    """For lists: the digest of the newest revision of the outer report."""
    return models.Subquery(Revision.objects.filter(report=models.OuterRef("pk")).order_by("-number").values("sha256")[:1])


__all__ = ["UNSIGNED", "Errand", "Report", "Revision", "Signature", "Step", "Volume", "newest_revisions"]
