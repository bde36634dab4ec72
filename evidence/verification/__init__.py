"""The engine: `verify(exhibit, trust, at) -> Verdict`, the only public door.

Pure Python over bytes: no Django, no network, no environment, no wall clock. The worker, the litigant's pre-check, the
self-test and the offline command all go through this function and get the same bytes.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from . import selftest, stated
from .chains import assembly
from .exhibit import Exhibit, ExhibitError, Source
from .reasons import Reason
from .registry import FORMATS, Context, Format, Role, recognise
from .snapshots import time_order
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

    `at` counts in whole milliseconds, as it is printed: the printed moment given back must be the same moment. ValueError
    when it has no time zone or lies outside the calendar.

    Never raises for what a party handed in: a fault of the engine itself becomes INTERNAL_ERROR, never a pass.
    """
    if at.tzinfo is None:
        raise ValueError("`at` needs a time zone")
    try:
        at = at.astimezone(UTC)
    except OverflowError as fault:
        raise ValueError("`at` lies outside the calendar") from fault
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    formats, faults = recognise(exhibit)
    tested = selftest.run(f.name for f in formats.values())
    context = Context(exhibit, trust, at, formats)
    examinations = [_fault((source,), Reason.INTERNAL_ERROR, fault) for source, fault in faults.items()]
    for role in Role:
        for fmt in FORMATS:
            if fmt.role is role and (sources := context.of(fmt.name)):
                found = _blocked(sources) if tested.blocks(fmt.name) else _examine(fmt, sources, context)
                examinations.append(found)
                context = _knowing(context, found)
    examinations.append(_climb(context))
    examinations.append(_order(context, examinations))

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
        selftest=tested,
        stated=stated.kept(t for e in examinations for t in e.stated),
    )


def _blocked(sources: tuple[Source, ...]) -> Examination:
    """The engine does not give its own known answers for these files: what it would say of them is worth nothing."""
    return Examination(
        findings=tuple(
            indeterminate("ENGINE.SELFTEST", Reason.SELFTEST_FAILED, s.name, bearing=Bearing.DECISIVE) for s in sources
        )
    )


def _knowing(context: Context, found: Examination) -> Context:
    """What the formats that follow, and the ladder, may build upon."""
    return replace(
        context,
        claims=context.claims + found.claims,
        proofs=context.proofs + found.proofs,
        spoken_of=context.spoken_of.union(found.spoken_of, *(p.spoken_of for p in found.proofs)),
    )


def _climb(context: Context) -> Examination:
    """Every chain proof and every certificate of the exhibit, of whatever format, against each other."""
    concerned = tuple(
        s for s in context.exhibit.sources if context.formats[s].role in (Role.PROOF, Role.CERTIFICATE)
    )
    return _guarded(lambda: assembly.climb(context), concerned)


def _order(context: Context, examinations: list[Examination]) -> Examination:
    """What the files state of their times, against what is proven of them."""
    walks = [w for e in examinations for w in e.walks]
    told = [t for e in examinations for t in e.stated]
    return _guarded(lambda: time_order.examine(context, walks, told), context.content)


def _examine(fmt: Format, sources: tuple[Source, ...], context: Context) -> Examination:
    return _guarded(lambda: cast(Examination, fmt.load().examine(sources, context)), sources)


def _guarded(work: Callable[[], Examination], sources: tuple[Source, ...]) -> Examination:
    try:
        return work()
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
    """Grade D counts only when the policy lists the operator of every chain that a file here is recorded on. Whose chain it is
    stands in the court's profile; what a certificate says of its platform is a party's word."""
    content = context.content
    operators = {p.profile.operator if p.profile else None for p in context.proofs if p.spoken_of.intersection(content)}
    return bool(operators) and operators <= context.trust.accept_d
