"""A block of a demonstration FISCO BCOS 3 chain, written field by field.

Nothing of the engine is used here, so that the engine has something independent to verify: hashes, tree, ABI and signatures
are made from the byte layouts of the node's source (bcos-tars-protocol/impl/TarsHashable.h, bcos-crypto/merkle/Merkle.h).
All keys come from labels that begin with "demonstration": they protect nothing, and no chain should ever trust them.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]

VERSION = 0x03080000
"""Compatibility version of the demonstration chain: 3.8.0."""
CONTRACT = "0x" + hashlib.sha256(b"demonstration EvidenceController").hexdigest()[:40]
OPERATORS = (
    ("demonstration-platform", "platform", "node-platform"),
    ("demonstration-court", "court", "node-court"),
    ("demonstration-notary", "neutral", "node-notary"),
    ("demonstration-university", "neutral", "node-university"),
)
"""(operator, role, node name) of the four sealers, before the chain sorts them by key."""
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SM2_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SM2_UID = b"1234567812345678"


def keccak(data: bytes) -> bytes:
    from Crypto.Hash import keccak as algorithm

    return algorithm.new(digest_bits=256, data=data).digest()


def sm3(data: bytes) -> bytes:
    from gmalg import SM3

    h = SM3()
    h.update(data)
    return bytes(h.value())


@dataclass(frozen=True)
class Key:
    """One signer: its 64-byte public key and how it signs a 32-byte hash, as the chain writes signatures."""

    public: bytes
    sign: Callable[[bytes], bytes]


def ecdsa_key(label: str) -> Key:
    """secp256k1: r‖s‖v over the hash itself, low s, with a one-time number drawn from key and hash."""
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = int.from_bytes(hashlib.sha256(label.encode()).digest()) % (SECP256K1_ORDER - 1) + 1

    def point(scalar: int) -> tuple[int, int]:
        numbers = ec.derive_private_key(scalar, ec.SECP256K1()).public_key().public_numbers()
        return numbers.x, numbers.y

    def sign(digest: bytes) -> bytes:
        once = int.from_bytes(hashlib.sha512(b"demonstration nonce" + secret.to_bytes(32) + digest).digest())
        k = once % (SECP256K1_ORDER - 1) + 1
        x, y = point(k)
        r = x % SECP256K1_ORDER
        s = pow(k, -1, SECP256K1_ORDER) * (int.from_bytes(digest) + r * secret) % SECP256K1_ORDER
        v = y & 1
        if s > SECP256K1_ORDER // 2:
            s, v = SECP256K1_ORDER - s, v ^ 1
        return r.to_bytes(32) + s.to_bytes(32) + bytes([v])

    x, y = point(secret)
    return Key(x.to_bytes(32) + y.to_bytes(32), sign)


def sm2_key(label: str) -> Key:
    """SM2: r‖s‖public key over SM3(Z_A‖hash)."""
    from gmalg import SM2

    secret = (int.from_bytes(hashlib.sha256(label.encode()).digest()) % (SM2_ORDER - 2) + 1).to_bytes(32)
    public = bytes(SM2().generate_pk(secret))[-64:]

    def sign(digest: bytes) -> bytes:
        seed = hashlib.sha512(b"demonstration nonce" + secret + digest).digest()

        def once(bits: int) -> int:
            nonlocal seed
            seed = hashlib.sha512(seed).digest()
            return int.from_bytes(seed) >> (512 - bits)

        r, s = SM2(secret, SM2_UID, b"\x04" + public, rnd_fn=once).sign(digest)
        return bytes(r) + bytes(s) + public

    return Key(public, sign)


@dataclass(frozen=True)
class Suite:
    name: str
    hash: Callable[[bytes], bytes]
    key: Callable[[str], Key]
    profile: Mapping[str, str]


SUITES = {
    "ECDSA": Suite("ECDSA", keccak, ecdsa_key, {"hash": "KECCAK256", "signature": "ECDSA-SECP256K1"}),
    "SM": Suite("SM", sm3, sm2_key, {"hash": "SM3", "signature": "SM2", "sm2_uid": SM2_UID.decode()}),
}


@dataclass(frozen=True)
class Built:
    """The node's answers about one block, and what a court would pin of the chain.

    transactions, receipts   answers of getTransaction and getTransactionReceipt, one per digest, in block order
    links                    answers of getBlockByNumber for the blocks that follow, headers only
    """

    suite: Suite
    block: Json
    transactions: tuple[Json, ...]
    receipts: tuple[Json, ...]
    links: tuple[Json, ...]
    profile: Json
    validators: Json
    sealers: tuple[Key, ...] = field(repr=False)

    @property
    def block_json(self) -> bytes:
        return encode(self.block)

    @property
    def tx_json(self) -> bytes:
        return encode(self.transactions[0])

    @property
    def receipt_json(self) -> bytes:
        return encode(self.receipts[0])

    @property
    def tx_hash(self) -> str:
        return str(self.transactions[0]["hash"])

    def files(self, index: int = 0) -> dict[str, bytes]:
        """The three files a party hands in for one of the records."""
        return {
            "block.json": self.block_json,
            "transaction.json": encode(self.transactions[index]),
            "receipt.json": encode(self.receipts[index]),
        }


def build(
    digests: Sequence[bytes],
    *,
    suite: str = "ECDSA",
    saved: bool = True,
    others: int = 3,
    signers: Sequence[int] = (0, 1, 3),
    number: int = 1204,
    timestamp: int = 1_790_000_000_000,
    links: int = 0,
    chain_id: str = "demonstration0",
    group_id: str = "group0",
    nonce_as_hex: bool = False,
    seed: str = "demonstration",
) -> Built:
    """A block in which the evidence contract dealt with each of `digests` (32 bytes), before `others` unrelated calls.

    saved     True: the vote that reached the threshold (EvidenceSaved); False: only the request (CreateSaveRequest)
    signers   which of the four sealers, in the order of their keys, signed the block
    links     how many headers that follow the block are made too
    """
    s = SUITES[suite]
    sender = s.key(f"{seed} sender")
    sealers = tuple(sorted((s.key(f"{seed} sealer {i}") for i in range(4)), key=lambda k: k.public))
    named = {s.key(f"{seed} sealer {i}").public: OPERATORS[i] for i in range(4)}
    calls = [*digests, *(s.hash(b"%s unrelated %d" % (seed.encode(), i)) for i in range(others))]
    transactions = [
        transaction(
            s, sender, digest, i, saved=saved, number=number, chain_id=chain_id, group_id=group_id, hexed=nonce_as_hex
        )
        for i, digest in enumerate(calls)
    ]
    receipts = [
        receipt(s, tx, digest, i, saved=saved, number=number)
        for i, (tx, digest) in enumerate(zip(transactions, calls, strict=True))
    ]
    block = assemble(s, transactions, receipts, sealers, signers, number=number, timestamp=timestamp, seed=seed)
    following, last = [], block
    for step in range(1, links + 1):
        last = seal(
            s,
            {
                **{k: v for k, v in block.items() if k != "transactions"},
                "parentInfo": [{"blockNumber": last["number"], "blockHash": last["hash"]}],
                "txsRoot": hexed(s.hash(b"%s later transactions %d" % (seed.encode(), step))),
                "receiptsRoot": hexed(s.hash(b"%s later receipts %d" % (seed.encode(), step))),
                "number": number + step,
                "timestamp": timestamp + 1000 * step,
            },
            sealers,
            signers,
        )
        following.append(last)
    return Built(
        suite=s,
        block=block,
        transactions=tuple(transactions[: len(digests)]),
        receipts=tuple(receipts[: len(digests)]),
        links=tuple(following),
        profile={
            "id": f"{seed}-fisco3",
            "title": {"zh": "演示联盟链", "en": "Demonstration chain"},
            "operator": OPERATORS[0][0],
            "family": "fisco3",
            "engine_versions": "3.8",
            "chain_id": chain_id,
            "group_id": group_id,
            "genesis_hash": s.hash(f"{seed} genesis".encode()).hex(),
            "suite": dict(s.profile),
            "consensus": "BFT",
            "contracts": [
                {
                    "name": CONTRACT,
                    "method": method,
                    "digest_param": "hash",
                    "encoding": "bytes",
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
                            "key": k.public.hex(),
                            "weight": 1,
                            "org": named[k.public][0],
                            "operator": named[k.public][0],
                            "role": named[k.public][1],
                            "node_name": named[k.public][2],
                        }
                        for k in sealers
                    ],
                }
            ]
        },
        sealers=sealers,
    )


def assemble(
    s: Suite,
    transactions: Sequence[Json],
    receipts: Sequence[Json],
    sealers: Sequence[Key],
    signers: Sequence[int],
    *,
    number: int,
    timestamp: int,
    seed: str = "demonstration",
) -> Json:
    """A sealed block over transactions and receipts; their paths are written into them."""
    tx_hashes = [raw(t["hash"]) for t in transactions]
    receipt_hashes = [raw(r["hash"]) for r in receipts]
    for i, (tx, rc) in enumerate(zip(transactions, receipts, strict=True)):
        tx["txProof"] = [item.hex() for item in proof(s, tx_hashes, i)]
        rc["txReceiptProof"] = [item.hex() for item in proof(s, receipt_hashes, i)]
    header = {
        "version": VERSION,
        "parentInfo": [{"blockNumber": number - 1, "blockHash": hexed(s.hash(f"{seed} parent {number}".encode()))}],
        "txsRoot": hexed(root(s, tx_hashes)),
        "receiptsRoot": hexed(root(s, receipt_hashes)),
        "stateRoot": hexed(s.hash(f"{seed} state {number}".encode())),
        "number": number,
        "gasUsed": str(sum(int(r["gasUsed"]) for r in receipts)),
        "timestamp": timestamp,
        "sealer": number % 4,
        "sealerList": [hexed(k.public) for k in sealers],
        "extraData": "0x",
        "consensusWeights": [1] * len(sealers),
        "transactions": [t["hash"] for t in transactions],
    }
    return seal(s, header, sealers, signers)


def transaction(
    s: Suite,
    sender: Key,
    digest: bytes,
    index: int,
    *,
    saved: bool,
    number: int,
    chain_id: str,
    group_id: str,
    hexed: bool,
) -> Json:
    """A call of the evidence contract: `voteSaveRequest(bytes32)`, or `createSaveRequest(bytes32,bytes)` with a note."""
    if saved:
        call = s.hash(b"voteSaveRequest(bytes32)")[:4] + digest
    else:
        note = b"demonstration"
        call = s.hash(b"createSaveRequest(bytes32,bytes)")[:4] + digest
        call += (64).to_bytes(32) + len(note).to_bytes(32) + note.ljust(32, b"\0")
    nonce = str(int.from_bytes(hashlib.sha256(b"demonstration nonce %d" % index + digest).digest()))
    fields: Json = {
        "version": 0,
        "chainID": chain_id,
        "groupID": group_id,
        "blockLimit": number + 500,
        "nonce": nonce,
        "to": CONTRACT,
        "input": "0x" + call.hex(),
        "abi": "",
        "importTime": 1_789_999_999_000 + index,
        "extraData": "",
    }
    return sign_transaction(s, fields, sender, hexed=hexed)


def sign_transaction(s: Suite, fields: Json, sender: Key, *, hexed: bool = False) -> Json:
    """Hash, signature and sender for a transaction whose nonce is decimal text; then the nonce as the node prints it."""
    digest = s.hash(transaction_bytes(fields))
    printed = fields["nonce"].encode().hex() if hexed else fields["nonce"]
    return {
        **fields,
        "nonce": printed,
        "hash": "0x" + digest.hex(),
        "signature": "0x" + sender.sign(digest).hex(),
        "from": "0x" + s.hash(sender.public)[-20:].hex(),
    }


def receipt(s: Suite, tx: Json, digest: bytes, index: int, *, saved: bool, number: int) -> Json:
    """What the contract logged; the last vote logs both the vote and that the record is now stored."""
    sender = raw(tx["from"]).rjust(32, b"\0")
    if saved:
        logs = [
            log(s, "VoteSaveRequest(bytes32,address,bool)", [digest], sender + (1).to_bytes(32)),
            log(s, "EvidenceSaved(bytes32)", [digest], b""),
        ]
    else:
        logs = [log(s, "CreateSaveRequest(bytes32,address)", [digest], sender)]
    fields: Json = {
        "version": 0,
        "gasUsed": str(21_000 + index),
        "contractAddress": "",
        "checksumContractAddress": "",
        "status": 0,
        "output": hexed((1).to_bytes(32) if saved else b""),
        "logEntries": logs,
        "blockNumber": number,
        "message": "",
        "transactionHash": tx["hash"],
        "from": tx["from"],
        "to": tx["to"],
        "input": tx["input"],
    }
    return {**fields, "hash": hexed(s.hash(receipt_bytes(fields)))}


def log(s: Suite, event: str, indexed: Sequence[bytes], data: bytes) -> Json:
    return {
        "address": CONTRACT.removeprefix("0x"),
        "topics": [hexed(s.hash(event.encode())), *(hexed(t) for t in indexed)],
        "data": hexed(data),
    }


def seal(s: Suite, block: Json, sealers: Sequence[Key], signers: Sequence[int]) -> Json:
    """Header hash and the signatures over it."""
    digest = s.hash(header_bytes(block))
    return {
        **block,
        "hash": hexed(digest),
        "signatureList": [{"sealerIndex": i, "signature": hexed(sealers[i].sign(digest))} for i in signers],
    }


def header_bytes(block: Json) -> bytes:
    out: bytes = int(block["version"]).to_bytes(4)
    for parent in block["parentInfo"]:
        out += int(parent["blockNumber"]).to_bytes(8) + raw(parent["blockHash"])
    out += raw(block["txsRoot"]) + raw(block["receiptsRoot"]) + raw(block["stateRoot"])
    out += int(block["number"]).to_bytes(8) + block["gasUsed"].encode()
    out += int(block["timestamp"]).to_bytes(8) + int(block["sealer"]).to_bytes(8)
    out += b"".join(raw(k) for k in block["sealerList"]) + raw(block["extraData"])
    return out + b"".join(int(w).to_bytes(8) for w in block["consensusWeights"])


def transaction_bytes(tx: Json) -> bytes:
    out: bytes = int(tx["version"]).to_bytes(4) + tx["chainID"].encode() + tx["groupID"].encode()
    out += int(tx["blockLimit"]).to_bytes(8) + tx["nonce"].encode() + tx["to"].encode() + raw(tx["input"])
    out += tx["abi"].encode()
    if tx["version"] >= 1:
        out += tx["value"].encode() + tx["gasPrice"].encode() + int(tx["gasLimit"]).to_bytes(8)
        out += tx["maxFeePerGas"].encode() + tx["maxPriorityFeePerGas"].encode()
    if tx["version"] >= 2:
        out += bytes(tx["extension"])
    return out


def receipt_bytes(rc: Json) -> bytes:
    out: bytes = int(rc["version"]).to_bytes(4) + rc["gasUsed"].encode() + rc["contractAddress"].encode()
    out += int(rc["status"]).to_bytes(4) + raw(rc["output"])
    if rc["version"] >= 1:
        out += rc["effectiveGasPrice"].encode()
    for entry in rc["logEntries"]:
        out += entry["address"].encode() + b"".join(raw(t) for t in entry["topics"]) + raw(entry["data"])
    return out + int(rc["blockNumber"]).to_bytes(8)


def root(s: Suite, leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    return root(s, [s.hash(b"".join(leaves[i : i + 2])) for i in range(0, len(leaves), 2)])


def proof(s: Suite, leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Per level: how many nodes the group has, in four bytes of thirty-two, and the nodes."""
    if len(leaves) == 1:
        return []
    first = index - index % 2
    group = list(leaves[first : first + 2])
    above = [s.hash(b"".join(leaves[i : i + 2])) for i in range(0, len(leaves), 2)]
    return [len(group).to_bytes(4) + bytes(28), *group, *proof(s, above, index // 2)]


def resealed(built: Built, signers: Sequence[int] = (0, 1, 3), **changes: Any) -> Built:
    """The same chain with a changed header, hashed and signed anew: what only its sealers could make."""
    block = {**built.block, **changes}
    return replace(built, block=seal(built.suite, block, built.sealers, signers))


def package(built: Built, evidence: Sequence[tuple[str, str, bytes]], *, index: int = 0, **more: Any) -> Json:
    """The proof package (version 1) that a platform would make of one record.

    evidence   (file name, algorithm, digest) of each file that the record speaks of
    """
    return {
        "format": "mingjian.chain-proof",
        "version": 1,
        "family": "fisco3",
        "chain": {
            "chain_id": built.profile["chain_id"],
            "group_id": built.profile["group_id"],
            "genesis_hash": built.profile["genesis_hash"],
            "engine": "v3.8.0",
            "hash": built.profile["suite"]["hash"],
            "signature": built.profile["suite"]["signature"],
        },
        "evidence": [
            {
                "name": name,
                "digest_alg": algorithm,
                "digest": digest.hex(),
                "location": {
                    "where": "param",
                    "contract": CONTRACT,
                    "method": "voteSaveRequest(bytes32)",
                    "key": "hash",
                    "encoding": "bytes",
                },
            }
            for name, algorithm, digest in evidence
        ],
        "transaction": built.transactions[index],
        "receipt": built.receipts[index],
        "header": built.block,
        **more,
    }


def encode(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
