"""Exhibits around a demonstration ChainMaker block, and what the engine says of them."""

import base64
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from evidence.verification import Exhibit, Source, TrustStore, Verdict, verify
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Finding, Outcome, Overall
from portal.demonstration.chainmaker import Built, Network
from tests.anchor_packs import write_pack

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAGE = b"<!doctype html><title>a page that was recorded</title>\n"
OTHER = b"<!doctype html><title>another page</title>\n"

LADDER = (
    "INCL.LEDGER_KIND",
    "DIGEST.MATCH",
    "INCL.CONTENT",
    "INCL.TRANSACTION",
    "INCL.SENDER",
    "INCL.PATH",
    "INCL.HEADER",
    "INCL.NODE_QUORUM",
    "INCL.EXECUTION",
)
"""Every rung but the checkpoint, which a block has only when the court wrote one down."""
BESIDE = (
    "CHAINMAKER.PROPOSER",
    "CHAINMAKER.TX_ROOT",
    "CHAINMAKER.RW_SET",
    "CHAINMAKER.RW_SET_ROOT",
    "CHAINMAKER.DAG",
)
FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"


@cache
def network(suite: str = "P256", mode: str = "public_key", **options: Any) -> Network:
    return Network(suite=suite, mode=mode, **options)


@cache
def built(suite: str = "P256", mode: str = "public_key") -> Built:
    """A block with the record of PAGE at place 1 of 5 and that of OTHER at place 3."""
    chain = network(suite, mode)
    digests = [
        chain.hash(b"filler 0"),
        chain.hash(PAGE),
        chain.hash(b"filler 2"),
        chain.hash(OTHER),
        chain.hash(b"4"),
    ]
    return chain.block([chain.record(d, record_id=f"EV-{i:04d}") for i, d in enumerate(digests)])


MINE = 1
"""The place of PAGE's record in `built`."""


def trust(
    chain: Built | None,
    *,
    validators: Mapping[str, Any] | None = None,
    checkpoints: Sequence[Mapping[str, Any]] = (),
    policy: Mapping[str, Any] | None = None,
    others: Mapping[str, Mapping[str, Any]] | None = None,
    **profile: Any,
) -> TrustStore:
    """A pack with the chain pinned (None: with nothing), and whatever of its profile the test changes."""
    chains: dict[str, Mapping[str, Any]] = dict(others or {})
    if chain is not None:
        chains["chain"] = {
            "profile": {**chain.profile, **profile},
            "validators": dict(validators or chain.validators),
            "checkpoints": {"checkpoints": list(checkpoints)},
        }
    with tempfile.TemporaryDirectory() as folder:
        return TrustStore.load(write_pack(Path(folder) / "pack", chains=chains, policy=policy))


def examine(files: Mapping[str, bytes], store: TrustStore) -> Verdict:
    exhibit = Exhibit.of(Source.from_bytes(name, data) for name, data in files.items())
    try:
        return verify(exhibit, store, AT)
    finally:
        exhibit.close()


def files(block: Built, **more: bytes) -> dict[str, bytes]:
    """The page, the whole block and the path of the page's record."""
    return {"page.html": PAGE, "block.json": block.block_json, "path.json": block.paths_json[MINE], **more}


def alone(block: Built) -> dict[str, bytes]:
    """The page with its transaction, the block without transactions, and the path: nothing to recompute the tree from."""
    return {
        "page.html": PAGE,
        "tx.json": block.info_json[MINE],
        "block.json": changed(block.block_json, lambda b: b["block"].pop("txs") and b.pop("rwset_list")),
        "path.json": block.paths_json[MINE],
    }


def changed(data: bytes, change: Callable[[Any], object]) -> bytes:
    """The JSON after `change` has been done to it."""
    value = json.loads(data)
    change(value)
    return json.dumps(value).encode()


def finding(verdict: Verdict, check: str) -> Finding:
    found = [f for f in verdict.findings if f.check == check]
    assert len(found) == 1, (check, found)
    return found[0]


def answer(verdict: Verdict, check: str) -> tuple[str, Reason | None]:
    found = finding(verdict, check)
    return found.outcome.value, found.reason


def answers(verdict: Verdict) -> dict[str, tuple[str, Reason | None]]:
    """Every check that has one answer."""
    return {f.check: (f.outcome.value, f.reason) for f in verdict.findings}


# ── attacks ──

HASH, PROOF, FORM, SIGNATURE = (
    (FAILED, r)
    for r in (Reason.HASH_FAILURE, Reason.PROOF_FAILURE, Reason.FORMAT_FAILURE, Reason.SIG_CRYPTO_FAILURE)
)
QUORUM = (FAILED, Reason.QUORUM_FAILURE)
VOTES = "TBFTAddtionalDataKey"

Change = Callable[[Any], object]


def flipped(text: str, bit: int = 3) -> str:
    """Base64 with one bit of its middle byte changed."""
    raw = bytearray(base64.b64decode(text))
    raw[len(raw) // 2] ^= 1 << bit
    return base64.b64encode(bytes(raw)).decode()


def refuted(verdict: Verdict, **expected: tuple[str, Reason | None]) -> None:
    """INCONSISTENT, and the named checks say why (`INCL_PATH` for INCL.PATH)."""
    assert verdict.overall is Overall.INCONSISTENT
    seen: dict[str, tuple[str, Reason | None]] = {}
    for found in sorted(verdict.findings, key=lambda f: f.outcome is Outcome.FAILED):
        seen[found.check] = (found.outcome.value, found.reason)
    for check, wanted in expected.items():
        assert seen[check.replace("_", ".", 1)] == wanted, check


def in_tx(change: Change, place: int = MINE) -> Change:
    return lambda block: change(block["block"]["txs"][place])


def set_at(*path: Any, value: Any = None, flip: bool = False) -> Change:
    def change(item: Any) -> None:
        for key in path[:-1]:
            item = item[key]
        item[path[-1]] = flipped(item[path[-1]]) if flip else value

    return change
