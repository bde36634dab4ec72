"""The examples of the OpenTimestamps client, with what their README says, as far as it goes without block headers."""

import os
import re
from pathlib import Path

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.verdict import Outcome, Overall
from tests.evidence.verification.snapshot_exhibits import answer, notes, verified

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors") / "public" / "ots"
if not EXAMPLES.is_dir():
    pytest.skip(f"NOT RUN: no {EXAMPLES}; set MINGJIAN_VECTORS", allow_module_level=True)

OPEN, FAILED, PASSED = Outcome.INDETERMINATE, Outcome.FAILED, Outcome.PASSED
PAIRS = {
    "hello-world.txt": Reason.ANCHOR_UNAVAILABLE,
    "bad-stamp.txt": Reason.ANCHOR_UNAVAILABLE,
    "different-blockchains.txt": Reason.ANCHOR_UNAVAILABLE,
    "incomplete.txt": Reason.PROMISE_ONLY,
    "merkle1.txt": Reason.PROMISE_ONLY,
    "merkle2.txt": Reason.PROMISE_ONLY,
    "merkle3.txt": Reason.PROMISE_ONLY,
    "two-calendars.txt": Reason.PROMISE_ONLY,
    "known-and-unknown-notary.txt": Reason.PROMISE_ONLY,
    "unknown-notary.txt": Reason.UNSUPPORTED_FORMAT,
}


@pytest.mark.parametrize(("name", "reason"), PAIRS.items())
def test_examples_beside_their_file(name: str, reason: Reason) -> None:
    verdict = verified(EXAMPLES / name, EXAMPLES / f"{name}.ots")
    assert answer(verdict, "OTS.IMPRINT") == (PASSED, None)
    assert answer(verdict, "OTS.ATTESTATION") == (OPEN, reason)
    assert verdict.overall is Overall.INDETERMINATE


def test_the_commitment_is_the_root_of_the_block_it_names() -> None:
    """Block 358391 of Bitcoin, from its header; the bad stamp names the same block with another root."""
    header = re.search(r"[0-9a-f]{160}", (EXAMPLES / "headers-for-examples.json").read_text())
    assert header is not None
    root = bytes.fromhex(header[0])[36:68][::-1].hex()
    said = notes(verified(EXAMPLES / "hello-world.txt", EXAMPLES / "hello-world.txt.ots"), "OTS.ATTESTATION")
    assert f"OTS_BITCOIN_BLOCK:358391 {root}" in said
    bad = notes(verified(EXAMPLES / "bad-stamp.txt", EXAMPLES / "bad-stamp.txt.ots"), "OTS.ATTESTATION")
    assert f"OTS_BITCOIN_BLOCK:358391 {root}" not in bad and len(bad) == 1


@pytest.mark.parametrize("path", sorted((EXAMPLES / "invalid").glob("*.ots")), ids=lambda p: p.name)
def test_invalid_examples_fail(path: Path) -> None:
    assert answer(verified(path), "OTS.FORMAT") == (FAILED, Reason.FORMAT_FAILURE)


def test_a_digest_that_two_files_have_is_weak() -> None:
    folder = EXAMPLES / "sha1"
    for name in ("a", "b"):
        verdict = verified(folder / name, folder / "a-or-b.ots")
        assert answer(verdict, "OTS.IMPRINT") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
        assert verdict.overall is Overall.INDETERMINATE
