"""The five axes, shown separately and never added up (court-domain §1, §11.2 `axes`): a pure function of a verdict.

    integrity     do the bytes equal what was recorded?           first step of each file's walk, and any broken digest
    inclusion     is the record in the ledger it is said to be in? the steps between the digest and the block
    anchor_trust  does the walk end at something the court pinned? the last step
    signatures    are the signatures those of whom they name?      every check of a signature
    pre_chain     what is said about the time before recording?    the submitter's statement; no machine answers this
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evidence.verification.registry import FORMATS, UNKNOWN, Role

AXES = ("integrity", "inclusion", "anchor_trust", "signatures", "pre_chain")

BROKEN_BYTES = frozenset({"HASH_FAILURE", "GZIP_CHECK_FAILURE"})
"""Reasons that say bytes and a digest of them disagree."""
ON_A_LEDGER = frozenset({"TRANSACTION", "BLOCK"})
"""A walk past one of these claims a ledger; without them it is a time-stamp or a signature, and inclusion does not apply."""
SIGNATURE_CHECKS = frozenset({"INCL.NODE_QUORUM", "INCL.SENDER"})
SIGNATURE_WORDS = ("SIGNATURE", "SIGNER")
CONTENT_FORMATS = frozenset(f.name for f in (*FORMATS, UNKNOWN) if f.role is Role.CONTENT)
"""Each file of such a format needs a walk of its own."""

Document = Mapping[str, Any]
Walk = Mapping[str, Any]


def axes(document: Document, *, declared: bool) -> dict[str, str]:
    """Axis -> value of `report_annex.schema.json`. `declared`: the submitter said something about the time before recording."""
    walks = [walk for _, walk in speaking_walks(document)]
    return {
        "integrity": _integrity(document, walks),
        "inclusion": _worst(map(_inclusion, walks), INCLUSION_ORDER, none="NOT_CHECKED"),
        "anchor_trust": _worst(map(_anchor, walks), ANCHOR_ORDER, none="NOT_APPLICABLE"),
        "signatures": _signatures(document["findings"]),
        "pre_chain": "DECLARED" if declared else "NOT_DECLARED",
    }


def speaking_walks(document: Document) -> list[tuple[str, Walk | None]]:
    """For each file that is evidence (not proof or certificate): its name, and the walk that speaks for it, if any."""
    proofs = {w["source"] for w in document["walk"]}
    found = []
    for source in document["sources"]:
        walk = best(w for w in document["walk"] if w["sha256"] == source["sha256"])
        if walk or (source["format"] in CONTENT_FORMATS and source["name"] not in proofs):
            found.append((source["name"], walk))
    return found


def best(walks: Iterable[Walk]) -> Walk | None:
    """Complete before broken, better grade, then the longest way passed: the order of the engine's `best_walk`."""
    return min(
        walks,
        key=lambda w: (
            not w["complete"],
            w["grade"] if w["complete"] else "",
            -sum(s["outcome"] == "PASSED" for s in w["steps"]),
            w["grade"],
            w["source"],
        ),
        default=None,
    )


INCLUSION_ORDER = ("REFUTED", "NOT_CHECKED", "ASSERTED_BY_PLATFORM", "PROMISED", "PROVEN", "NOT_APPLICABLE")
ANCHOR_ORDER = ("UNTRUSTED", "UNKNOWN", "NOT_APPLICABLE", "TRUSTED")


def _worst(values: Iterable[str], order: Sequence[str], *, none: str) -> str:
    return min(values, key=order.index, default=none)


def _integrity(document: Document, walks: Sequence[Walk | None]) -> str:
    for finding in document["findings"]:
        if finding["outcome"] == "FAILED" and finding["reason"] in BROKEN_BYTES and finding["bearing"] != "ADVISORY":
            return "MISMATCH"
    first = [w["steps"][0]["outcome"] if w and w["steps"] else "INDETERMINATE" for w in walks]
    if "FAILED" in first:
        return "MISMATCH"
    return "MATCH" if first and set(first) == {"PASSED"} else "NOT_CHECKED"


def _inclusion(walk: Walk | None) -> str:
    if walk is None or not walk["steps"]:
        return "NOT_CHECKED"
    steps = walk["steps"]
    if not {s["to"]["kind"] for s in steps} & ON_A_LEDGER:
        # A certificate that only says so, or a time-stamp or signature, which is no ledger at all.
        return "ASSERTED_BY_PLATFORM" if steps[-1]["to"]["kind"] == "STATEMENT" else "NOT_APPLICABLE"
    # The first step is about the bytes, the last about the court's trust; what lies between is the ledger's.
    outcomes = [s["outcome"] for s in steps[1:-1]]
    if "FAILED" in outcomes:
        return "REFUTED"
    if walk["state"] == "PROVEN":
        return "PROVEN" if set(outcomes) <= {"PASSED"} else "NOT_CHECKED"
    return "PROMISED" if walk["state"] in {"PROMISED", "PENDING"} else "ASSERTED_BY_PLATFORM"


def _anchor(walk: Walk | None) -> str:
    if walk is None or not walk["steps"]:
        return "NOT_APPLICABLE"
    last = walk["steps"][-1]
    if last["to"]["kind"] != "ANCHOR":
        return "UNKNOWN"
    if last["outcome"] == "PASSED":
        return "TRUSTED"
    named = {"ANCHOR_UNTRUSTED", "NO_CERTIFICATE_CHAIN_FOUND", "ANCHOR_MISMATCH"}
    return "UNTRUSTED" if last["outcome"] == "FAILED" or last["reason"] in named else "UNKNOWN"


def _signatures(findings: Sequence[Mapping[str, Any]]) -> str:
    about = [f["outcome"] for f in findings if f["bearing"] != "ADVISORY" and _is_signature(f["check"])]
    if not about:
        return "NONE"
    if "FAILED" in about:
        return "TOTAL-FAILED"
    return "TOTAL-PASSED" if set(about) == {"PASSED"} else "INDETERMINATE"


def _is_signature(check: str) -> bool:
    family, _, name = check.partition(".")
    return family == "SIG" or check in SIGNATURE_CHECKS or name in SIGNATURE_WORDS
