"""What a submitter says of the time before recording 上链前说明: six heads, after Online Litigation Rules art. 18 para. 2.

A party's own words: kept as written, never verified, never changed. A correction is a new row beside the old one; who reads
sees both. With an empty text the submitter takes a statement back, which is a row as well.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from cases.models import Membership, Party, Role
from portal.ledger.entries import record
from portal.people.models import User

from .models import Exhibit

TEXT_MAX = 5_000
"""Characters of one statement: two printed pages. What is longer is a document, and is handed in as a file."""
RECORDS_MAX = 20
"""Records under one head of one exhibit: nobody corrects a sentence more often, and a report prints every one of them."""


class Head(models.TextChoices):
    """In the order of the article."""

    SOURCE = "source", _("数据的具体来源")
    GENERATION = "generation", _("生成机制")
    STORAGE = "storage", _("存储过程")
    NOTARY = "notary", _("公证机构公证")
    WITNESS = "witness", _("第三方见证")
    CORROBORATION = "corroboration", _("关联印证数据")


class Statement(models.Model):
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="statements")
    head = models.CharField(max_length=20, choices=Head.choices)
    number = models.PositiveSmallIntegerField()
    """1 is the first under its head, the highest is what the submitter says now."""
    text = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, null=True, on_delete=models.PROTECT)
    """For whom it was said."""
    role = models.CharField(max_length=20, choices=Role.choices)
    """In what role of the case the person spoke then: a mandate may end later."""
    at = models.DateTimeField(db_default=Now(), editable=False)

    ACCESS_PATH = "exhibit"
    ACCESS_ACTION = "evidence.view_meta"
    ACCESS_OPEN = models.Q(exhibit__exchanged=True)
    ACCESS_OWN_SIDE = True

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["exhibit", "head", "number"], name="statement_number")]


@dataclass(frozen=True, slots=True)
class Said:
    """One head with what was said under it, oldest first."""

    head: Head
    records: tuple[Statement, ...]

    @property
    def current(self) -> Statement | None:
        """What stands now; None where nothing was said, or it was taken back."""
        return self.records[-1] if self.records and self.records[-1].text else None

    @property
    def earlier(self) -> tuple[Statement, ...]:
        """Everything else, the newest first."""
        return tuple(r for r in reversed(self.records) if r is not self.current)


class Full(RuntimeError):
    """RECORDS_MAX is reached under one head."""


def of(exhibit: Exhibit, *, until: datetime | None = None) -> tuple[Said, ...]:
    """All six heads in their order. `until`: only what had been said by then. One query, none where they were prefetched."""
    found: dict[str, list[Statement]] = {head: [] for head in Head}
    for one in exhibit.statements.all() if _prefetched(exhibit) else exhibit.statements.select_related("by", "party"):
        if until is None or one.at <= until:
            found[one.head].append(one)
    return tuple(Said(head, tuple(sorted(found[head], key=lambda s: s.number))) for head in Head)


def declared(said: tuple[Said, ...]) -> bool:
    return any(one.current for one in said)


@transaction.atomic
def state(exhibit: Exhibit, texts: Mapping[str, str], *, by: User, standing: Membership, at: datetime | None = None) -> list[Statement]:
    """Keep what is new in `texts` (head -> words); what says the same as before adds nothing. Raises Full.

    standing   the membership through which `by` speaks
    at         when it came in; None: now, by the database's clock
    """
    # One submitter's words at a time: numbers follow each other.
    Exhibit.objects.select_for_update().get(pk=exhibit.pk)
    last = {s.head: s for s in Statement.objects.filter(exhibit=exhibit).order_by("head", "-number").distinct("head")}
    made = []
    for head in Head:
        before = last.get(head)
        text = texts.get(head, before.text if before else "")
        if text == (before.text if before else ""):
            continue
        number = before.number + 1 if before else 1
        if number > RECORDS_MAX:
            raise Full(head)
        fields = {"at": at} if at else {}
        made.append(
            Statement.objects.create(
                exhibit=exhibit, head=head, number=number, text=text, by=by, party=standing.party, role=standing.role, **fields
            )
        )
    if made:
        record(
            "evidence.state",
            actor=by,
            case=exhibit.case,
            params={
                "exhibit": str(exhibit.public_id),
                "count": len(made),
                "statements": [{"head": s.head, "number": s.number, "sha256": hashlib.sha256(s.text.encode()).hexdigest()} for s in made],
            },
        )
    return made


def _prefetched(exhibit: Exhibit) -> bool:
    return "statements" in getattr(exhibit, "_prefetched_objects_cache", {})
