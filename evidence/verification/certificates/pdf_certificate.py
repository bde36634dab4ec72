"""Platform certificates as PDF files: what the pages say, and whose seal stands on them (spec consortium-chains §10.1 check 2).

The visible text gives the same claims as any other certificate and is never more than a claim. The seal says who makes it: a
passed seal raises the platform's own statement to grade D, and it remains a statement.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..signatures import pdf
from ..signatures.pdf_mark import FILE_BYTES_MAX, is_pdf, is_signed
from ..trust import TrustStore
from ..verdict import (
    Bearing,
    Examination,
    Finding,
    Grade,
    Node,
    NodeKind,
    Outcome,
    Walk,
    failed,
    indeterminate,
    passed,
    step,
)
from . import matching

if TYPE_CHECKING:
    from ..signatures.pdf_seals import Seals

SEAL, MATCH = "CERT.SIG", matching.MATCH
LAW = ("CN-R16b", "CN-E94-2")


def sniff(source: Source) -> int:
    """A PDF whose visible text reads as a certificate: it states a transaction, a block or its own number, and one thing more."""
    if not is_pdf(source) or source.size > FILE_BYTES_MAX:
        return 0
    from ..signatures import pdf_text
    from . import printed

    # Whether letters are shown takes a drawing of each page: only where the letters are those of a certificate.
    for text in (pdf_text.glimpse, _shown):
        if printed.read(text(source), source=source.name) is None:
            return 0
    return 70


def _shown(source: Source) -> str:
    from ..signatures import pdf_text

    return pdf_text.of(source).text


def examine(sources: tuple[Source, ...], context: Context) -> Examination:
    """All certificates together, so that a digest that another of them explains refutes none."""
    parts = []
    for source in sources:
        found = _examine(source, context)
        context = replace(context, claims=context.claims + found.claims)
        parts.append(found)
    return Examination(
        findings=tuple(f for p in parts for f in p.findings),
        walks=tuple(w for p in parts for w in p.walks),
        claims=tuple(c for p in parts for c in p.claims),
        spoken_of=frozenset().union(*(p.spoken_of for p in parts)),
        not_proven=tuple(dict.fromkeys(n for p in parts for n in p.not_proven)),
        stated=tuple(t for p in parts for t in p.stated),
    )


def _examine(source: Source, context: Context) -> Examination:
    from ..signatures import pdf_seals, pdf_text
    from . import printed

    text = pdf_text.of(source)
    stated = printed.claims_from_text(text.text, source=source, context=context)
    seals = pdf.seals_of(source, context) if is_signed(source) else pdf_seals.Seals(())
    seal = _seal(source, seals, context.trust, frozenset(h for c in stated.claims for h in c.hosts))
    findings = [text.finding(source.name), *stated.findings, seal, *seals.findings]
    if context.content and not any(w.file for w in stated.walks):
        # A PDF shows more than its text: one that speaks of no file here must not pass as a mere companion of those that are.
        missing = Reason.SIGNED_DATA_NOT_FOUND
        findings.append(indeterminate(MATCH, missing, source.name, bearing=Bearing.DECISIVE))
    best = seals.best
    sealed_by = context.trust.platform_of_seal(best.certificate) if best and best.certificate else None
    claims = stated.claims
    if seal.outcome is Outcome.PASSED and sealed_by is not None:
        claims = tuple(replace(c, platform=sealed_by.id) for c in claims)
    return replace(
        stated,
        findings=tuple(findings),
        walks=tuple(_sealed(w, seal, (best.anchor if best else None) or "–") for w in stated.walks),
        claims=claims,
        not_proven=tuple(dict.fromkeys([*stated.not_proven, "NOT_PROVEN.SEAL"])),
    )


def _seal(source: Source, seals: "Seals", trust: TrustStore, hosts: frozenset[str]) -> Finding:
    """CERT.SIG: one seal that passed in every respect, and none that is broken. `hosts`: of the addresses on the pages."""
    name = source.name
    if not seals.readable:
        unread = seals.document[0]
        return replace(unread, check=SEAL, law=LAW, bearing=Bearing.REFUTING)
    broken = next((f for f in seals.findings if f.outcome is Outcome.FAILED), None)
    if broken is not None:
        reason = broken.reason or Reason.SIG_CRYPTO_FAILURE
        return failed(SEAL, reason, name, actual=broken.check, law=LAW)
    best = seals.best
    if best is None:
        seen = [s for s in seals.signatures if s.is_seal]
        if not seen:
            return indeterminate(SEAL, Reason.SIGNED_DATA_NOT_FOUND, name, law=LAW)
        worst = next((w for s in seen if (w := s.worst)), None)
        reason = (worst.reason if worst else None) or Reason.NO_CERTIFICATE_CHAIN_FOUND
        return indeterminate(SEAL, reason, name, actual=worst.check if worst else None, law=LAW)
    platform = trust.platform_of_seal(best.certificate) if best.certificate else None
    due = [p for p in trust.platforms if p.seals and hosts.intersection(p.hosts)]
    if due and platform not in due:
        # The court knows the seals of the platform whose address stands on the certificate, and this is none of them.
        reason = Reason.PLATFORM_NOT_IN_POLICY
        return indeterminate(SEAL, reason, name, expected=due[0].id, actual=best.signer, law=LAW)
    notes = (f"PLATFORM_SEAL:{platform.id}",) if platform else ("SEAL_OF_NO_PLATFORM",)
    return passed(SEAL, name, expected=best.anchor, actual=best.signer, notes=notes, law=LAW)


def _sealed(walk: Walk, seal: Finding, anchor: str) -> Walk:
    """The statement's walk goes on through its seal. It stays ASSERTED: a seal vouches for who says it, not for the ledger."""
    if not walk.steps or walk.steps[-1].end.kind is not NodeKind.STATEMENT:
        return walk
    on = step(walk.steps[-1].end, Node(NodeKind.ANCHOR, anchor), seal)
    grade = Grade.D if seal.outcome is Outcome.PASSED else Grade.E
    return replace(walk, steps=(*walk.steps, on), grade=grade)
