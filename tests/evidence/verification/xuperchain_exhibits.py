"""A XuperChain network of four validators (`xuperchain_network`), and exhibits around a block of it."""

import base64
import copy
import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from evidence.verification import TrustStore, Verdict
from tests.anchor_packs import write_pack
from tests.evidence.verification.fisco3_exhibits import PAGE, answer, examine, finding, findings
from tests.evidence.verification.xuperchain_network import (
    BLOCK,
    P256,
    SM2,
    SUITES,
    TX,
    Fields,
    Key,
    base58,
    certificate,
    double,
    hashed_block,
    identified,
    key,
    packed,
    path_in,
    preimage,
    sealed,
    signed_tx,
    stream,
    tree_of,
    wire,
)

__all__ = [
    "BLOCK", "P256", "PAGE", "SM2", "SUITES", "TX", "Fields", "Key", "answer", "base58", "certificate", "double", "examine",
    "finding", "findings", "hashed_block", "identified", "key", "packed", "path_in", "preimage", "sealed", "signed_tx", "stream",
    "tree_of", "wire",
]  # fmt: skip

CONTRACT, METHOD, PARAM = "evidence1", "save", "hash"
NOW = 1_790_000_000_000_000_000
HEIGHT = 7000


@dataclass
class Built:
    """`blocks`: the one with the records, then its successors; `tx`: the record of PAGE, at `index`."""

    suite: str
    keys: tuple[Key, ...]
    transactions: list[Fields]
    blocks: list[Fields]
    index: int
    genesis: bytes

    @property
    def tx(self) -> Fields:
        return self.transactions[self.index]

    @property
    def block(self) -> Fields:
        return self.blocks[0]

    @property
    def path(self) -> list[bytes]:
        return path_in(tree_of([t["txid"] for t in self.transactions]), self.index)

    def package(self, /, **members: Any) -> Fields:
        bare = {k: v for k, v in self.block.items() if k not in ("transactions", "merkle_tree")}
        package: Fields = {
            "format": "mingjian.chain-proof",
            "version": 1,
            "family": "xuperchain",
            "chain": {
                "chain_id": "xuper",
                "genesis_hash": self.genesis.hex(),
                "engine": "v5.3.0",
                "hash": "SHA256",
                "signature": "ECDSA-P256" if self.suite == P256 else "SM2",
            },
            "evidence": [
                {
                    "name": "page.html",
                    "digest_alg": "SHA-256",
                    "digest": hashlib.sha256(PAGE).hexdigest(),
                    "location": {"where": "param", "contract": CONTRACT, "method": METHOD, "key": PARAM, "encoding": "hex-text"},
                }
            ],
            "transaction": b64(wire(TX, self.tx)),
            "block": b64(wire(BLOCK, bare)),
            "tx_index": self.index,
            "merkle_path": [s.hex() for s in self.path],
            "next_block": b64(wire(BLOCK, self.blocks[1])),
        }
        package.update(members)
        return {k: v for k, v in package.items() if v is not None}

    def files(self, /, **members: Any) -> dict[str, bytes]:
        """PAGE and its package."""
        return {"page.html": PAGE, "page.mjproof.json": json.dumps(self.package(**members)).encode()}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def record(digest: str, *, version: int, by: Key, number: int, **more: Any) -> Fields:
    tx: Fields = {
        "tx_inputs": [{"ref_txid": double(b"%d" % number), "from_addr": by.address.encode(), "amount": b"\x07"}],
        "tx_outputs": [{"amount": b"\x05", "to_addr": b"$"}, {"amount": b"\x02", "to_addr": by.address.encode()}],
        "nonce": f"15844999279849{number}",
        "timestamp": NOW - 5_000_000_000 + number,
        "version": version,
        "tx_inputs_ext": [{"bucket": CONTRACT, "key": b"record-%d-of-the-court" % number, "ref_txid": double(b"r"), "ref_offset": 2}],
        "tx_outputs_ext": [{"bucket": CONTRACT, "key": b"record-%d-of-the-court" % number, "value": digest.encode()}],
        "contract_requests": [
            {
                "module_name": "wasm",
                "contract_name": CONTRACT,
                "method_name": METHOD,
                "args": {PARAM: digest.encode(), "title": "<页面> & \u2028 \x08 \"记录\"".encode()},
                "resource_limits": [{"type": 0, "limit": 1200}, {"type": 3, "limit": 9}],
                "amount": "5",
            }
        ],
        "initiator": by.address,
        "auth_require": [f"XC1111111111111111@xuper/{by.address}"],
        "received_timestamp": NOW - 4_000_000_000,
    }
    tx.update(more)
    return {k: v for k, v in tx.items() if v is not None}


@cache
def _built(suite: str, version: int, count: int, index: int, votes: tuple[int, ...], desc: bool) -> Built:
    keys = tuple(key(f"validator {i}", suite) for i in range(4))
    user = key("user", suite)
    txs = []
    for n in range(count):
        digest = hashlib.sha256(PAGE if n == index else b"%d" % n).hexdigest()
        more: Fields = {"desc": digest.encode(), "contract_requests": None, "tx_outputs_ext": None} if desc else {"desc": b"a & <b>"}
        txs.append(signed_tx(record(digest, version=version, by=user, number=n, **more), [user]))
    tree = tree_of([t["txid"] for t in txs])
    genesis = double(b"genesis")
    before = double(b"before")
    first: Fields = {
        "version": 1,
        "pre_hash": before,
        "merkle_root": tree[-1],
        "height": HEIGHT,
        "timestamp": NOW,
        "tx_count": count,
        "merkle_tree": tree,
        "in_trunk": True,
        "curTerm": 3,
        "curBlockNum": 17,
        "Justify": certificate(before, [keys[i] for i in votes], HEIGHT - 1),
    }
    blocks = [sealed(first, keys[0])]
    for tx in txs:
        tx["blockid"] = first["blockid"]
    first["transactions"] = txs
    for n in range(1, 4):
        previous = blocks[-1]["blockid"]
        only = double(b"award %d" % n)
        following: Fields = {
            "version": 1,
            "pre_hash": previous,
            "merkle_root": only,
            "height": HEIGHT + n,
            "timestamp": NOW + n * 3_000_000_000,
            "tx_count": 1,
            "merkle_tree": [only],
            "in_trunk": True,
            "curTerm": 3,
            "curBlockNum": 17 + n,
            "Justify": certificate(previous, [keys[i] for i in votes], HEIGHT + n - 1),
        }
        blocks.append(sealed(following, keys[n % 4]))
    return Built(suite, keys, txs, blocks, index, genesis)


def built(
    suite: str = P256, *, version: int = 3, count: int = 5, index: int = 4, votes: Sequence[int] = (0, 2, 3), desc: bool = False
) -> Built:
    """Four validators; a block of `count` transactions with three successors; a copy that the test may change."""
    return copy.deepcopy(_built(suite, version, count, index, tuple(votes), desc))


def rebuilt(chain: Built, change: Callable[[Fields], Any] = lambda _: None, *, by: Key | None = None, votes: Any = None) -> Built:
    """The block with a change, hashed and sealed anew, and the next one upon it: what validators could really have made."""
    block = chain.block
    block["merkle_tree"] = tree_of([t["txid"] for t in chain.transactions])
    block["merkle_root"], block["tx_count"] = block["merkle_tree"][-1], len(chain.transactions)
    change(block)
    sealed(block, by or chain.keys[0])
    for tx in chain.transactions:
        tx["blockid"] = block["blockid"]
    for n in range(1, len(chain.blocks)):
        previous = chain.blocks[n - 1]["blockid"]
        voters = votes if votes is not None and n == 1 else [chain.keys[i] for i in (0, 2, 3)]
        chain.blocks[n].update(pre_hash=previous, Justify=certificate(previous, voters, HEIGHT + n - 1))
        sealed(chain.blocks[n], chain.keys[n % 4])
    return chain


def profile(chain: Built, **changes: Any) -> Fields:
    return {
        "id": "xuper",
        "title": {"zh": "测试超级链", "en": "A XuperChain for tests"},
        "operator": "operator 0",
        "family": "xuperchain",
        "chain_id": "xuper",
        "genesis_hash": chain.genesis.hex(),
        "suite": {"hash": "SHA256", "signature": "ECDSA-P256" if chain.suite == P256 else "SM2"},
        "consensus": "BFT",
        "contracts": [
            {"name": CONTRACT, "method": METHOD, "digest_param": PARAM, "encoding": "hex-text"},
            {"name": "transaction", "method": "desc", "digest_param": "desc", "encoding": "hex-text"},
        ],
        **changes,
    }


def validators(chain: Built, **changes: Any) -> Fields:
    listed = [
        {"key": k.point.hex(), "operator": f"operator {i}", "node_name": f"node{i}"} for i, k in enumerate(chain.keys)
    ]
    return {"epochs": [{"from_height": 0, "to_height": None, "validators": listed, **changes}]}


def trust(
    chain: Built | None,
    *,
    checkpoints: Sequence[Fields] = (),
    sets: Fields | None = None,
    others: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    **changes: Any,
) -> TrustStore:
    chains: dict[str, Any] = dict(others or {})
    if chain is not None:
        chains["xuper"] = {
            "profile": profile(chain, **changes),
            "validators": sets or validators(chain),
            "checkpoints": {"checkpoints": list(checkpoints)},
        }
    with tempfile.TemporaryDirectory() as folder:
        return TrustStore.load(write_pack(Path(folder), chains=chains, policy=policy))


def pin(block: Fields, **changes: Any) -> Fields:
    return {"height": block["height"], "hash": block["blockid"].hex(), "recorded_at": None, "basis": "independent", **changes}


def verdict(chain: Built, store: TrustStore | None = None, /, **members: Any) -> Verdict:
    return examine(chain.files(**members), store or trust(chain))


def raw_files(chain: Built, *, successors: int = 1, page: bytes | None = PAGE) -> dict[str, bytes]:
    """The node's protobuf as files: the transaction, its block with the whole tree, the blocks after it."""
    bare = [{k: v for k, v in b.items() if k != "transactions"} for b in chain.blocks[: 1 + successors]]
    files = {"tx.pb": wire(TX, chain.tx)} | {f"block{i}.pb": wire(BLOCK, b) for i, b in enumerate(bare)}
    return ({"page.html": page} if page is not None else {}) | files
