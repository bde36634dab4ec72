"""Every platform's certificate beside the chain's own proof: right, it changes nothing; wrong in one thing, it never passes."""

import json
import random
from typing import Any

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification.fisco3_exhibits import answer, built, examine, files, findings, trust
from tests.evidence.verification.platform_statements import SHA256, SM3, STATEMENTS
from tests.evidence.verification.test_platform_certificate_forms import put, text_paths

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
SECONDS = 1790000000
"""The time of the block: 2026-09-21T14:13:20Z."""
HEIGHT = 1204
FORMS = (
    "zxchain reply", "btoe 2021-03-03", "btoe 2021-05-14", "tbaas ChainMaker", "tbaas Fabric transaction", "baidu record",
    "antchain registration", "antchain check", "antchain certificate", "antchain capture", "huawei", "esign files", "esign evidence",
)  # fmt: skip
TX_NAMES = ("txId", "TxId", "EvidenceTxHash", "txid", "tx_hash", "tx_id", "certificate_hash", "antTxHash")
HEIGHT_NAMES = ("blockHeight", "BlockHeight", "BlockchainHeight", "block_height")
BLOCK_NAMES = ("blockid", "block_hash")


def stated(name: str, *, tx: str, block: str) -> dict[str, Any]:
    """The statement, about the record of the chain that the exhibit proves."""
    value = STATEMENTS[name].value
    for path in text_paths(value):
        last, old = path[-1], leaf(value, path)
        if last in TX_NAMES:
            value = put(value, path, tx)
        elif last in HEIGHT_NAMES:
            value = put(value, path, type(old)(HEIGHT))
        elif last in BLOCK_NAMES:
            value = put(value, path, block)
        elif isinstance(old, int) and old > 10**12:
            value = put(value, path, SECONDS * 1000)
        elif isinstance(old, int) and old > 10**9:
            value = put(value, path, SECONDS)
        elif last == "create_time":
            value = put(value, path, str(SECONDS * 1000))
    return value


def leaf(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def judged(value: dict[str, Any]) -> Any:
    chain = built()
    return examine({**files(chain), "certificate.json": json.dumps(value).encode()}, trust(chain))


def of_the_chain() -> dict[str, str]:
    chain = built()
    return {"tx": chain.tx_hash, "block": chain.block["hash"]}


@pytest.mark.parametrize("name", FORMS)
def test_a_certificate_that_agrees_changes_nothing(name: str) -> None:
    verdict = judged(stated(name, **of_the_chain()))
    assert answer(verdict, "CERT.FIELDS") == (PASSED, None)
    assert (verdict.overall, verdict.grade.value) == (Overall.CONSISTENT, "B")


@pytest.mark.parametrize("name", FORMS)
def test_a_certificate_wrong_in_one_thing_never_passes(name: str) -> None:
    """Another transaction, height, block or digest: INCONSISTENT, or open where another record may be meant."""
    right = stated(name, **of_the_chain())
    tried = 0
    for path in text_paths(right):
        last, old = path[-1], leaf(right, path)
        if last in TX_NAMES or last in BLOCK_NAMES:
            wrong: Any = "0x" + "12" * 32
        elif last in HEIGHT_NAMES:
            wrong = type(old)(HEIGHT + 1)
        elif old in (SHA256, SM3):
            wrong = "12" * 32
        else:
            continue
        tried += 1
        verdict = judged(put(right, path, wrong))
        if last in TX_NAMES and not holds_digest_or_place(right):
            # All that it says is the transaction, and that one is not here.
            assert verdict.overall is Overall.INDETERMINATE
        else:
            assert verdict.overall is not Overall.CONSISTENT, (path, verdict.reasons)
        if last in HEIGHT_NAMES or last in BLOCK_NAMES:
            assert answer(verdict, "CERT.FIELDS") == (FAILED, Reason.CERT_FIELDS_CONFLICT)
    assert tried


def holds_digest_or_place(value: dict[str, Any]) -> bool:
    return any(leaf(value, p) in (SHA256, SM3) for p in text_paths(value))


@pytest.mark.parametrize("name", ["huawei", "baidu record", "zxchain reply", "tbaas ChainMaker"])
def test_a_documented_time_days_away_from_the_block(name: str) -> None:
    right = stated(name, **of_the_chain())
    day = 86_400_000
    for path in text_paths(right):
        old = leaf(right, path)
        if str(old) in (str(SECONDS * 1000), str(SECONDS)) and path[-1] != "TimestampTsaTime":
            step = day if len(str(old)) == 13 else day // 1000
            for days, passes in ((1, True), (2, False), (-2, False)):
                verdict = judged(put(right, path, type(old)(int(old) + days * step)))
                assert (verdict.overall is Overall.CONSISTENT) is passes, (path, days)


def test_seeded_changes_beside_a_proof_never_better_than_without() -> None:
    """Whatever a certificate says, the exhibit is no better for it: only CONSISTENT where it was, with the same walk."""
    rng = random.Random("beside proofs")
    plain = judged_without()
    for _ in range(150):
        value = stated(rng.choice(FORMS), **of_the_chain())
        for _ in range(rng.randrange(1, 3)):
            path = rng.choice(text_paths(value))
            value = put(value, path, rng.choice([None, "", "x", 0, 10**20, SHA256, [], {}, True, "0x" + "ab" * 32]))
        if not isinstance(value, dict):
            continue
        verdict = judged(value)
        assert not findings(verdict, "ENGINE.RUN"), value
        # A certificate that names the transaction and another digest breaks the walk; none makes a new one.
        assert {w for w in verdict.walks if w.complete} <= {w for w in plain.walks if w.complete}


def judged_without() -> Any:
    chain = built()
    return examine(files(chain), trust(chain))
