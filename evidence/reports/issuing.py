"""From stored verdicts to a sealed report in the vault (spec signed-report §6; steps numbered as there).

`order` writes the row in the clerk's transaction; `produce` does the work in a worker and can be repeated: a report that
is already sealed is left alone, one that failed says why and is offered again. Nothing is ever issued unsigned. Sealed
bytes go to the vault last; if the row cannot be written after that, an object remains that nothing refers to.
"""

import hashlib
import io
import logging
import secrets
from datetime import UTC, datetime
from functools import partial

import pikepdf
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from cases.models import Case
from evidence.runs.models import RunVerdict
from portal.ledger.entries import record
from portal.people.models import User
from portal.vault import Vault

from . import bell, checking, edition, signing
from .edition import ReportFault
from .models import Report, Revision

log = logging.getLogger(__name__)

CHECK_CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CHECK_CODE_LENGTH = 10
ATTEMPTS_MAX = 5
"""Starts without an end (the worker was killed each time) before the report is given up instead of killing the next one."""
NUMBERING_LOCK = 0x4859  # "HY"
WAITING_MAX = 20
FAULT_MAX = Report._meta.get_field("fault").max_length or 0


def order(case: Case, verdicts: list[RunVerdict], *, by: User) -> Report:
    """Write the report's row and ring for it once the transaction commits. `verdicts` belong to the case.

    The same order again, while the first is still being made (a button pressed twice), gives the first report.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a report is ordered inside a transaction")
    Case.objects.select_for_update().get(pk=case.pk)
    wanted = {v.pk for v in verdicts}
    for pending in Report.objects.filter(case=case, created_by=by, state=Report.State.PREPARING):
        if set(pending.verdicts.values_list("pk", flat=True)) == wanted:
            return pending
    report = Report.objects.create(
        number=_next_number(),
        check_code="".join(secrets.choice(CHECK_CODE_ALPHABET) for _ in range(CHECK_CODE_LENGTH)),
        case=case,
        kind=Report.Kind.SINGLE if len(verdicts) == 1 else Report.Kind.CATALOGUE,
        created_by=by,
    )
    report.verdicts.set(verdicts)
    record("report.order", actor=by, case=case, params={"report": report.number})
    transaction.on_commit(partial(bell.ring, report.pk))
    return report


def retry(report: Report) -> bool:
    """Put a failed report back to work; False when it has not failed."""
    with transaction.atomic():
        found = Report.objects.filter(pk=report.pk, state=Report.State.FAILED)
        if not found.update(state=Report.State.PREPARING, fault="", attempts=0):
            return False
        transaction.on_commit(partial(bell.ring, report.pk))
    return True


def produce(report_id: int) -> Report:
    """Make and seal one report. Safe to call twice; of several workers at once one does the work, the others go away."""
    # The start is counted in a transaction of its own, so that it stays counted if the work kills the process.
    with transaction.atomic():
        report = _mine(report_id)
        if report is None:
            return Report.objects.get(pk=report_id)
        if report.attempts >= ATTEMPTS_MAX:
            _fail(report, f"given up: {report.attempts} attempts ended without a result")
            return report
        Report.objects.filter(pk=report_id).update(attempts=F("attempts") + 1)
    with transaction.atomic():
        report = _mine(report_id)
        if report is None:
            return Report.objects.get(pk=report_id)
        try:
            with transaction.atomic():
                _produce(report)
        except Exception as fault:  # whatever went wrong, the clerk must see an end, a reason and a way to try again
            log.exception("report %s not made", report.number)
            _fail(report, f"{type(fault).__name__}: {fault}")
    return report


def _mine(report_id: int) -> Report | None:
    """The row, locked, while it waits to be made; None when it does not, or when another worker holds it."""
    rows = Report.objects.select_for_update(of=("self",), skip_locked=True).select_related("case__court", "created_by")
    return rows.filter(pk=report_id, state=Report.State.PREPARING).first()


def _fail(report: Report, fault: str) -> None:
    Report.objects.filter(pk=report.pk).update(state=Report.State.FAILED, stage=report.state, fault=fault[:FAULT_MAX])
    record("report.fail", actor=None, case=report.case, params={"report": report.number})
    report.refresh_from_db()


def waiting() -> list[int]:
    return list(Report.objects.filter(state=Report.State.PREPARING).order_by("pk").values_list("pk", flat=True)[:WAITING_MAX])


def _produce(report: Report) -> None:
    issued = _database_now()
    # 1.–5. What it says, rendered and found to conform.
    made = edition.make(report, issued=issued)
    # 7.–8. Seal, and check with our own validator before anybody may have it.
    words = (made.court.zh[:8], "演示用章" if settings.PORTAL_DEMO else "电子签章")
    sealed = signing.seal(
        made.pdf, keys=settings.PORTAL_SIGNING_DIR, words=words, fonts=settings.PORTAL_FONT_DIR
    )
    faults = checking.check(sealed.pdf, keys=settings.PORTAL_SIGNING_DIR)
    if faults:
        raise ReportFault("the sealed report does not pass its own check: " + "; ".join(faults))
    edition.conform(sealed.pdf, signed=True)
    # 9. Store by digest, then the row and the act.
    signed = Vault(settings.PORTAL_VAULT_DIR).put_bytes(sealed.pdf)
    report.annex_sha256 = made.annex_sha256
    report.unsigned_sha256 = hashlib.sha256(made.pdf).hexdigest()  # 6.
    report.signed_sha256 = signed.sha256
    report.signature_level = sealed.level
    report.pages = _pages(sealed.pdf)
    report.issued_at = issued
    report.signed_at = timezone.now()
    report.state, report.fault = Report.State.SIGNED, ""
    report.save()
    Revision.objects.create(
        report=report, number=1, sha256=signed.sha256, level=sealed.level, reason=Revision.Reason.SIGNED, at=report.signed_at
    )
    record(
        "report.sign",
        actor=report.created_by,
        case=report.case,
        subject_digest=signed.sha256,
        params={
            "report": report.number,
            "annex": report.annex_sha256,
            "unsigned": report.unsigned_sha256,
            "level": sealed.level,
        },
    )


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment.astimezone(UTC)


def _pages(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


def _next_number() -> str:
    """核验报告 numbers run within the year and are never used twice: rows are never deleted, and two orders at the same
    moment, in whatever cases, wait for one another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERING_LOCK])
    prefix = f"HY{timezone.localdate().year}-"
    used = Report.objects.filter(number__startswith=prefix).values_list("number", flat=True)
    return f"{prefix}{max((int(number.removeprefix(prefix)) for number in used), default=0) + 1:06d}"
