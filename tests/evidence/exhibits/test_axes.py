"""The five axes from verdicts written down by hand: what each may say, and that only proof is ever called proof."""

from typing import Any

import pytest

from evidence.exhibits import words
from evidence.exhibits.axes import AXES, axes, speaking_walks
from tests import courtroom

CHAIN = ("DIGEST", "RECORD", "TRANSACTION", "LEAF", "ROOT", "BLOCK", "VALIDATORS", "ANCHOR")
STAMP = ("DIGEST", "TOKEN", "CERTIFICATE", "SIGNATURE", "ANCHOR")


def walk(kinds: tuple[str, ...] = CHAIN, *, state: str = "PROVEN", sha256: str = "aa", **broken: tuple[str, str]) -> dict[str, Any]:
    """`broken`: kind at the end of a step -> (outcome, reason)."""
    steps, start = [], "FILE"
    for kind in kinds:
        outcome, reason = broken.get(kind, ("PASSED", None))
        steps.append({"from": {"kind": start, "label": "x"}, "to": {"kind": kind, "label": "x"}, "check": f"X.{kind}", "outcome": outcome, "reason": reason})
        start = kind
    complete = state == "PROVEN" and all(s["outcome"] == "PASSED" for s in steps)
    return {"file": "page.wacz", "sha256": sha256, "source": "proof.json", "grade": "B", "state": state, "complete": complete, "steps": steps}


def document(*walks: dict[str, Any], findings: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    sources = [{"name": "page.wacz", "sha256": "aa", "format": "wacz"}, {"name": "proof.json", "sha256": "bb", "format": "chainmaker"}]
    return {"sources": sources, "walk": list(walks), "findings": list(findings)}


def finding(check: str, outcome: str, reason: str | None = None, bearing: str = "REFUTING") -> dict[str, Any]:
    return {"check": check, "outcome": outcome, "reason": reason, "bearing": bearing}


def values(*walks: dict[str, Any], findings: tuple[dict[str, Any], ...] = (), declared: bool = False) -> list[str]:
    found = axes(document(*walks, findings=findings), declared=declared)
    assert tuple(found) == AXES
    return list(found.values())


BAD, OPEN = ("FAILED", "PROOF_FAILURE"), ("INDETERMINATE", "PROOF_NOT_SUPPLIED")


@pytest.mark.parametrize(
    ("one", "integrity", "inclusion", "anchor"),
    [
        (walk(), "MATCH", "PROVEN", "TRUSTED"),
        (walk(DIGEST=("FAILED", "HASH_FAILURE"), state="ASSERTED"), "MISMATCH", "ASSERTED_BY_PLATFORM", "TRUSTED"),
        (walk(DIGEST=OPEN), "NOT_CHECKED", "PROVEN", "TRUSTED"),
        (walk(ROOT=BAD), "MATCH", "REFUTED", "TRUSTED"),
        (walk(VALIDATORS=OPEN, state="ASSERTED"), "MATCH", "ASSERTED_BY_PLATFORM", "TRUSTED"),
        (walk(VALIDATORS=OPEN), "MATCH", "NOT_CHECKED", "TRUSTED"),
        (walk(state="PROMISED"), "MATCH", "PROMISED", "TRUSTED"),
        (walk(state="PENDING"), "MATCH", "PROMISED", "TRUSTED"),
        (walk(ANCHOR=("INDETERMINATE", "ANCHOR_UNTRUSTED")), "MATCH", "PROVEN", "UNTRUSTED"),
        (walk(ANCHOR=OPEN), "MATCH", "PROVEN", "UNKNOWN"),
        (walk(CHAIN[:-1]), "MATCH", "PROVEN", "UNKNOWN"),
        (walk(STAMP), "MATCH", "NOT_APPLICABLE", "TRUSTED"),
        (walk(("STATEMENT",), state="ASSERTED"), "MATCH", "ASSERTED_BY_PLATFORM", "UNKNOWN"),
        (walk(STAMP, ANCHOR=("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")), "MATCH", "NOT_APPLICABLE", "UNTRUSTED"),
    ],
)
def test_the_three_axes_of_a_walk(one: dict[str, Any], integrity: str, inclusion: str, anchor: str) -> None:
    assert values(one)[:3] == [integrity, inclusion, anchor]


def test_without_a_proof_nothing_is_said_to_match() -> None:
    assert values() == ["NOT_CHECKED", "NOT_CHECKED", "NOT_APPLICABLE", "NONE", "NOT_DECLARED"]


def test_the_weakest_file_decides() -> None:
    two = document(walk())
    two["sources"].append({"name": "second.wacz", "sha256": "cc", "format": "wacz"})
    found = axes(two, declared=True)
    assert (found["integrity"], found["inclusion"]) == ("NOT_CHECKED", "NOT_CHECKED")
    assert [(name, w is not None) for name, w in speaking_walks(two)] == [("page.wacz", True), ("second.wacz", False)]


def test_the_complete_walk_speaks_for_a_file_that_has_a_broken_one_too() -> None:
    assert values(walk(ROOT=BAD), walk(STAMP))[0:3] == ["MATCH", "NOT_APPLICABLE", "TRUSTED"]


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ((), "NONE"),
        ((finding("SIG.INTACT", "PASSED"), finding("INCL.NODE_QUORUM", "PASSED")), "TOTAL-PASSED"),
        ((finding("SIG.INTACT", "PASSED"), finding("TST.SIGNATURE", "FAILED", "SIG_CRYPTO_FAILURE")), "TOTAL-FAILED"),
        ((finding("SIG.INTACT", "PASSED"), finding("TST.SIGNER", "INDETERMINATE", "NO_SIGNING_CERTIFICATE_FOUND")), "INDETERMINATE"),
        ((finding("SIG.IDENTITY", "FAILED", "CERT_HOST_MISMATCH", "ADVISORY"),), "NONE"),
        ((finding("DIGEST.MATCH", "PASSED"),), "NONE"),
    ],
)
def test_signatures(findings: tuple[dict[str, Any], ...], expected: str) -> None:
    assert values(walk(), findings=findings)[3] == expected


def test_a_broken_digest_anywhere_is_a_mismatch_unless_it_only_informs() -> None:
    assert values(walk(), findings=(finding("WARC.DIGESTS", "FAILED", "HASH_FAILURE"),))[0] == "MISMATCH"
    assert values(walk(), findings=(finding("WARC.DIGESTS", "FAILED", "HASH_FAILURE", "ADVISORY"),))[0] == "MATCH"


def test_what_a_person_says_is_never_shown_as_proof() -> None:
    for declared in (True, False):
        assert words.tone(values(walk(), declared=declared)[4]) != "consistent"
    green = {v for v in words.AXIS_VALUES if words.tone(v) == "consistent"}
    assert green == {"MATCH", "PROVEN", "TRUSTED", "TOTAL-PASSED"}


def test_real_verdicts_of_the_engine() -> None:
    read = {name: axes(getattr(courtroom, name)().as_dict(), declared=True) for name in ("consistent", "inconsistent", "indeterminate", "without_proof")}
    assert list(read["consistent"].values()) == ["MATCH", "PROVEN", "TRUSTED", "TOTAL-PASSED", "DECLARED"]
    assert read["inconsistent"]["integrity"] == "MISMATCH"
    assert read["indeterminate"]["anchor_trust"] != "TRUSTED"
    assert read["without_proof"]["integrity"] == "NOT_CHECKED"
