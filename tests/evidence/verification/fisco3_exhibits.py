"""Exhibits around a demonstration FISCO block, and what the engine says of them."""

import copy
import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from evidence.verification import Exhibit, Source, TrustStore, Verdict, catalogue, verify
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Finding, Outcome
from portal.demonstration import fisco3
from tests.anchor_packs import write_pack

SUITES = ("ECDSA", "SM")
FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
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


@cache
def _built(suite: str, saved: bool, options: tuple[tuple[str, Any], ...]) -> fisco3.Built:
    digests = [hashlib.sha256(PAGE).digest(), hashlib.sha256(OTHER).digest()]
    return fisco3.build(digests, suite=suite, saved=saved, **dict(options))


def built(suite: str = "ECDSA", *, saved: bool = True, **options: Any) -> fisco3.Built:
    """A block with a record of PAGE and one of OTHER; a copy that the test may change."""
    return copy.deepcopy(_built(suite, saved, tuple(sorted(options.items()))))


def trust(
    chain: fisco3.Built | None,
    *,
    checkpoints: list[dict[str, Any]] | None = None,
    validators: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    **profile: Any,
) -> TrustStore:
    """A pack with the chain pinned (None: with nothing), and whatever of its profile the test changes."""
    chains = (
        {
            "chain": {
                "profile": {**chain.profile, **profile},
                "validators": dict(validators or chain.validators),
                "checkpoints": {"checkpoints": checkpoints or []},
            }
        }
        if chain
        else {}
    )
    with tempfile.TemporaryDirectory() as folder:
        return TrustStore.load(write_pack(Path(folder), chains=chains, policy=policy))


def examine(files: Mapping[str, bytes], store: TrustStore) -> Verdict:
    """The verdict; every finding of which has its sentences in both languages."""
    exhibit = Exhibit.of(Source.from_bytes(name, data) for name, data in files.items())
    try:
        verdict = verify(exhibit, store, AT)
    finally:
        exhibit.close()
    for language in catalogue.LANGUAGES:
        for found in verdict.findings:
            assert catalogue.question(found.check, language) and catalogue.answer(found, language)
            assert all(catalogue.note(note, language) for note in found.notes)
    return verdict


def files(chain: fisco3.Built, *, page: bytes | None = PAGE, index: int = 0) -> dict[str, bytes]:
    """PAGE and the node's three answers about its record."""
    return {**({"page.html": page} if page is not None else {}), **chain.files(index)}


def findings(verdict: Verdict, check: str) -> list[Finding]:
    return [f for f in verdict.findings if f.check == check]


def finding(verdict: Verdict, check: str) -> Finding:
    """The worst finding of a check."""
    order = {Outcome.FAILED: 0, Outcome.INDETERMINATE: 1, Outcome.PASSED: 2}
    return min(findings(verdict, check), key=lambda f: order[f.outcome])


def answer(verdict: Verdict, check: str) -> tuple[str, Reason | None]:
    found = finding(verdict, check)
    return found.outcome.value, found.reason


def rebuilt(
    chain: fisco3.Built,
    *,
    transactions: Callable[[list[Any]], Any] = lambda _: None,
    receipts: Callable[[list[Any]], Any] = lambda _: None,
    sender: str = "demonstration sender",
) -> fisco3.Built:
    """The same block with other contents, hashed, rooted and sealed anew: what the chain itself could have recorded."""
    s = chain.suite
    key = s.key(sender)
    txs = [copy.deepcopy(t) for t in chain.transactions]
    transactions(txs)
    txs = [fisco3.sign_transaction(s, t, key) for t in txs]
    rcs = [copy.deepcopy(r) for r in chain.receipts]
    receipts(rcs)
    for tx, rc in zip(txs, rcs, strict=True):
        rc.update(transactionHash=tx["hash"], to=tx["to"], input=tx["input"])
        rc["hash"] = fisco3.hexed(s.hash(fisco3.receipt_bytes(rc)))
    block = fisco3.assemble(s, txs, rcs, chain.sealers, (0, 1, 3), number=1204, timestamp=1_790_000_000_000)
    return replace(chain, transactions=tuple(txs), receipts=tuple(rcs), block=block)
