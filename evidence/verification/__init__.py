"""The engine: `verify(exhibit, trust, at) -> Verdict`, the only public door.

Pure Python over bytes: no Django, no network, no environment, no wall clock. The worker, the litigant's pre-check, the
self-test and the offline command all go through this function and get the same bytes.
"""

from dataclasses import replace
from datetime import datetime

from .exhibit import Exhibit, ExhibitError, Source
from .reasons import Reason
from .registry import FORMATS, Context, Format, Role, recognise
from .trust import TrustError, TrustStore
from .verdict import (
    ENGINE,
    Bearing,
    Examination,
    SourceRecord,
    Verdict,
    conclude,
    indeterminate,
)

__all__ = ["Exhibit", "ExhibitError", "Source", "TrustError", "TrustStore", "Verdict", "verify"]

ALWAYS_NOT_PROVEN = ("NOT_PROVEN.BEFORE_RECORDING", "NOT_PROVEN.CONTENT", "NOT_PROVEN.FINDING_OF_COURT")
"""What no verification shows, whatever the format (Online Litigation Rules arts. 16 and 18)."""


def verify(exhibit: Exhibit, trust: TrustStore, at: datetime) -> Verdict:
    """Examine every file of the exhibit against what the court trusts, as of `at` (aware datetime).

    Never raises for what a party handed in: a fault of the engine itself becomes INTERNAL_ERROR, never a pass.
    """
    if at.tzinfo is None:
        raise ValueError("`at` needs a time zone")
    formats, faults = recognise(exhibit)
    context = Context(exhibit, trust, at, formats)
    examinations = [_fault((source,), Reason.INTERNAL_ERROR, fault) for source, fault in faults.items()]
    for role in Role:
        for fmt in FORMATS:
            if fmt.role is role and (sources := context.of(fmt.name)):
                found = _examine(fmt, sources, context)
                examinations.append(found)
                context = replace(context, claims=context.claims + found.claims)

    findings = tuple(f for e in examinations for f in e.findings)
    walks = tuple(w for e in examinations for w in e.walks)
    content = [s.sha256 for s in context.content]
    overall, grade, time, reasons = conclude(
        findings=findings, walks=walks, content=content, accept_d=_accepts_d(context)
    )
    return Verdict(
        engine=ENGINE,
        at=at,
        trust=trust.identity(),
        sources=tuple(
            SourceRecord(s.name, s.size, s.sha256, s.sm3, context.formats[s].name) for s in exhibit.sources
        ),
        overall=overall,
        grade=grade,
        time=time,
        findings=findings,
        walks=walks,
        not_proven=tuple(dict.fromkeys([*ALWAYS_NOT_PROVEN, *(n for e in examinations for n in e.not_proven)])),
        reasons=reasons,
    )


def _examine(fmt: Format, sources: tuple[Source, ...], context: Context) -> Examination:
    try:
        return fmt.load().examine(sources, context)  # type: ignore[no-any-return]
    except MemoryError as fault:
        return _fault(sources, Reason.RESOURCE_LIMIT, type(fault).__name__)
    except Exception as fault:  # an unexpected fault is reported as such, never hidden and never a pass
        return _fault(sources, Reason.INTERNAL_ERROR, type(fault).__name__)


def _fault(sources: tuple[Source, ...], reason: Reason, fault: str) -> Examination:
    return Examination(
        findings=tuple(
            indeterminate(
                "ENGINE.RUN", reason, s.name, actual=fault, bearing=Bearing.DECISIVE
            )
            for s in sources
        )
    )


def _accepts_d(context: Context) -> bool:
    """Grade D counts only when the policy lists every platform that speaks in this exhibit."""
    platforms = {c.platform for c in context.claims}
    return bool(platforms) and None not in platforms and platforms <= context.trust.accept_d
