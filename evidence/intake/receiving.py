"""The one transaction in which a draft becomes an exhibit: rows, queued run, act in the ledger, or nothing.

The bytes were durable in the vault before; the bell for the worker rings after the commit (`evidence.runs.queue`).
"""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone

from cases.models import Case, Membership
from evidence.captures import queue as captures
from evidence.exhibits import statements
from evidence.exhibits.models import Exhibit, ExhibitFile, State
from evidence.runs import queue
from evidence.runs.models import Lane
from portal.ledger.entries import record
from portal.people.models import User

from . import arrivals, steps
from .forms import PreChainForm
from .models import Draft, Upload

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Read aloud and copied by hand: no 0, 1, I, L, O."""
RECEIPT_LETTERS = 8
"""31**8 = 8.5e11 numbers a day: they cannot be guessed one after another, and say nothing about how many there are."""
COURT_TIME = ZoneInfo("Asia/Shanghai")


class Incomplete(Exception):
    """Answers or files are missing; nothing was written. `steps` are the pages to go back to."""

    def __init__(self, missing: list[steps.Step]) -> None:
        super().__init__(", ".join(step.name for step in missing))
        self.steps = missing


class LateReasonNeeded(Exception):
    """The period for evidence is over: the material is taken as soon as the reason is told (J101–102)."""


class KeyReused(Exception):
    """The same person used this idempotency key for something else."""


def receive(draft: Draft, *, by: User, idempotency_key: str, late_reason: str = "") -> Exhibit:
    """Hand the draft in and return the exhibit; however often and from however many requests at once, it is the same one.

    idempotency_key   1 to 100 characters, unique for this person's submission

    Raises Incomplete, LateReasonNeeded, KeyReused, and Draft.DoesNotExist when the draft is not `by`'s.
    """
    if not 0 < len(idempotency_key) <= 100:
        raise KeyReused("a key has 1 to 100 characters")
    try:
        return _receive(draft, by=by, key=idempotency_key, late_reason=late_reason)
    except IntegrityError:
        # Two drafts raced with one key: the other has committed now, and is found.
        return _receive(draft, by=by, key=idempotency_key, late_reason=late_reason)


@transaction.atomic
def _receive(draft: Draft, *, by: User, key: str, late_reason: str) -> Exhibit:
    # 1. This draft once: whoever comes second waits here and finds the exhibit.
    draft = (
        Draft.objects.select_for_update(of=("self",))
        .select_related("case", "exhibit", "user")
        .get(pk=draft.pk, user=by, discarded_at=None)
    )
    if draft.exhibit is not None:
        return draft.exhibit
    # 2. This key once, whatever the draft.
    earlier = Draft.objects.filter(user=by, idempotency_key=key).select_related("exhibit").first()
    if earlier is not None and earlier.exhibit is not None:
        if not _same_content(earlier, draft):
            raise KeyReused(key)
        return earlier.exhibit
    # 3. Everything needed is there, and the right to submit holds now.
    if missing := steps.missing(draft):
        raise Incomplete(missing)
    standing, uploads = steps.membership(draft), steps.files(draft)
    if standing is None or draft.case is None:
        raise Incomplete([steps.STEPS[1]])
    # 4. One exhibit of a case at a time: numbers follow each other. The database's clock says when it came in.
    case = Case.objects.select_for_update().annotate(entered=Now()).get(pk=draft.case.pk)
    late = case.evidence_closes_at is not None and case.entered > case.evidence_closes_at
    if late and not late_reason.strip():
        raise LateReasonNeeded
    exhibit = _write_exhibit(
        draft,
        case=case,
        standing=standing,
        by=by,
        entered=case.entered,
        late_reason=late_reason if late else "",
    )
    _write_files(exhibit, uploads)
    said = PreChainForm(draft.answers.get("prechain", {}))
    stated = said.answers() if said.is_valid() else {}  # it was asked above whether it is
    # 5. The act, the run, and the draft's own end.
    record(
        "evidence.submit",
        actor=by,
        case=case,
        params={
            "exhibit": str(exhibit.public_id),
            "receipt": exhibit.receipt_number,
            "side": exhibit.side,
            "number": exhibit.number,
            "late": late,
            "files": [{"sha256": u.sha256, "sm3": u.sm3, "size": u.size} for u in uploads],
        },
    )
    statements.state(exhibit, stated, by=by, standing=standing, at=case.entered)
    queue.request(exhibit, by=by, lane=Lane.STANDARD)
    captures.request(exhibit)
    Draft.objects.filter(pk=draft.pk).update(exhibit=exhibit, idempotency_key=key, updated_at=timezone.now())
    return exhibit


def late_now(case: Case) -> bool:
    """Would a submission be late at this moment, by the database's clock?"""
    closes = case.evidence_closes_at
    return closes is not None and Case.objects.filter(pk=case.pk, evidence_closes_at__lt=Now()).exists()


def _write_exhibit(
    draft: Draft, *, case: Case, standing: Membership, by: User, entered: datetime, late_reason: str
) -> Exhibit:
    what = draft.answers["what"]
    last = Exhibit.objects.filter(case=case, side=standing.side).aggregate(n=Max("number"))["n"] or 0
    return Exhibit.objects.create(
        case=case,
        number=last + 1,
        side=standing.side,
        party=standing.party,
        name=what["name"],
        category=what["category"],
        original_form=what["original_form"],
        origin=what["origin"],
        purpose=draft.answers["purpose"]["purpose"],
        state=State.LATE_PENDING if late_reason else State.SUBMITTED,
        receipt_number=_receipt_number(entered),
        submitted_by=by,
        submitted_at=entered,
        late_reason=late_reason,
    )


def _write_files(exhibit: Exhibit, uploads: list[Upload]) -> None:
    vault = arrivals.vault()
    for position, upload in enumerate(uploads, start=1):
        if not vault.has(upload.sha256):
            raise RuntimeError(
                f"the vault has lost {upload.sha256}; run the store's check before anything else"
            )
        ExhibitFile.objects.create(
            exhibit=exhibit,
            position=position,
            name=upload.name,
            size=upload.size,
            sha256=upload.sha256,
            sm3=upload.sm3,
            declared_type=upload.declared_type,
            detected_type=upload.detected_type,
            hashed_on_device=bool(upload.device_sha256),
        )


def _receipt_number(entered: datetime) -> str:
    """20261122-7K3M9QX2: the day of entry in the court's time, and letters nobody can guess."""
    day = entered.astimezone(COURT_TIME).strftime("%Y%m%d")
    while True:
        number = f"{day}-{''.join(secrets.choice(LETTERS) for _ in range(RECEIPT_LETTERS))}"
        if not Exhibit.objects.filter(receipt_number=number).exists():
            return number


def _same_content(one: Draft, other: Draft) -> bool:
    def content(draft: Draft) -> tuple[object, ...]:
        return draft.case_id, draft.answers, [(u.name, u.sha256) for u in steps.files(draft)]

    return content(one) == content(other)
