"""From stored verdicts to a signed report in the vault (spec signed-report §6; steps numbered as there).

`order` writes the row in the clerk's transaction. `produce` does the work in a worker and can be repeated; the state says which:

    preparing   draft: contents settled and rendered with a watermark; annex and draft to the vault          → draft
    sealing     the same contents rendered for good, signed, checked with our own validator, stored           → signed

What lies between the two is people's (`decisions`). What was checked is what is signed: the annex of the second render must
have the digest of the draft's, or nothing is signed. Nothing is ever issued unsigned; what failed says why and is offered again.

What the work is handed and must give back:

    edition.make(report, *, issued, draft=False) -> Edition(pdf, annex, annex_sha256, court, volumes)
        pdf unsigned and re-packed; the same row and `issued` make the same bytes, and the same annex for draft and final. The
        annex may say nothing that changes after the draft (who checked, who signs, when): the printed page of the final may.
    signing.seal(pdf, *, keys, words, fonts, clerk, judge) -> Signed(pdf, level, pending)
        incremental updates on the unsigned bytes; `upkeep` adds later what is pending. Rows of `Signature` are read from the result (`signatories`), not reported.
    revise(report, pdf, *, level, reason) -> Revision
        for later: bytes that extend the newest ones (a time-stamp added, renewed)

Bytes go to the vault last; if the row cannot be written after that, an object remains that nothing refers to.
"""

import hashlib
import io
import logging
import secrets
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pikepdf
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Length
from django.utils import timezone

from cases.catalogue import in_order_of_sides
from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.runs.models import Run, RunVerdict
from portal.ledger.entries import record
from portal.people.models import User
from portal.vault import Vault

from . import bell, checking, edition, errands, keyring, patience, signing
from .edition import ReportFault
from .models import Report, Revision, Signature, Step, Volume
from .signatories import signatories

log = logging.getLogger(__name__)

CHECK_CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CHECK_CODE_LENGTH = 10
ATTEMPTS_MAX = 5
"""Starts without an end (the worker was killed each time) before the report is given up instead of killing the next one."""
NUMBERING_LOCK = 0x4859  # "HY"
WAITING_MAX = 20
WORK = (Report.State.PREPARING, Report.State.SEALING)
IN_FORCE = (Report.State.SIGNED, Report.State.RELEASED)
SUCCESSORS = (Report.Kind.SUPPLEMENT, Report.Kind.CORRECTION)
OPEN = (Report.State.PREPARING, Report.State.DRAFT, Report.State.CHECKED, Report.State.SEALING)
SEAL_LINE_MAX = 8
"""Characters of a court's name on one line of the seal."""
FAULT_MAX = Report._meta.get_field("fault").max_length or 0
CHANGED = "what the report says is no longer what was checked"
"""Of the fault that trying again does not cure: the report is discarded and ordered anew."""


class NotInForce(ValueError):
    """The report that was to be replaced is not signed, or no longer stands."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"report {report.number} is {report.state}, not in force")
        self.report = report


def order(
    case: Case,
    verdicts: list[RunVerdict],
    *,
    by: User,
    language: str = Report.Language.BOTH,
    profiles: tuple[str, ...] = (),
    supersedes: Report | None = None,
    kind: str | None = None,
    reason: str = "",
) -> Report:
    """Write the report's row and ring for it once the transaction commits. `verdicts` belong to the case.

    supersedes   a signed report of the case that this one will take the place of: `kind` correction or supplement, with `reason`;
                 NotInForce when it does not stand

    The same order again, while the first is not yet signed (a button pressed twice, a form sent again), gives the first report.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a report is ordered inside a transaction")
    Case.objects.select_for_update().get(pk=case.pk)
    if supersedes is not None:
        supersedes.refresh_from_db(fields=["state"])
        if supersedes.case_id != case.pk or kind not in SUCCESSORS or not reason:
            raise ValueError("a correction or a supplement names a report of the same case, and says why")
        if supersedes.state not in IN_FORCE:
            raise NotInForce(supersedes)
    wanted = {v.pk for v in verdicts}
    what = {
        "kind": kind or (Report.Kind.SINGLE if len(wanted) == 1 else Report.Kind.CATALOGUE),
        "language": Report.Language(language),
        "profiles": sorted({Report.Profile(p).value for p in profiles}),
        "supersedes": supersedes,
        "reason": reason,
    }
    pending = exactly_on(Report.objects.filter(case=case, created_by=by, state__in=OPEN, **what), wanted).first()
    if pending is not None:
        return pending
    report = Report.objects.create(
        number=_numbers(1)[0], check_code=_check_code(), case=case, created_by=by, version=supersedes.version + 1 if supersedes else 1, **what
    )
    report.verdicts.set(verdicts)
    Step.objects.create(report=report, act=Step.Act.ORDERED, by=by, reason=reason)
    record("report.order", actor=by, case=case, params={"report": report.number})
    transaction.on_commit(partial(bell.ring, report.pk))
    return report


def order_each(case: Case, verdicts: Sequence[RunVerdict], *, by: User, language: str = Report.Language.BOTH) -> list[Report]:
    """A report of its own for each of these verdicts, in their order: as `order`, with a number of questions that does not grow.

    Whether there is one already is the caller's question, under the lock of the case. Bells are rung for the first; the sweep rings for
    the rest, so that hundreds of reports do not stand before everything else in the broker."""
    if not connection.in_atomic_block:
        raise RuntimeError("a report is ordered inside a transaction")
    Case.objects.select_for_update().get(pk=case.pk)
    made = Report.objects.bulk_create(
        Report(number=number, check_code=_check_code(), case=case, created_by=by, kind=Report.Kind.SINGLE, language=Report.Language(language))
        for number in _numbers(len(verdicts))
    )
    Report.verdicts.through.objects.bulk_create(
        Report.verdicts.through(report=report, runverdict=verdict) for report, verdict in zip(made, verdicts, strict=True)
    )
    Step.objects.bulk_create(Step(report=report, act=Step.Act.ORDERED, by=by) for report in made)
    for report in made:
        record("report.order", actor=by, case=case, params={"report": report.number})
    for report in made[:WAITING_MAX]:
        transaction.on_commit(partial(bell.ring, report.pk))
    return made


def latest(exhibits: QuerySet[Exhibit]) -> QuerySet[RunVerdict]:
    """The newest verdict of each exhibit that has one, in the order of the catalogue, without the documents.

    Three questions, each with the keys that the one before gave: as one question the database may plan it quadratic, for the rows of a
    case that was just filled are not in its statistics."""
    keys = list(exhibits.order_by().values_list("pk", flat=True))
    runs = RunVerdict.objects.filter(run__exhibit__in=keys, run__state=Run.State.DONE)
    newest = list(runs.order_by("run__exhibit_id", "-run__number").distinct("run__exhibit_id").values_list("pk", flat=True))
    found = RunVerdict.objects.filter(pk__in=newest).select_related("run__exhibit").defer("document")
    return found.order_by(in_order_of_sides("run__exhibit__side"), "run__exhibit__number")


def exactly_on(reports: QuerySet[Report], verdicts: Collection[int]) -> QuerySet[Report]:
    """Those that speak of these verdicts (keys) and of no other."""
    spoken = Report.verdicts.through.objects.filter(report=OuterRef("pk"))
    counted = reports.annotate(spoken_of=Count("verdicts", distinct=True)).filter(spoken_of=len(verdicts))
    return counted.exclude(Exists(spoken.exclude(runverdict__in=verdicts)))


def produce(report_id: int) -> Report:
    """Draft or sign one report. Safe to call twice; of several workers at once one does the work, the others go away.

    No row of the record is locked while it is rendered and signed (`errands`). A key that cannot be used, and a token that is away, are
    nobody's decision: the report stays in `sealing`, says why, and is tried again.
    """
    report = Report.objects.get(pk=report_id)
    if report.state not in WORK:
        return report
    sealing = report.state == Report.State.SEALING
    claim = errands.claim(report_id, signing=sealing)
    if claim is None:
        return report
    try:
        with errands.held(claim):
            _work(report_id, claim)
    except errands.Lost as lost:
        log.warning("another worker has taken over %s", lost)
    return Report.objects.select_related("case__court", "created_by", "signed_by").get(pk=report_id)


def _work(report_id: int, claim: errands.Claim) -> None:
    # The start is counted in a transaction of its own, so that it stays counted if the work kills the process.
    with errands.guarded(claim):
        report = _locked(report_id)
        if report.state not in WORK:
            errands.done(claim)
            return
        if report.attempts >= ATTEMPTS_MAX:
            _fail(report, f"given up: {report.attempts} attempts ended without a result")
            errands.done(claim)
            return
        Report.objects.filter(pk=report_id).update(attempts=F("attempts") + 1)
    try:
        (_draft if report.state == Report.State.PREPARING else _seal)(report, claim)
    except errands.Lost:
        raise
    except signing.SigningError as fault:
        if isinstance(fault, keyring.WrongPin):
            patience.refuse(fault.mark, str(fault))
        log.error("report %s waits to be signed: %s", report.number, fault)
        with errands.guarded(claim):
            # A start that ended is no start that killed its worker.
            Report.objects.filter(pk=report_id).update(fault=_said(str(fault)), attempts=F("attempts") - 1)
            errands.put_off(claim, fault=str(fault))
    except Exception as fault:  # whatever went wrong, the clerk must see an end, a reason and a way to try again
        log.exception("report %s not made", report.number)
        with errands.guarded(claim):
            _fail(_locked(report_id), f"{type(fault).__name__}: {fault}")
            errands.done(claim)


def waiting(*states: str) -> list[int]:
    """Reports to be worked on in these states (all work without any), but those that wait out a pause or are in hand."""
    now = RawSQL("clock_timestamp()", ())
    idle = Q(errand=None) | (Q(errand__not_before=None) | Q(errand__not_before__lte=now)) & (Q(errand__lease_until=None) | Q(errand__lease_until__lte=now))
    return list(Report.objects.filter(idle, state__in=states or WORK).order_by("pk").values_list("pk", flat=True)[:WAITING_MAX])


def before(report: Report) -> int:
    """How many others come before this one in its queue, of drafts or of signatures; what waits out a pause is passed by."""
    ahead = Report.objects.filter(state=report.state, pk__lt=report.pk)
    return ahead.exclude(errand__not_before__gt=RawSQL("clock_timestamp()", ())).count()


def revise(report: Report, pdf: bytes, *, level: str, reason: str) -> Revision:
    """Keep a later revision of a signed report: it begins with the newest one's bytes and adds to them.

    ReportFault when it does not. The row and the signatures it adds; everybody gets the newest revision from then on.
    """
    vault = Vault(settings.PORTAL_VAULT_DIR)
    with transaction.atomic():
        report = Report.objects.select_for_update().select_related("case").get(pk=report.pk)
        newest = report.newest
        if newest is None:
            raise ReportFault("only a signed report is revised")
        before = vault.read(newest.sha256)
        if pdf == before:
            return newest
        if not pdf.startswith(before):
            raise ReportFault("a revision must extend the bytes that are signed")
        revision = _keep(report, pdf, number=newest.number + 1, level=level, reason=reason)
        record(
            "report.revise",
            actor=None,
            case=report.case,
            subject_digest=revision.sha256,
            params={"report": report.number, "number": revision.number, "level": level, "reason": reason},
        )
    return revision


def _locked(report_id: int) -> Report:
    rows = Report.objects.select_for_update(of=("self",)).select_related("case__court", "created_by", "signed_by")
    return rows.get(pk=report_id)


def _fail(report: Report, fault: str) -> None:
    Step.objects.create(report=report, act=Step.Act.FAILED)
    Report.objects.filter(pk=report.pk).update(state=Report.State.FAILED, stage=report.state, fault=_said(fault))
    record("report.fail", actor=None, case=report.case, params={"report": report.number})
    report.refresh_from_db()


def _said(fault: str) -> str:
    """As much of it as the row holds, and nothing that the database does not take: a fault must never be lost for its own words."""
    return fault.replace("\0", "").encode("utf-8", "replace").decode()[:FAULT_MAX]


def _draft(report: Report, claim: errands.Claim) -> None:
    issued = _database_now()
    # 1.–5. What it says, rendered with its watermark and found to conform.
    made = edition.make(report, issued=issued, draft=True)
    pages = _pages(made.pdf)
    vault = Vault(settings.PORTAL_VAULT_DIR)
    vault.put_bytes(made.annex)
    draft = vault.put_bytes(made.pdf).sha256
    for volume in made.volumes:
        vault.put_bytes(volume.pdf)
    with errands.guarded(claim):
        _drafted(_locked(report.pk), made, issued=issued, draft=draft, pages=pages)
        errands.done(claim)


def _drafted(report: Report, made: edition.Edition, *, issued: datetime, draft: str, pages: int) -> None:
    if report.state != Report.State.PREPARING:
        raise ReportFault(f"the report became {report.state} while it was drafted")
    report.draft_sha256 = draft
    for volume in made.volumes:
        # The annex names them by digest: what is checked with the draft is what the signed report names.
        Volume.objects.create(
            report=report,
            number=volume.number,
            sha256=volume.sha256,
            pages=volume.pages,
            first_item=volume.first.zh,
            last_item=volume.last.zh,
        )
    report.annex_sha256 = made.annex_sha256
    report.issued_at = issued
    report.pages = pages
    report.state, report.stage, report.fault = Report.State.DRAFT, "", ""
    Step.objects.create(report=report, act=Step.Act.DRAFTED)
    report.save()
    record(
        "report.draft",
        actor=None,
        case=report.case,
        subject_digest=report.draft_sha256,
        params={"report": report.number, "annex": report.annex_sha256},
    )


def _seal(report: Report, claim: errands.Claim) -> None:
    if report.issued_at is None:
        raise ReportFault("the report has no draft")
    # 1.–5. The same contents again, without the watermark.
    made = edition.make(report, issued=report.issued_at)
    if made.annex_sha256 != report.annex_sha256:
        raise ReportFault(f"{CHANGED}; order it again")
    # 7.–8. Sign, and check with our own validator before anybody may have it.
    words = (*_two_lines(made.court.zh), "演示用章" if settings.PORTAL_DEMO else "电子签章")
    keys = settings.PORTAL_SIGNING_DIR
    people = {"clerk": report.created_by.get_username(), "judge": report.signed_by.get_username() if report.signed_by else None}
    if said := patience.refused(keyring.marks(keys, **people)):
        raise signing.SigningError(f"not tried again until the PIN file is changed: {said}")
    resting = patience.resting()
    sealed = signing.seal(made.pdf, keys=keys, words=words, fonts=settings.PORTAL_FONT_DIR, resting=resting, **people)
    if not resting:
        if sealed.unanswered:
            patience.rest(sealed.pending)
        else:
            patience.answered()
    if sealed.pending:
        log.warning("report %s signed as %s, to be upgraded: %s", report.number, sealed.level, sealed.pending)
    with ThreadPoolExecutor(1) as beside:  # the validator works outside Python's own lock
        conforming = beside.submit(edition.conform, sealed.pdf)
        faults = checking.check(sealed.pdf, keys=settings.PORTAL_SIGNING_DIR, level=sealed.level)
    if faults:
        raise ReportFault("the signed report does not pass its own check: " + "; ".join(faults))
    conforming.result()
    # 9. Store by digest, then the rows and the act.
    pages = _pages(sealed.pdf)
    Vault(settings.PORTAL_VAULT_DIR).put_bytes(sealed.pdf)
    with errands.guarded(claim):
        _sealed(_locked(report.pk), made, sealed, pages=pages)
        errands.done(claim, note=sealed.pending)


def _sealed(report: Report, made: edition.Edition, sealed: signing.Signed, *, pages: int) -> None:
    if report.state != Report.State.SEALING or made.annex_sha256 != report.annex_sha256:
        raise ReportFault(f"the report became {report.state} while it was signed")
    report.unsigned_sha256 = hashlib.sha256(made.pdf).hexdigest()  # 6.
    report.signed_sha256 = hashlib.sha256(sealed.pdf).hexdigest()
    report.signature_level = sealed.level
    report.pages = pages
    report.signed_at = timezone.now()
    report.state, report.stage, report.fault = Report.State.SIGNED, "", ""
    Step.objects.create(report=report, act=Step.Act.SIGNED)
    report.save()
    _keep(report, sealed.pdf, number=1, level=sealed.level, reason=Revision.Reason.SIGNED)
    record(
        "report.sign",
        actor=report.signed_by,
        case=report.case,
        subject_digest=report.signed_sha256,
        params={
            "report": report.number,
            "annex": report.annex_sha256,
            "unsigned": report.unsigned_sha256,
            "level": sealed.level,
        },
    )
    if report.supersedes_id is not None:
        _replace(report.supersedes_id, by=report)


def _two_lines(name: str) -> tuple[str, ...]:
    """A court's name as it fits into the seal: whole, a long one in halves."""
    half = (len(name) + 1) // 2
    return (name,) if len(name) <= SEAL_LINE_MAX else (name[:half], name[half:])


def _keep(report: Report, pdf: bytes, *, number: int, level: str, reason: str) -> Revision:
    """Bytes to the vault, a row for them and for each signature they hold that no earlier revision held."""
    now = timezone.now()
    stored = Vault(settings.PORTAL_VAULT_DIR).put_bytes(pdf)
    revision = Revision.objects.create(report=report, number=number, sha256=stored.sha256, level=level, reason=reason, at=now)
    persons = {checking.CLERK: report.created_by, checking.JUDGE: report.signed_by}
    known = set(report.signatures.values_list("field", flat=True))
    Signature.objects.bulk_create(
        Signature(
            report=report,
            revision=revision,
            field=found.field,
            person=persons.get(found.field),
            certificate_sha256=found.certificate_sha256,
            subject=found.subject,
            serial=found.serial,
            level="DocTimeStamp" if found.timestamp else level,
            at=now,
        )
        for found in signatories(pdf)
        if found.field not in known
    )
    return revision


def _replace(old_id: int, *, by: Report) -> None:
    """The report that a signed one takes the place of. One that was revoked meanwhile stays revoked."""
    old = Report.objects.select_for_update(of=("self",)).select_related("case").get(pk=old_id)
    if old.state == Report.State.REVOKED:
        return
    if old.state not in (Report.State.SIGNED, Report.State.RELEASED):
        raise ReportFault(f"report {old.number} has already been replaced")
    Step.objects.create(report=old, act=Step.Act.SUPERSEDED, by=by.signed_by, reason=by.number)
    Report.objects.filter(pk=old.pk).update(state=Report.State.SUPERSEDED)
    record("report.supersede", actor=by.signed_by, case=old.case, params={"report": old.number, "successor": by.number})


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment.astimezone(UTC)


def _pages(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


def _check_code() -> str:
    return "".join(secrets.choice(CHECK_CODE_ALPHABET) for _ in range(CHECK_CODE_LENGTH))


def _numbers(count: int) -> list[str]:
    """核验报告 numbers run within the year and are never used twice: rows are never deleted, and two orders at the same
    moment, in whatever cases, wait for one another."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBERING_LOCK])
    prefix = f"HY{timezone.localdate().year}-"
    used = Report.objects.filter(number__startswith=prefix).order_by(Length("number").desc(), "-number").values_list("number", flat=True)
    last = used.first()
    first = int(last.removeprefix(prefix)) + 1 if last else 1
    return [f"{prefix}{number:06d}" for number in range(first, first + count)]
