"""Signed PDF files as evidence: notarial deeds, contracts, reports (spec signed-report §10–§16, public-anchors §7).

A signature shows whose key signed which bytes, and with a time-stamp by when; it is no record on a ledger. A file of this kind
is content: its own signature may lead it to a pinned root, as a proof handed in beside it may. A platform's printed certificate
is something else (`certificates.pdf_certificate`), signed or not.
"""

from typing import TYPE_CHECKING

from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import (
    Bearing,
    Examination,
    Grade,
    Node,
    NodeKind,
    Outcome,
    ProofState,
    Step,
    Walk,
    indeterminate,
    step,
)
from .pdf_mark import FILE_BYTES_MAX, is_pdf, is_signed

if TYPE_CHECKING:
    from .pdf_seals import Seals
    from .pdf_signature import Signature


def sniff(source: Source) -> int:
    """A PDF with a signature's range in it. (A PDF without one stays a file of no special kind.)"""
    return 60 if is_pdf(source) and is_signed(source) else 0


def examine(sources: tuple[Source, ...], context: Context) -> Examination:
    found = [(source, seals_of(source, context)) for source in sources]
    return Examination(
        findings=tuple(f for _, seals in found for f in seals.findings),
        walks=tuple(w for source, seals in found for s in seals.signatures if (w := _walk(s, source))),
        not_proven=("NOT_PROVEN.SEAL",),
    )


def seals_of(source: Source, context: Context) -> "Seals":
    """The signatures of one file under the court's store and the certificates handed in beside it."""
    from ..certificates import pem
    from . import pdf_seals

    data = source.read(FILE_BYTES_MAX)
    if data is None:
        limit = Reason.RESOURCE_LIMIT
        open_ = indeterminate(
            pdf_seals.ENUMERATED, limit, source.name, actual=f"{source.size} bytes", bearing=Bearing.DECISIVE
        )
        return pdf_seals.Seals((open_,), readable=False)
    return pdf_seals.examine(
        data,
        subject=source.name,
        trust=context.trust,
        at=context.at,
        certificates=pem.certificates(context.of("x509")),
    )


def _walk(signature: "Signature", source: Source) -> Walk | None:
    """file –unchanged→ signed revision –range→ digest –signature→ certificate –not revoked→ root –time-stamp→ pinned root.

    Without a time proven by a pinned authority the walk ends at that gap, as for every signature (NO_POE). A time-stamp over the
    file goes from the digest straight to its authority.
    """
    from . import pdf_signature

    last = pdf_signature.TIME if signature.is_seal else pdf_signature.LONG_TERM
    time = signature.finding(last)
    if time is None:
        return None
    revision = Node(NodeKind.RECORD, f"0–{signature.end}")
    certificate = Node(NodeKind.CERTIFICATE, signature.signer or "–")
    intact = signature.finding(pdf_signature.INTACT)
    seal = (
        (pdf_signature.INTACT, Node(NodeKind.SIGNATURE, signature.name)),
        (pdf_signature.CONSTRAINTS, certificate),
        (pdf_signature.VALIDITY, certificate),
        (pdf_signature.REVOCATION, certificate),
        (pdf_signature.CHAIN, Node(NodeKind.CERTIFICATE, signature.anchor or "–")),
    )
    steps: list[Step] = []
    at = Node(NodeKind.FILE, source.name)
    for check, to in (
        (pdf_signature.MODIFIED, revision),
        (pdf_signature.VISUAL, revision),
        (pdf_signature.BYTERANGE, Node(NodeKind.DIGEST, (intact.actual if intact else None) or "–")),
        *(seal if signature.is_seal else ()),
        (last, Node(NodeKind.ANCHOR, signature.time_anchor or "–")),
    ):
        finding = signature.finding(check)
        if finding is not None:
            steps.append(step(at, to, finding))
            at = to
    proven = signature.passed and time.outcome is Outcome.PASSED
    sealed = signature.passed and signature.is_seal
    return Walk(
        source=f"{source.name} · {signature.name}",
        file=source.sha256,
        steps=tuple(steps),
        grade=Grade.A if proven else Grade.D if sealed else Grade.E,
        state=ProofState.PROVEN if proven else ProofState.ASSERTED,
        time=signature.time if proven else None,
    )
