"""FISCO BCOS 2: one change of every class, caught at the rung that names it."""

import copy
import hashlib
from typing import Any

import pytest

from evidence.verification import TrustStore
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Overall
from tests.evidence.verification.fisco2_exhibits import (
    CONTRACT,
    built,
    encode,
)
from tests.evidence.verification.fisco3_exhibits import (
    FAILED,
    OPEN,
    PAGE,
    SUITES,
    answer,
    examine,
    findings,
    trust,
)

Json = dict[str, Any]
DIGEST = hashlib.sha256(PAGE).digest()


@pytest.fixture(scope="module")
def stores() -> dict[str, TrustStore]:
    return {suite: trust(built(suite)) for suite in SUITES}


def flipped(text: str, at: int) -> str:
    """One hex digit changed."""
    return text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]


def change(record: Json, path: tuple[Any, ...], value: Any) -> None:
    holder: Any = record
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value(holder[path[-1]]) if callable(value) else value


T, R, H = "transaction", "receipt", "header"
BODY, DONE = "transaction", "transactionReceipt"
X, S, P, HEAD, Q, E, KIND = (
    "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.NODE_QUORUM", "INCL.EXECUTION", "INCL.LEDGER_KIND",
)  # fmt: skip
HASH, PROOF, FORM = Reason.HASH_FAILURE, Reason.PROOF_FAILURE, Reason.FORMAT_FAILURE


def moved(units: list[Json]) -> list[Json]:
    """The first two siblings exchanged."""
    side = units[0]["right"]
    return [{"left": units[0]["left"], "right": [side[1], side[0], *side[2:]]}, *units[1:]]


ONE_CHANGE: list[tuple[str, tuple[Any, ...], Any, str, Reason]] = [
    *((T, (BODY, n), lambda v: flipped(v, 2), X, HASH) for n in ("nonce", "gasPrice", "gas", "blockLimit", "chainId", "groupId")),
    (T, (BODY, "value"), "0x1", X, HASH),
    (T, (BODY, "extraData"), "0x00", X, HASH),
    (T, (BODY, "to"), lambda v: flipped(v, 30), X, HASH),
    (T, (BODY, "to"), None, X, HASH),
    (T, (BODY, "input"), lambda v: flipped(v, 20), X, HASH),
    (T, (BODY, "input"), lambda v: v + "00", X, HASH),
    (T, (BODY, "input"), lambda v: v + "0", KIND, FORM),
    (T, (BODY, "hash"), lambda v: flipped(v, 9), X, HASH),
    (T, (BODY, "signature", "r"), lambda v: flipped(v, 9), X, HASH),
    (T, (BODY, "signature", "s"), lambda v: flipped(v, 9), X, HASH),
    (T, (BODY, "signature", "r"), lambda v: "0x00" + v[2:], KIND, FORM),
    (T, (BODY, "signature", "s"), lambda v: "0x" + v[4:], KIND, FORM),
    (T, (BODY, "signature", "signature"), lambda v: flipped(v, 9), S, Reason.SIG_CRYPTO_FAILURE),
    (T, (BODY, "from"), lambda v: flipped(v, 9), S, HASH),
    (T, (BODY, "transactionIndex"), "0x1", P, PROOF),
    (T, (BODY, "transactionIndex"), "0x10", P, PROOF),
    (T, (BODY, "blockNumber"), "0x1", P, PROOF),
    (T, (BODY, "blockHash"), lambda v: flipped(v, 9), P, PROOF),
    (T, ("txProof", 0, "right", 0), lambda v: flipped(v, 9), P, PROOF),
    (T, ("txProof", 0, "right", 0), lambda v: flipped(v, 1), P, PROOF),
    (T, ("txProof", 0, "right", 0), lambda v: "81" + v, P, PROOF),
    (T, ("txProof", 0, "right"), lambda v: v[:-1], P, PROOF),
    (T, ("txProof", 0, "right"), lambda v: [*v, "10" + "00" * 32], P, PROOF),
    (T, ("txProof", 0, "right"), [], P, PROOF),
    (T, ("txProof", 1, "right"), [], P, PROOF),
    (T, ("txProof", 1, "right", 0), lambda v: flipped(v, 9), P, PROOF),
    (T, ("txProof", 1, "right", 0), lambda v: v[:62], P, PROOF),
    (T, ("txProof", 2, "right"), ["00" * 32], P, PROOF),
    (T, ("txProof",), moved, P, PROOF),
    (T, ("txProof",), lambda v: v[:2], P, PROOF),
    (T, ("txProof",), lambda v: [*v, {"left": [], "right": []}], P, PROOF),
    (T, ("txProof",), lambda v: [v[1], v[0], v[2]], P, PROOF),
    (T, ("txProof",), lambda v: [{"left": v[0]["right"], "right": []}, *v[1:]], P, PROOF),
    (T, ("txProof",), [], P, PROOF),
    (T, ("txProof",), [{"left": []}], KIND, FORM),
    *((H, (n,), lambda v: flipped(v, 9), HEAD, HASH) for n in ("parentHash", "stateRoot", "transactionsRoot", "receiptsRoot", "dbHash", "logsBloom", "hash")),
    (H, ("transactionsRoot",), lambda v: flipped(v, 9), P, PROOF),
    (H, ("receiptsRoot",), lambda v: flipped(v, 9), E, PROOF),
    (H, ("number",), lambda v: v + 1, HEAD, HASH),
    (H, ("gasLimit",), "0x1", HEAD, HASH),
    (H, ("gasUsed",), "0x1", HEAD, HASH),
    (H, ("gasUsed",), "0x00", KIND, FORM),
    (H, ("timestamp",), lambda v: flipped(v, 5), HEAD, HASH),
    (H, ("extraData",), ["0x"], HEAD, HASH),
    (H, ("sealer",), "0x2", HEAD, HASH),
    (H, ("sealerList", 0), lambda v: flipped(v, 9), HEAD, HASH),
    (H, ("sealerList",), lambda v: v[:3], HEAD, HASH),
    (H, ("sealerList",), lambda v: [v[1], v[0], *v[2:]], HEAD, HASH),
    (H, ("sealerList", 0), lambda v: v[2:], KIND, FORM),
    (H, ("signatureList", 0, "signature"), lambda v: flipped(v, 9), Q, Reason.SIG_CRYPTO_FAILURE),
    (H, ("signatureList", 0, "signature"), lambda v: flipped(v, 99), Q, Reason.SIG_CRYPTO_FAILURE),
    (H, ("signatureList", 0, "signature"), lambda v: flipped(v, len(v) - 1), Q, Reason.SIG_CRYPTO_FAILURE),
    (H, ("signatureList", 0, "signature"), "0x" + "00" * 65, Q, Reason.SIG_CRYPTO_FAILURE),
    (H, ("signatureList", 0, "index"), "0x2", Q, Reason.SIG_CRYPTO_FAILURE),
    (H, ("signatureList", 0, "index"), "0x1", Q, Reason.QUORUM_FAILURE),
    (H, ("signatureList", 0, "index"), "0x4", Q, FORM),
    (H, ("signatureList",), lambda v: v[:2], Q, Reason.QUORUM_FAILURE),
    (H, ("signatureList",), lambda v: [*v[:2], v[1]], Q, Reason.QUORUM_FAILURE),
    (H, ("signatureList",), lambda v: [*v[:2], {**v[1], "index": "0x3"}], Q, Reason.SIG_CRYPTO_FAILURE),
    (H, ("signatureList",), [], Q, Reason.QUORUM_FAILURE),
    *((R, (DONE, n), lambda v: flipped(v, 4), E, PROOF) for n in ("root", "logsBloom", "gasUsed")),
    (R, (DONE, "status"), "0x16", E, PROOF),
    (R, (DONE, "output"), "0x00", E, PROOF),
    (R, (DONE, "contractAddress"), CONTRACT, E, PROOF),
    (R, (DONE, "logs", 1, "topics", 1), lambda v: flipped(v, 9), E, PROOF),
    (R, (DONE, "logs", 1, "address"), lambda v: flipped(v, 9), E, PROOF),
    (R, (DONE, "logs", 0, "data"), lambda v: flipped(v, 9), E, PROOF),
    (R, (DONE, "logs"), lambda v: v[1:], E, PROOF),
    (R, (DONE, "transactionIndex"), "0x1", E, PROOF),
    (R, ("receiptProof", 0, "right", 0), lambda v: flipped(v, 9), E, PROOF),
    (R, ("receiptProof",), moved, E, PROOF),
    (R, ("receiptProof",), [], E, PROOF),
]  # fmt: skip


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    ("where", "path", "value", "check", "reason"),
    ONE_CHANGE,
    ids=[f"{w}-{'.'.join(map(str, p))}-{c}-{r.value}-{i}" for i, (w, p, _, c, r) in enumerate(ONE_CHANGE)],
)
def test_one_change_is_caught_where_it_was_made(
    where: str, path: tuple[Any, ...], value: Any, check: str, reason: Reason, suite: str, stores: dict[str, TrustStore]
) -> None:
    chain = built(suite)
    answers = copy.deepcopy(chain.answers())
    change(answers[where], path, value)
    given = {"page.html": PAGE, **{f"{n}.json": encode(a) for n, a in answers.items()}}
    verdict = examine(given, stores[suite])
    assert verdict.overall is Overall.INCONSISTENT
    assert any(f.outcome.value == FAILED and f.reason is reason for f in findings(verdict, check)), [
        (f.check, f.outcome.value, f.reason, f.actual) for f in verdict.findings
    ]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", ["transactionHash", "from", "to", "input", "blockNumber", "blockHash"])
def test_what_a_receipt_says_of_its_transaction_must_agree(name: str, suite: str, stores: dict[str, TrustStore]) -> None:
    chain = built(suite)
    receipt = chain.receipt()
    receipt[DONE][name] = flipped(receipt[DONE][name], 4)
    verdict = examine({**chain.files(), "receipt.json": encode(receipt)}, stores[suite])
    assert verdict.overall is Overall.INDETERMINATE
    assert answer(verdict, E) in ((OPEN, Reason.RECEIPT_NOT_BOUND), (OPEN, Reason.PROOF_NOT_SUPPLIED))
