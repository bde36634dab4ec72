"""Blocks of a FISCO BCOS 2 chain, written field by field, and exhibits around them.

Nothing of the engine is used to make them: RLP, tree and paths are written here from the node's source (libethcore/BlockHeader.cpp,
Transaction.cpp, TransactionReceipt.cpp, libdevcore/TrieHash2.cpp), hashes and signatures come from pycryptodome, `cryptography` and
gmalg. All keys come from labels: they protect nothing.
"""

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from portal.demonstration.fisco3 import CONTRACT, OPERATORS, SUITES, Json, Key, Suite, encode, hexed, log, raw
from tests.evidence.verification.fisco3_exhibits import OTHER, PAGE

ZERO = "0x" + "00" * 20
WIDTH = 16


def rlp(item: Any) -> bytes:
    if isinstance(item, int):
        item = b"" if item == 0 else bytes.fromhex(f"{item:x}".zfill(len(f"{item:x}") + len(f"{item:x}") % 2))
    if isinstance(item, bytes):
        return item if len(item) == 1 and item < b"\x80" else _prefix(0x80, item) + item
    body = b"".join(rlp(part) for part in item)
    return _prefix(0xC0, body) + body


def _prefix(base: int, body: bytes) -> bytes:
    if len(body) < 56:
        return bytes([base + len(body)])
    length = bytes.fromhex(f"{len(body):x}".zfill(len(f"{len(body):x}") + len(f"{len(body):x}") % 2))
    return bytes([base + 55 + len(length)]) + length


def number(text: str | int) -> int:
    return text if isinstance(text, int) else int(text, 16)


# ── what is hashed ─────────────────────────────────────────────────────────────────────────────────────────────────────


def header_bytes(h: Json) -> bytes:
    hashes = [raw(h[n]) for n in ("parentHash", "stateRoot", "transactionsRoot", "receiptsRoot", "dbHash", "logsBloom")]
    numbers = [number(h[n]) for n in ("number", "gasLimit", "gasUsed", "timestamp")]
    return rlp([*hashes, *numbers, [raw(e) for e in h["extraData"]], number(h["sealer"]), [raw(s) for s in h["sealerList"]]])


def unsigned(t: Json) -> list[Any]:
    to = b"" if t["to"] in (None, ZERO) else raw(t["to"])
    return [
        *(number(t[n]) for n in ("nonce", "gasPrice", "gas", "blockLimit")), to, number(t["value"]), raw(t["input"]),
        number(t["chainId"]), number(t["groupId"]), raw(t["extraData"]),
    ]  # fmt: skip


def receipt_bytes(r: Json, *, remain_gas: bool) -> bytes:
    logs = [[raw(e["address"]), [raw(t) for t in e["topics"]], raw(e["data"])] for e in r["logs"]]
    gas = [number(r["remainGas"])] if remain_gas else []
    return rlp([
        raw(r["root"]), number(r["gasUsed"]), raw(r["contractAddress"]), raw(r["logsBloom"]), number(r["status"]), raw(r["output"]),
        *gas, logs,
    ])  # fmt: skip


def leaves(hashes: Sequence[bytes]) -> list[bytes]:
    return [rlp(i) + h for i, h in enumerate(hashes)]


def root(s: Suite, nodes: Sequence[bytes]) -> bytes:
    if len(nodes) == 1:
        return s.hash(nodes[0])
    return root(s, [s.hash(b"".join(nodes[i : i + WIDTH])) for i in range(0, len(nodes), WIDTH)])


def proof(s: Suite, nodes: Sequence[bytes], index: int) -> list[Json]:
    if len(nodes) == 1:
        return [{"left": [], "right": []}]
    first = index - index % WIDTH
    unit = {"left": [n.hex() for n in nodes[first:index]], "right": [n.hex() for n in nodes[index + 1 : first + WIDTH]]}
    above = [s.hash(b"".join(nodes[i : i + WIDTH])) for i in range(0, len(nodes), WIDTH)]
    return [unit, *proof(s, above, index // WIDTH)]


# ── a block ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Built:
    """The node's answers about one block, and what a court would pin of the chain.

    bodies, receipts   of all transactions of the block, in order, without their paths
    """

    suite: Suite
    header: Json
    bodies: tuple[Json, ...]
    outcomes: tuple[Json, ...]
    links: tuple[Json, ...]
    profile: Json
    validators: Json
    remain_gas: bool
    sealers: tuple[Key, ...] = field(repr=False)

    def transaction(self, index: int = 0) -> Json:
        """`getTransactionByHashWithProof`."""
        return {"transaction": copy.deepcopy(self.bodies[index]), "txProof": proof(self.suite, leaves(self.tx_hashes), index)}

    def receipt(self, index: int = 0) -> Json:
        """`getTransactionReceiptByHashWithProof`."""
        hashes = [self.suite.hash(receipt_bytes(r, remain_gas=self.remain_gas)) for r in self.outcomes]
        return {"transactionReceipt": copy.deepcopy(self.outcomes[index]), "receiptProof": proof(self.suite, leaves(hashes), index)}

    @property
    def tx_hashes(self) -> list[bytes]:
        return [raw(t["hash"]) for t in self.bodies]

    def answers(self, index: int = 0) -> dict[str, Json]:
        return {"header": self.header, "transaction": self.transaction(index), "receipt": self.receipt(index)}

    def files(self, index: int = 0, *, page: bytes | None = PAGE) -> dict[str, bytes]:
        """PAGE and the node's three answers about one record."""
        given = copy.deepcopy(self.answers(index))
        return {**({"page.html": page} if page is not None else {}), **{f"{n}.json": encode(a) for n, a in given.items()}}


def call_data(s: Suite, digest: bytes, saved: bool) -> bytes:
    if saved:
        return s.hash(b"voteSaveRequest(bytes32)")[:4] + digest
    return s.hash(b"createSaveRequest(bytes32,bytes)")[:4] + digest + (64).to_bytes(32) + (3).to_bytes(32) + b"ext".ljust(32, b"\0")


def body(s: Suite, to: str, data: bytes, index: int, *, chain: int, group: int, height: int) -> Json:
    return {
        "blockHash": "0x",
        "blockLimit": hex(height + 500),
        "blockNumber": hex(height),
        "chainId": hex(chain),
        "extraData": "0x",
        "gas": "0x2faf080",
        "gasPrice": "0xa",
        "groupId": hex(group),
        "input": hexed(data),
        "nonce": hex(int.from_bytes(s.hash(b"nonce %d" % index))),
        "to": to,
        "transactionIndex": hex(index),
        "value": "0x0",
    }


def signed(s: Suite, t: Json, sender: Key) -> Json:
    """Hash, signature and sender of a transaction."""
    plain = unsigned(t)
    signature = sender.sign(s.hash(rlp(plain)))
    r, sig_s, last = signature[:32], signature[32:64], signature[64:]
    v = last if len(last) == 64 else last[0] + 27
    whole = rlp([*plain, v, int.from_bytes(r), int.from_bytes(sig_s)])
    printed = hexed(last) if len(last) == 64 else hex(last[0])
    return {
        **t,
        "hash": hexed(s.hash(whole)),
        "from": hexed(s.hash(sender.public)[-20:]),
        "signature": {"r": hexed(r), "s": hexed(sig_s), "v": printed, "signature": hexed(signature)},
    }


def outcome(s: Suite, t: Json, logs: list[Json], *, remain_gas: bool) -> Json:
    return {
        "blockHash": "0x",
        "blockNumber": t["blockNumber"],
        "contractAddress": ZERO,
        "from": t["from"],
        "gasUsed": hex(21000 + number(t["transactionIndex"])),
        **({"remainGas": "0x1e240"} if remain_gas else {}),
        "input": t["input"],
        "logs": [{**e, "address": "0x" + e["address"].removeprefix("0x")} for e in logs],
        "logsBloom": hexed(s.hash(b"bloom") * 8),
        "output": "0x",
        "root": hexed(s.hash(b"state")),
        "status": "0x0",
        "to": t["to"] or ZERO,
        "transactionHash": t["hash"],
        "transactionIndex": t["transactionIndex"],
    }


def saved_logs(s: Suite, t: Json, digest: bytes, saved: bool) -> list[Json]:
    voter = raw(t["from"]).rjust(32, b"\0")
    if not saved:
        return [log(s, "CreateSaveRequest(bytes32,address)", [digest], voter)]
    voted = log(s, "VoteSaveRequest(bytes32,address,bool)", [digest], voter + (1).to_bytes(32))
    return [voted, log(s, "EvidenceSaved(bytes32)", [digest], b"")]


def sealed(s: Suite, header: Json, sealers: Sequence[Key], signers: Sequence[int]) -> Json:
    digest = s.hash(header_bytes(header))
    listed = [{"index": hex(i), "signature": hexed(sealers[i].sign(digest))} for i in signers]
    return {**header, "hash": hexed(digest), "signatureList": listed}


def assembled(
    s: Suite, bodies: Sequence[Json], outcomes: Sequence[Json], sealers: Sequence[Key], signers: Sequence[int], *,
    height: int, timestamp: int, remain_gas: bool,
) -> Json:  # fmt: skip
    """A sealed header over these transactions and receipts; its hash is written into both."""
    receipts = [s.hash(receipt_bytes(r, remain_gas=remain_gas)) for r in outcomes]
    header = sealed(
        s,
        {
            "dbHash": hexed(s.hash(b"db")),
            "extraData": [],
            "gasLimit": "0x0",
            "gasUsed": "0x0",
            "logsBloom": "0x" + "00" * 256,
            "number": height,
            "parentHash": hexed(s.hash(b"parent %d" % height)),
            "receiptsRoot": hexed(root(s, leaves(receipts))),
            "sealer": "0x1",
            "sealerList": [k.public.hex() for k in sealers],
            "stateRoot": hexed(s.hash(b"db")),
            "timestamp": hex(timestamp),
            "transactionsRoot": hexed(root(s, leaves([raw(t["hash"]) for t in bodies]))),
        },
        sealers,
        signers,
    )
    for record in (*bodies, *outcomes):
        record["blockHash"] = header["hash"]
    return header


def build(
    digests: Sequence[bytes], *, suite: str = "ECDSA", saved: bool = True, others: int = 16, signers: Sequence[int] = (0, 1, 3),
    height: int = 1204, timestamp: int = 1_790_000_000_000, links: int = 0, chain: int = 1, group: int = 1,
    remain_gas: bool = False, seed: str = "fisco2",
) -> Built:  # fmt: skip
    s = SUITES[suite]
    sender = s.key(f"{seed} sender")
    sealers = tuple(sorted((s.key(f"{seed} sealer {i}") for i in range(4)), key=lambda k: k.public))
    named = {s.key(f"{seed} sealer {i}").public: OPERATORS[i] for i in range(4)}
    records = [*digests, *(s.hash(b"unrelated %d" % i) for i in range(others))]
    plain = [body(s, CONTRACT, call_data(s, d, saved), i, chain=chain, group=group, height=height) for i, d in enumerate(records)]
    bodies = [signed(s, t, sender) for t in plain]
    outcomes = [
        outcome(s, t, saved_logs(s, t, d, saved), remain_gas=remain_gas) for t, d in zip(bodies, records, strict=True)
    ]
    header = assembled(s, bodies, outcomes, sealers, signers, height=height, timestamp=timestamp, remain_gas=remain_gas)
    following, last = [], header
    for step in range(1, links + 1):
        changed = {"parentHash": last["hash"], "number": hex(height + step), "stateRoot": hexed(s.hash(b"later %d" % step))}
        last = sealed(s, {**header, **changed}, sealers, signers)
        following.append(last)
    return Built(
        suite=s,
        header=header,
        bodies=tuple(bodies),
        outcomes=tuple(outcomes),
        links=tuple(following),
        remain_gas=remain_gas,
        sealers=sealers,
        profile={
            "id": f"{seed}-chain",
            "title": {"zh": "对照链", "en": "Chain"},
            "operator": OPERATORS[0][0],
            "family": "fisco2",
            "chain_id": str(chain),
            "group_id": str(group),
            "genesis_hash": s.hash(f"{seed} genesis".encode()).hex(),
            "suite": dict(s.profile),
            "consensus": "BFT",
            "contracts": [
                {
                    "name": CONTRACT, "method": method, "digest_param": "hash", "encoding": "bytes",
                    "final_event": "EvidenceSaved(bytes32)",
                }
                for method in ("createSaveRequest(bytes32,bytes)", "voteSaveRequest(bytes32)")
            ],
        },
        validators={
            "epochs": [
                {
                    "from_height": 0,
                    "to_height": None,
                    "quorum": None,
                    "validators": [
                        {
                            "key": k.public.hex(), "weight": 1, "org": named[k.public][0], "operator": named[k.public][0],
                            "role": named[k.public][1], "node_name": named[k.public][2],
                        }
                        for k in sealers
                    ],
                }
            ]
        },
    )  # fmt: skip


@cache
def _built(options: tuple[tuple[str, Any], ...]) -> Built:
    return build([hashlib.sha256(PAGE).digest(), hashlib.sha256(OTHER).digest()], **dict(options))


def built(suite: str = "ECDSA", **options: Any) -> Built:
    """A block of 18 with a record of PAGE and one of OTHER; a copy that the test may change."""
    return copy.deepcopy(_built(tuple(sorted({"suite": suite, **options}.items()))))


def rebuilt(
    chain: Built,
    *,
    bodies: Callable[[list[Json]], Any] = lambda _: None,
    outcomes: Callable[[list[Json]], Any] = lambda _: None,
    seed: str = "fisco2",
    signers: Sequence[int] = (0, 1, 3),
) -> Built:
    """The same block with other contents, signed, hashed, rooted and sealed anew: what the chain itself could have recorded."""
    s = chain.suite
    txs, rcs = [copy.deepcopy(t) for t in chain.bodies], [copy.deepcopy(r) for r in chain.outcomes]
    before = [dict(t) for t in txs]
    bodies(txs)
    txs = [t if t == b else signed(s, t, s.key(f"{seed} sender")) for t, b in zip(txs, before, strict=True)]
    for t, r in zip(txs, rcs, strict=True):
        r.update(transactionHash=t["hash"], to=t["to"] or ZERO, input=t["input"])
    outcomes(rcs)
    header = assembled(
        s, txs, rcs, chain.sealers, signers, height=number(chain.header["number"]),
        timestamp=number(chain.header["timestamp"]), remain_gas=chain.remain_gas,
    )  # fmt: skip
    return replace(chain, bodies=tuple(txs), outcomes=tuple(rcs), header=header)


def resealed(chain: Built, signers: Sequence[int] = (0, 1, 3), **changes: Any) -> Built:
    """The same chain with a changed header, hashed and signed anew."""
    header = sealed(chain.suite, {**chain.header, **changes}, chain.sealers, signers)
    records = copy.deepcopy((chain.bodies, chain.outcomes))
    for record in (*records[0], *records[1]):
        record.update(blockHash=header["hash"], blockNumber=hex(number(header["number"])))
    return replace(chain, header=header, bodies=records[0], outcomes=records[1])


def package(chain: Built, evidence: Sequence[tuple[str, str, bytes]], *, index: int = 0, **more: Any) -> Json:
    """The proof package that a platform would make of one record; `evidence`: (file name, algorithm, digest)."""
    suite: Mapping[str, str] = chain.profile["suite"]
    return {
        "format": "mingjian.chain-proof",
        "version": 1,
        "family": "fisco2",
        "chain": {
            "chain_id": chain.profile["chain_id"], "group_id": int(chain.profile["group_id"]),
            "genesis_hash": chain.profile["genesis_hash"], "engine": "2.9.1", "hash": suite["hash"], "signature": suite["signature"],
        },
        "evidence": [
            {
                "name": name, "digest_alg": algorithm, "digest": digest.hex(),
                "location": {
                    "where": "param", "contract": CONTRACT, "method": "voteSaveRequest(bytes32)", "key": "hash", "encoding": "bytes",
                },
            }
            for name, algorithm, digest in evidence
        ],
        **copy.deepcopy(chain.answers(index)),
        **more,
    }  # fmt: skip
