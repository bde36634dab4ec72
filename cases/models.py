"""Courts, cases, parties and who belongs to a case in which role.

Membership is the source of truth of every right; the guardian rows on `Case` follow from it and are written only by
`Membership.save` / `Membership.end` (spec court-domain §8.1).
"""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase


class Court(models.Model):
    """One row of the importable, dated court list 法院代字. A court that is not listed is a warning, never an error."""

    code = models.CharField(max_length=12, unique=True)
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=200)
    source = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name_zh


class Side(models.TextChoices):
    COURT = "court", _("法院")
    PLAINTIFF = "plaintiff", _("原告")
    DEFENDANT = "defendant", _("被告")
    THIRD = "third", _("第三人")


class Role(models.TextChoices):
    """The membership roles of `permission_matrix.json`; `opposing` is a relation between sides and never stored."""

    PRESIDING_JUDGE = "presiding_judge", _("审判长/独任法官")
    PANEL_JUDGE = "panel_judge", _("合议庭成员")
    JUDGE_ASSISTANT = "judge_assistant", _("法官助理")
    CLERK = "clerk", _("书记员")
    FILING_CLERK = "filing_clerk", _("立案人员")
    LITIGANT = "litigant", _("当事人")
    AGENT = "agent", _("诉讼代理人")
    THIRD_PARTY = "third_party", _("第三人")
    EXPERT = "expert", _("鉴定人")
    SPECIAL_KNOWLEDGE = "special_knowledge", _("有专门知识的人")
    TECH_INVESTIGATOR = "tech_investigator", _("技术调查官")
    SUPERVISOR = "supervisor", _("院庭长")
    AUDITOR = "auditor", _("审计")
    ARCHIVIST = "archivist", _("档案员")


class Case(models.Model):
    """One case. `number` is the normalised 案号 and the key; its parts are stored beside it (`cases.numbers`)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=60, unique=True)
    year = models.PositiveSmallIntegerField()
    court_code = models.CharField(max_length=12, db_index=True)
    case_type = models.CharField(max_length=6)
    sequence = models.PositiveIntegerField()
    court = models.ForeignKey(Court, null=True, blank=True, on_delete=models.PROTECT)
    cause = models.CharField(max_length=200, blank=True)
    procedure = models.CharField(max_length=30, default="ordinary_first")
    sealed = models.BooleanField(default=False)
    evidence_closes_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-opened_at", "-id"]
        default_permissions = ()
        permissions = [("view_case", "may know that the case exists")]

    def __str__(self) -> str:
        return self.number


class CaseUserPermission(UserObjectPermissionBase):
    """Guardian's row for one user and one case: a direct foreign key, no generic table."""

    id = models.BigAutoField(primary_key=True)
    content_object = models.ForeignKey(Case, on_delete=models.CASCADE)


class CaseGroupPermission(GroupObjectPermissionBase):
    """Guardian asks for a group table beside the user table; the court gives rights to people, so it stays empty."""

    id = models.BigAutoField(primary_key=True)
    content_object = models.ForeignKey(Case, on_delete=models.CASCADE)


class Party(models.Model):
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="parties")
    side = models.CharField(max_length=10, choices=Side.choices)
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["side", "position"]
        constraints = [models.UniqueConstraint(fields=["case", "side", "position"], name="party_position")]

    def __str__(self) -> str:
        return self.name


def holds_at(now: datetime) -> models.Q:
    """Of memberships and offices: those that have begun and not ended."""
    return models.Q(models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=now), valid_from__lte=now)


class Membership(models.Model):
    """`user` acts in `case` as `role` on `side` from `valid_from` until `valid_to` (None: no end set)."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    side = models.CharField(max_length=10, choices=Side.choices)
    party = models.ForeignKey(Party, null=True, blank=True, on_delete=models.PROTECT)
    valid_from = models.DateTimeField(db_default=Now())
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "user", "role", "side"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=models.F("valid_from")),
                name="membership_interval",
            ),
        ]

    def save(self, *args: object, **kwargs: object) -> None:
        from .access.rows import sync

        with transaction.atomic():
            super().save(*args, **kwargs)  # type: ignore[arg-type]
            sync(self.case_id, self.user_id)

    def end(self, *, at: datetime) -> None:
        """The membership ends; the row stays, the right goes."""
        self.valid_to = at
        self.save(update_fields=["valid_to"])

    def delete(self, *args: object, **kwargs: object) -> tuple[int, dict[str, int]]:
        raise NotImplementedError("a membership is ended, never deleted")


from .delegations import Delegation  # noqa: E402  a noun of its own, registered with this room's rows
from .offices import Office  # noqa: E402

__all__ = ["Case", "CaseGroupPermission", "CaseUserPermission", "Court", "Delegation", "Membership", "Office", "Party", "Role", "Side"]
