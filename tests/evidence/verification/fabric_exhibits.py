"""Exhibits around Fabric blocks of our own making, and what the engine says of them."""

import base64
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from evidence.verification import Exhibit, Source, TrustStore, Verdict, catalogue, verify
from evidence.verification.reasons import Reason
from evidence.verification.verdict import Finding, Outcome
from tests.anchor_packs import write_pack

from .fabric_network import CHANNEL, Block, Network, Transaction, organisation

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
OK = (PASSED, None)
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAGE = b"<!doctype html><title>a page that was recorded</title>\n"
OTHER = b"<!doctype html><title>another page</title>\n"

# ── a good exhibit ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Chain:
    network: Network
    genesis: Block
    block: Block
    records: tuple[Transaction, ...]


@cache
def built(**options: Any) -> Chain:
    """Genesis and one block with a record of PAGE and one of OTHER."""
    network = Network(**options)
    genesis = network.genesis()
    records = (
        network.record(hashlib.sha256(PAGE).digest()),
        network.record(hashlib.sha256(OTHER).digest(), record_id="EV-2", nonce=b"p" * 24),
    )
    return Chain(network, genesis, network.block(genesis, records), records)


def bft() -> Chain:
    return built(orderers=tuple(organisation(f"Orderer{i}MSP") for i in range(1, 5)), bft=True)


def files(chain: Chain, *, block: Block | None = None, page: bytes | None = PAGE) -> dict[str, bytes]:
    given = {"genesis.block": chain.genesis.pb, "block.pb": (block or chain.block).pb}
    return {**given, "page.html": page} if page is not None else given


def package(built_: Chain, **more: Any) -> bytes:
    """The proof package of the record of PAGE (spec consortium-chains §9.5)."""
    chain_part = {
        "chain_id": CHANNEL, "genesis_hash": built_.genesis.hash.hex(), "engine": "v2.5.4",
        "hash": "SHA256", "signature": "ECDSA-P256",
    }  # fmt: skip
    whole: dict[str, Any] = {
        "format": "mingjian.chain-proof",
        "version": 1,
        "family": "fabric",
        "chain": {**chain_part, **more.pop("chain", {})},
        "evidence": [{"name": "page.html", "digest_alg": "SHA-256", "digest": hashlib.sha256(PAGE).hexdigest()}],
        "block": base64.b64encode(built_.block.pb).decode(),
        "config_block": base64.b64encode(built_.genesis.pb).decode(),
        "tx_id": built_.records[0].id,
        **more,
    }
    return json.dumps({k: v for k, v in whole.items() if v is not None}).encode()


def store(chains: Mapping[str, Mapping[str, Any]], **options: Any) -> TrustStore:
    with tempfile.TemporaryDirectory() as folder:
        return TrustStore.load(write_pack(Path(folder), chains=chains, **options))


def trust(
    chain: Chain,
    *,
    checkpoints: Sequence[Mapping[str, Any]] = (),
    epochs: Sequence[Mapping[str, Any]] = (),
    roots: Sequence[Mapping[str, Any]] = (),
    **profile: Any,
) -> TrustStore:
    """The channel pinned by its genesis hash, and whatever of its profile the test changes."""
    parts = {
        "profile": {k: v for k, v in {**chain.network.profile, **profile}.items() if v is not None},
        "validators": {"epochs": list(epochs), "org_roots": list(roots)},
        "checkpoints": {"checkpoints": list(checkpoints)},
    }
    return store({"evidence": parts})


def court_run(chain: Chain) -> list[dict[str, Any]]:
    """The orderer of the network, run by the court: what makes one signature enough."""
    certificate = hashlib.sha256(chain.network.orderer.der).hexdigest()
    node = {"cert_sha256": certificate, "org": "OrdererMSP", "operator": "court", "role": "court", "node_name": "court's orderer"}
    return [{"from_height": 0, "to_height": None, "validators": [node]}]


def pin(block: Block, basis: str = "independent") -> dict[str, Any]:
    recorded = "2026-06-01T08:00:00+08:00" if basis == "independent" else None
    return {"height": block.number, "hash": block.hash.hex(), "basis": basis, "recorded_at": recorded}


# ── what the engine says ──────────────────────────────────────────────────────────────────────────────────────────────


def examine(given: Mapping[str, bytes], trusted: TrustStore) -> Verdict:
    """The verdict; every finding of which has its sentences in both languages."""
    exhibit = Exhibit.of(Source.from_bytes(name, data) for name, data in given.items())
    try:
        verdict = verify(exhibit, trusted, AT)
    finally:
        exhibit.close()
    assert not [f for f in verdict.findings if f.check == "ENGINE.RUN"], verdict.findings
    for language in catalogue.LANGUAGES:
        for found in verdict.findings:
            assert catalogue.question(found.check, language) and catalogue.answer(found, language)
            assert all(catalogue.note(note, language) for note in found.notes)
        assert all(catalogue.statement(s, language) for s in verdict.not_proven)
    return verdict


def findings(verdict: Verdict, check: str, contains: str = "") -> list[Finding]:
    return [f for f in verdict.findings if f.check == check and contains in f.subject]


def finding(verdict: Verdict, check: str, contains: str = "") -> Finding:
    """The worst finding of a check."""
    order = {Outcome.FAILED: 0, Outcome.INDETERMINATE: 1, Outcome.PASSED: 2}
    return min(findings(verdict, check, contains), key=lambda f: order[f.outcome])


def answer(verdict: Verdict, check: str, *, contains: str = "") -> tuple[str, Reason | None]:
    found = finding(verdict, check, contains)
    return found.outcome.value, found.reason
