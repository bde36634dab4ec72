"""The integrity axis of a snapshot, said beside the verdict and never merged with who signed it (spec snapshots §1.2)."""

from collections.abc import Iterable

from ..reasons import Reason
from ..verdict import Finding, Outcome

_ALTERED = {Reason.HASH_FAILURE, Reason.GZIP_CHECK_FAILURE}
_INCOMPLETE = {Reason.RESOURCE_MISSING, Reason.UNLISTED_MEMBER, Reason.TRUNCATED}
_COMPARES = (
    "WARC.BLOCK_DIGEST",
    "WARC.PAYLOAD_DIGEST",
    "WACZ.HASHES",
    "CNP.HASHES",
)
"""Checks that compare bytes with a recorded digest; where none was raised there was nothing to verify."""


def axes(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The note that names the state of integrity that the findings amount to."""
    found = tuple(findings)
    refuted = {f.reason for f in found if f.outcome is Outcome.FAILED}
    open_ = {f.reason for f in found if f.outcome is Outcome.INDETERMINATE}
    accepted = any(n.startswith("KNOWN_WRITER_DEFECT_ACCEPTED") for f in found for n in f.notes)
    if refuted & _ALTERED:
        return ("INTEGRITY_ALTERED",)
    if refuted & _INCOMPLETE or Reason.RESOURCE_LIMIT in open_:
        return ("INTEGRITY_INCOMPLETE",)
    if refuted:
        return ("INTEGRITY_ALTERED",)
    if Reason.KNOWN_WRITER_DEFECT in open_ or accepted:
        return ("INTEGRITY_KNOWN_WRITER_DEFECT",)
    compared = any(f.check in _COMPARES and f.outcome is Outcome.PASSED for f in found)
    if compared and Reason.CRYPTO_CONSTRAINTS_FAILURE not in open_:
        return ("INTEGRITY_INTACT",)
    return ("INTEGRITY_NOTHING_TO_VERIFY",)
