"""PDF/A-3a and PDF/UA-1 by an independent validator (spec signed-report §6 step 5, §9).

Every document is checked by the process that made it, before it leaves; a signed one is checked again. Two things that the
validator says are no faults and are known by their rule.
"""

import io
from concurrent.futures import ThreadPoolExecutor

import pikepdf

PROFILES = ("3a", "ua1")
FALSE_ALARM = "STREAM-LENGTH-001"
"""The validator takes a carriage return at the end of a stream for an end of line; it is waived as often as that occurs."""
COVERAGE_RULE = "SIGNATURE-BYTERANGE-001"
"""The validator wants each signature to cover the whole file; a later time-stamp makes that impossible for the seal."""


def faults(pdf: bytes, *, signed: bool = False) -> list[str]:
    """Each rule that is broken, as `PDF/profile: rule: message`; empty: it conforms."""
    with ThreadPoolExecutor(len(PROFILES)) as both:  # outside Python's own lock
        read = list(both.map(lambda profile: against(pdf, profile, signed=signed), PROFILES))
    return [fault for found in read for fault in found]


def against(pdf: bytes, profile: str, *, signed: bool = False) -> list[str]:
    """The same of one of the `PROFILES`."""
    import page  # the package page-validation

    failures = page.validate_pdf_bytes(pdf, profile=profile).failures
    said = [f"PDF/{profile}: {f.rule_id}: {f.message}" for f in failures if not (signed and COVERAGE_RULE in f.rule_id)]
    alarms = [f for f in said if FALSE_ALARM in f]
    if alarms and len(alarms) <= _streams_ending_in_return(pdf):
        said = [f for f in said if f not in alarms]
    return said


def _streams_ending_in_return(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return sum(
            1
            for thing in opened.objects
            if isinstance(thing, pikepdf.Stream) and thing.read_raw_bytes().endswith(b"\r")
        )
