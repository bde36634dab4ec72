"""From stored verdicts to a sealed report in the vault (spec signed-report §6; steps numbered as there).

`order` writes the row in the clerk's transaction; `produce` does the work in a worker and can be repeated: a report that
is already sealed is left alone, one that failed says why and is offered again. Nothing is ever issued unsigned.
"""

import hashlib
import io
import logging
import secrets
from datetime import datetime
from functools import partial
from typing import Any

import pikepdf
import segno
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.template.loader import render_to_string
from django.utils import timezone

from cases.models import Case
from evidence.runs.models import RunVerdict
from evidence.verification import catalogue, selftest
from evidence.verification.trust import TrustStore
from portal.ledger.entries import record
from portal.people.models import User
from portal.vault import Vault

from . import annex, bell, checking, document, rendering, signing
from .models import Report

log = logging.getLogger(__name__)

CHECK_CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CHECK_CODE_LENGTH = 10
FALSE_ALARM = "STREAM-LENGTH-001"
"""The validator takes a carriage return at the end of a stream for an end of line; it is waived as often as that occurs."""

LIMITATIONS = ("S-R16", "S-ITEMS", "S-NOTEXPERT", "S-NOML", "S-JUDGE")


class ReportFault(RuntimeError):
    """The report could not be made; the message is for the clerk and the operator."""


def order(case: Case, verdicts: list[RunVerdict], *, by: User) -> Report:
    """Write the report's row and ring for it once the transaction commits. `verdicts` belong to the case."""
    if not connection.in_atomic_block:
        raise RuntimeError("a report is ordered inside a transaction")
    Case.objects.select_for_update().get(pk=case.pk)
    report = Report.objects.create(
        number=_next_number(),
        check_code="".join(secrets.choice(CHECK_CODE_ALPHABET) for _ in range(CHECK_CODE_LENGTH)),
        case=case,
        created_by=by,
    )
    report.verdicts.set(verdicts)
    record("report.order", actor=by, case=case, params={"report": report.number})
    transaction.on_commit(partial(bell.ring, report.pk))
    return report


def produce(report_id: int) -> Report:
    """Make and seal one report. Safe to call twice; two workers at once do the work once."""
    with transaction.atomic():
        report = Report.objects.select_for_update(of=("self",)).select_related("case__court").get(pk=report_id)
        if report.state != Report.State.PREPARING:
            return report
        try:
            with transaction.atomic():
                _produce(report)
        except Exception as fault:  # whatever went wrong, the clerk must see an end, a reason and a way to try again
            log.exception("report %s not made", report.number)
            Report.objects.filter(pk=report.pk).update(
                state=Report.State.FAILED, fault=f"{type(fault).__name__}: {fault}"[:200]
            )
            record("report.fail", actor=None, case=report.case, params={"report": report.number})
            report.refresh_from_db()
    return report


def waiting() -> list[int]:
    return list(Report.objects.filter(state=Report.State.PREPARING).order_by("pk").values_list("pk", flat=True)[:20])


def _produce(report: Report) -> None:
    tested = selftest.run()
    if tested.failed:
        raise ReportFault(f"self-test failed: {', '.join(tested.failed)}")
    fonts = settings.PORTAL_FONT_DIR

    # 1. The document and its annex.
    stored = report.verdicts.select_related("run__exhibit__party", "run__exhibit__submitted_by").order_by(
        "run__exhibit__side", "run__exhibit__number"
    )
    items = tuple(document.item(v) for v in stored)
    court = _court(report)
    issued = report.created_at
    machine = annex.build(
        report,
        items,
        issued_at=issued.isoformat(),
        court=court,
        selftest=tested,
        limitations=tuple(document.words(catalogue.statement, s) for s in LIMITATIONS),
        system=document.words(catalogue.statement, "S-NOML"),
        not_expert=document.words(catalogue.statement, "S-NOTEXPERT"),
        decision_rule=document.words(catalogue.statement, "S-DECISION"),
    )
    digest = annex.digest(machine)
    html = _html(report, items, court=court, tested=tested, annex_digest=digest, issued=issued)

    # 2. Glyph guard: a character without a glyph would be a box on paper and break PDF/A.
    missing = rendering.missing_glyphs(document.text_of(items, [report.case.number, court.zh, court.en]), fonts=fonts)
    if missing:
        names = " ".join(f"{c} (U+{ord(c):04X})" for c in missing[:20])
        raise ReportFault(f"no font has {names}; install fonts-noto-cjk and fonts-hanazono")

    # 3.–4. Render, re-pack.
    pdf = rendering.render(
        html,
        fonts=fonts,
        cache=settings.PORTAL_DATA_DIR / "fontcache",
        identifier=report.number.encode(),
        attachments=[
            rendering.Attached("result.json", machine, "核验结果 / verification result", "Data", issued)
        ],
    )
    pdf = signing.repack(pdf)

    # 5.–6. Gate, digest of the unsigned document.
    _gate(pdf)
    # 7.–8. Seal, and check with our own validator before anybody may have it.
    words = (court.zh[:8], "电子签章" if not settings.PORTAL_DEMO else "演示用章")
    sealed = signing.seal(pdf, keys=settings.PORTAL_SIGNING_DIR, words=words, fonts=fonts)
    faults = checking.check(sealed.pdf, keys=settings.PORTAL_SIGNING_DIR)
    if faults:
        raise ReportFault("the sealed report does not pass its own check: " + "; ".join(faults))
    # 9. Store by digest, then the row and the act.
    signed = Vault(settings.PORTAL_VAULT_DIR).put_bytes(sealed.pdf)
    report.annex_sha256 = digest
    report.unsigned_sha256 = hashlib.sha256(pdf).hexdigest()
    report.signed_sha256 = signed.sha256
    report.signature_level = sealed.level
    report.pages = _pages(sealed.pdf)
    report.signed_at = timezone.now()
    report.state, report.fault = Report.State.SIGNED, ""
    report.save()
    record(
        "report.sign",
        actor=report.created_by,
        case=report.case,
        subject_digest=signed.sha256,
        params={
            "report": report.number,
            "annex": digest,
            "unsigned": report.unsigned_sha256,
            "level": sealed.level,
        },
    )


def _html(
    report: Report,
    items: tuple[document.Item, ...],
    *,
    court: document.Words,
    tested: selftest.SelfTest,
    annex_digest: str,
    issued: datetime,
) -> str:
    check_url = f"{settings.PORTAL_PUBLIC_URL}/reports/check/?number={report.number}&code={report.check_code}"
    trust = TrustStore.load(settings.PORTAL_TRUST_DIR)
    counts = [(word, sum(i.overall == name for i in items)) for name, word in document.VERDICT_WORDS.items()]
    context: dict[str, Any] = {
        "report": report,
        "case": report.case,
        "court": court,
        "items": items,
        "counts": counts,
        "issued": document.moment(issued),
        "issued_iso": issued.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "demonstration": settings.PORTAL_DEMO or any(i.trust["label"] == "demonstration" for i in items),
        "trust": trust.identity(),
        "selftest": tested,
        "annex_digest": annex_digest,
        "check_url": check_url,
        "qr": segno.make(f"{check_url}#{annex_digest[:16]}", error="m").svg_data_uri(border=2),
        "limitations": [document.words(catalogue.statement, s) for s in LIMITATIONS],
        "decision": document.words(catalogue.statement, "S-DECISION"),
        "before_recording": document.words(catalogue.statement, "S-R18"),
        "grades": [(g, document.words(catalogue.statement, f"GRADE.{g}")) for g in "ABCDE"],
    }
    return render_to_string("report/report.html", context)


def _gate(pdf: bytes) -> None:
    """PDF/A-3a and PDF/UA-1, by the validator; the document is not signed yet, so nothing of signatures is waived."""
    import page  # the package page-validation

    for profile in ("3a", "ua1"):
        faults = [f"{f.rule_id}: {f.message}" for f in page.validate_pdf_bytes(pdf, profile=profile).failures]
        alarms = [f for f in faults if FALSE_ALARM in f]
        if alarms and len(alarms) <= _streams_ending_in_return(pdf):
            faults = [f for f in faults if f not in alarms]
        if faults:
            raise ReportFault(f"not PDF/{profile}: {faults[0]}")


def _streams_ending_in_return(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return sum(
            1
            for thing in opened.objects
            if isinstance(thing, pikepdf.Stream) and thing.read_raw_bytes().endswith(b"\r")
        )


def _pages(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return len(opened.pages)


def _court(report: Report) -> document.Words:
    if report.case.court:
        return document.Words(report.case.court.name_zh, report.case.court.name_en)
    return document.Words(f"法院（{report.case.court_code}）", f"Court ({report.case.court_code})")


def _next_number() -> str:
    """核验报告 numbers run within the year and are never used twice."""
    year = timezone.localdate().year
    last = Report.objects.filter(number__startswith=f"HY{year}-").aggregate(n=Max("number"))["n"]
    return f"HY{year}-{int(last.split('-')[1]) + 1 if last else 1:06d}"
