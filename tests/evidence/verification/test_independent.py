"""Hashes, trees, codecs and signatures of the chains against implementations that share no line with the engine, on random cases.

Google's protobuf runtime over descriptors written down from the specification's field numbers, eth-abi, pyrlp, gmalg, OpenSSL
(through `cryptography`), and trees written as the chains' own sources describe them. Seeds are fixed; every case is printed when
it fails.
"""

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import eth_abi
import gmalg
import pytest
import rlp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from eth_hash.auto import keccak
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from evidence.verification import digests, merkle
from evidence.verification.chains import abi, chainmaker_messages
from evidence.verification.codecs import der, protobuf
from evidence.verification.codecs import rlp as our_rlp
from evidence.verification.codecs.text import CodecError
from evidence.verification.keys import ecdsa, secp256k1

RNG = random.Random(20261122)


# ── digests ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def openssl(algorithm: hashes.HashAlgorithm) -> Callable[[bytes], bytes]:
    def digest(data: bytes) -> bytes:
        h = hashes.Hash(algorithm)
        h.update(data)
        return h.finalize()

    return digest


def sm3_of_gmalg(data: bytes) -> bytes:
    h = gmalg.SM3()
    h.update(data)
    return h.value()


OTHERS: dict[str, tuple[Callable[[bytes], bytes], ...]] = {
    "SHA-256": (openssl(hashes.SHA256()),),
    "SHA-384": (openssl(hashes.SHA384()),),
    "SHA-512": (openssl(hashes.SHA512()),),
    "SHA3-256": (openssl(hashes.SHA3_256()),),
    "SM3": (openssl(hashes.SM3()), sm3_of_gmalg),
    "KECCAK-256": (keccak,),
}


@pytest.mark.parametrize("algorithm", OTHERS)
def test_digests(algorithm: str) -> None:
    for length in (0, 1, 55, 56, 63, 64, 65, 135, 136, 137, *(RNG.randrange(2000) for _ in range(20))):
        data = RNG.randbytes(length)
        for other in OTHERS[algorithm]:
            assert digests.digest(algorithm, data) == other(data), (algorithm, length)


# ── signatures ────────────────────────────────────────────────────────────────────────────────────────────────────────

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def public(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32) + numbers.y.to_bytes(32)


def test_ecdsa_on_p256_of_openssl() -> None:
    for _ in range(20):
        key = ec.generate_private_key(ec.SECP256R1())
        digest = RNG.randbytes(32)
        signature = key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        r, s = der.signature(signature, order=P256_ORDER)
        assert (r, s) == utils.decode_dss_signature(signature)
        assert ecdsa.verify_digest(public(key), r, s, digest, curve="P-256")
        assert not ecdsa.verify_digest(public(key), r, s, RNG.randbytes(32), curve="P-256")
        assert not ecdsa.verify_digest(public(key), s, r, digest, curve="P-256")


def test_keys_recovered_from_signatures_of_openssl() -> None:
    for _ in range(20):
        key = ec.generate_private_key(ec.SECP256K1())
        digest = RNG.randbytes(32)
        r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
        candidates = {secp256k1.recover(digest, r, s, v) for v in (0, 1)}
        assert public(key) in candidates
        assert all(c is None or ecdsa.verify_digest(c, r, s, digest, curve="secp256k1") for c in candidates)


# ── the wire format of protocol buffers ───────────────────────────────────────────────────────────────────────────────

Field = tuple[int, str, Any]
"""(number, name, type): type is a scalar name of protobuf, ("repeated", type), ("map", type, type) or a list of Fields."""

LIMIT: list[Field] = [(1, "gas_limit", "uint64")]
PARAMETER: list[Field] = [(1, "key", "string"), (2, "value", "bytes")]
PAYLOAD: list[Field] = [
    (1, "chain_id", "string"), (2, "tx_type", "enum"), (3, "tx_id", "string"), (4, "timestamp", "int64"),
    (5, "expiration_time", "int64"), (6, "contract_name", "string"), (7, "method", "string"),
    (8, "parameters", ("repeated", PARAMETER)), (9, "sequence", "uint64"), (10, "limit", LIMIT),
]  # fmt: skip
MEMBER: list[Field] = [(1, "org_id", "string"), (2, "member_type", "enum"), (3, "member_info", "bytes")]
ENDORSEMENT: list[Field] = [(1, "signer", MEMBER), (2, "signature", "bytes")]
EVENT: list[Field] = [
    (1, "topic", "string"), (2, "tx_id", "string"), (3, "contract_name", "string"), (4, "contract_version", "string"),
    (5, "event_data", ("repeated", "string")),
]  # fmt: skip
CONTRACT_RESULT: list[Field] = [
    (1, "code", "uint32"), (2, "result", "bytes"), (3, "message", "string"), (4, "gas_used", "uint64"),
    (5, "contract_event", ("repeated", EVENT)),
]  # fmt: skip
RESULT: list[Field] = [
    (1, "code", "enum"), (2, "contract_result", CONTRACT_RESULT), (3, "rw_set_hash", "bytes"), (4, "message", "string"),
]  # fmt: skip
TRANSACTION: list[Field] = [
    (1, "payload", PAYLOAD), (2, "sender", ENDORSEMENT), (3, "endorsers", ("repeated", ENDORSEMENT)),
    (4, "result", RESULT), (5, "payer", ENDORSEMENT),
]  # fmt: skip
HEADER: list[Field] = [
    (1, "block_version", "uint32"), (2, "block_type", "enum"), (3, "chain_id", "string"), (4, "block_height", "uint64"),
    (5, "block_hash", "bytes"), (6, "pre_block_hash", "bytes"), (7, "pre_conf_height", "uint64"), (8, "tx_count", "uint32"),
    (9, "tx_root", "bytes"), (10, "dag_hash", "bytes"), (11, "rw_set_root", "bytes"), (12, "block_timestamp", "int64"),
    (13, "consensus_args", "bytes"), (14, "proposer", MEMBER), (15, "signature", "bytes"),
]  # fmt: skip
MESSAGES: dict[str, tuple[list[Field], Any]] = {
    "Transaction": (TRANSACTION, chainmaker_messages.TRANSACTION),
    "BlockHeader": (HEADER, chainmaker_messages.HEADER),
}
"""Spec consortium-chains §4, field numbers; beside each the engine's own table."""


@cache
def runtime(name: str) -> Any:
    """Google's class for a message of MESSAGES."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package=name.lower(), syntax="proto3")
    _describe(file.message_type.add(name=name), MESSAGES[name][0], f".{name.lower()}.{name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{name.lower()}.{name}"))


def _describe(message: Any, fields: Sequence[Field], path: str) -> None:
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, name, kind in fields:
        field = message.field.add(name=name, number=number, label=kinds.LABEL_OPTIONAL)
        if isinstance(kind, tuple):
            field.label, kind = kinds.LABEL_REPEATED, kind[1]
        if isinstance(kind, list):
            inner = f"M_{name}"
            _describe(message.nested_type.add(name=inner), kind, f"{path}.{inner}")
            field.type, field.type_name = kinds.TYPE_MESSAGE, f"{path}.{inner}"
        else:
            field.type = kinds.TYPE_INT32 if kind == "enum" else getattr(kinds, f"TYPE_{kind.upper()}")


def filled(message: Any, fields: Sequence[Field]) -> Any:
    """Random values, each field left out now and then."""
    for _, name, kind in fields:
        if RNG.random() < 0.2:
            continue
        if isinstance(kind, tuple):
            for _ in range(RNG.randrange(4)):
                if isinstance(kind[1], list):
                    filled(getattr(message, name).add(), kind[1])
                else:
                    getattr(message, name).append(scalar(kind[1]))
        elif isinstance(kind, list):
            getattr(message, name).SetInParent()
            filled(getattr(message, name), kind)
        else:
            setattr(message, name, scalar(kind))
    return message


def scalar(kind: str) -> Any:
    if kind == "enum":
        return RNG.randrange(3)
    if kind == "bytes":
        return RNG.randbytes(RNG.choice((0, 1, 32, 127, 128, 300)))
    if kind == "string":
        return "".join(RNG.choice("abc证据0 \N{GREEK SMALL LETTER ALPHA}") for _ in range(RNG.choice((0, 1, 20, 130))))
    bits, signed = {"uint32": (32, False), "uint64": (64, False), "int32": (31, True), "int64": (63, True)}[kind]
    value = RNG.getrandbits(RNG.randrange(1, bits + 1))
    return -value if signed and RNG.random() < 0.2 else value


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_of_googles_runtime_are_read_and_cut_alike(name: str) -> None:
    """What the engine keeps of a message without some fields is what Google writes once they are cleared."""
    fields, ours = MESSAGES[name]
    for _ in range(60):
        theirs = filled(runtime(name)(), fields)
        raw = theirs.SerializeToString(deterministic=True)
        read = protobuf.parse(raw, ours)
        assert read.raw == raw
        for _, field, _ in fields:
            less = runtime(name)()
            less.CopyFrom(theirs)
            less.ClearField(field)
            assert read.without(field) == less.SerializeToString(deterministic=True), (field, raw.hex())


# ── the contract ABI ──────────────────────────────────────────────────────────────────────────────────────────────────


def typed(kind: str) -> Any:
    if kind == "bytes":
        return RNG.randbytes(RNG.choice((0, 1, 31, 32, 33, 100)))
    if kind == "string":
        return "存证 evidence"[: RNG.randrange(12)]
    if kind == "address":
        return "0x" + RNG.randbytes(20).hex()
    if kind == "bool":
        return RNG.random() < 0.5
    if kind.startswith("bytes"):
        return RNG.randbytes(int(kind[5:]))
    bits = int(kind.lstrip("uint"))
    return RNG.getrandbits(bits) if kind.startswith("uint") else RNG.getrandbits(bits - 1) - RNG.getrandbits(bits - 1)


def octets(kind: str, value: Any) -> bytes:
    """A value as `abi.decode` gives it."""
    if kind == "string":
        return str(value).encode()
    if kind == "address":
        return bytes.fromhex(value[2:])
    if kind.startswith("bytes"):
        return bytes(value)
    return int(value).to_bytes(32, signed=kind.startswith("int"))


def test_call_data_of_eth_abi() -> None:
    kinds = ("bytes", "string", "address", "bool", "bytes32", "bytes1", "uint256", "uint8", "int128", "int256")
    for _ in range(200):
        types = [RNG.choice(kinds) for _ in range(RNG.randrange(1, 7))]
        values = [typed(kind) for kind in types]
        data = eth_abi.encode(types, values)
        assert abi.decode(types, data) == tuple(octets(k, v) for k, v in zip(types, values, strict=True)), (types, data.hex())


@pytest.mark.parametrize("signature", [*abi.METHODS, *abi.EVENTS])
def test_identifiers_under_either_hash(signature: str) -> None:
    assert abi.identifiers(signature) == (keccak(signature.encode()), sm3_of_gmalg(signature.encode()))


# ── RLP ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def nested(depth: int = 0) -> Any:
    if depth < 4 and RNG.random() < 0.4:
        return [nested(depth + 1) for _ in range(RNG.randrange(6))]
    return RNG.randbytes(RNG.choice((0, 1, 1, 2, 20, 55, 56, 57, 255, 256, 70_000 if depth == 0 else 300)))


def test_rlp_of_pyrlp() -> None:
    for _ in range(300):
        item = nested()
        raw = rlp.encode(item)
        assert our_rlp.encode(item) == raw
        assert our_rlp.decode(raw) == item


def test_what_pyrlp_refuses_is_refused() -> None:
    """Random octets and good ones with an octet changed: never more is taken than the strict peer takes, nor anything else."""
    taken = 0
    for _ in range(3000):
        raw = bytearray(rlp.encode(nested()) if RNG.random() < 0.7 else RNG.randbytes(RNG.randrange(1, 8)))
        if raw and RNG.random() < 0.8:
            raw[RNG.randrange(min(len(raw), 12))] ^= 1 << RNG.randrange(8)
        try:
            theirs: Any = rlp.decode(bytes(raw), strict=True)
        except rlp.DecodingError:
            theirs = None
        try:
            ours: Any = our_rlp.decode(bytes(raw))
        except CodecError:
            ours = None
        assert ours == theirs, bytes(raw[:40]).hex()
        taken += ours is not None
    assert taken > 100


# ── trees ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def doubled_root(leaves: Sequence[bytes], parent: Callable[[bytes], bytes]) -> bytes:
    """ChainMaker: padded to a power of two, a missing right child is the left one, a pair of nothing is nothing."""
    size = 1 << max(0, (len(leaves) - 1).bit_length())
    row: list[bytes | None] = [*leaves, *[None] * (size - len(leaves))]
    while len(row) > 1:
        pairs = list(zip(row[::2], row[1::2], strict=True))
        row = [None if left is None else parent(left + (right if right is not None else left)) for left, right in pairs]
    return row[0] or b""


@pytest.mark.parametrize("algorithm", ["SHA-256", "SM3"])
def test_the_tree_that_repeats_its_last_leaf(algorithm: str) -> None:
    for count in (*range(1, 20), 31, 32, 33, 100):
        leaves = [RNG.randbytes(32) for _ in range(count)]
        root = doubled_root(leaves, OTHERS[algorithm][0])
        levels = merkle.repeating_levels(leaves, algorithm=algorithm)
        assert levels[-1] == [root]
        for index in {0, count // 2, count - 1}:
            path = merkle.repeating_path(levels, index)
            assert merkle.repeating_root(leaves[index], path, index=index, count=count, algorithm=algorithm) == root


def grouped(leaves: Sequence[bytes], parent: Callable[[bytes], bytes]) -> bytes:
    """FISCO BCOS 3: pairs hashed together, a lone last node hashed by itself, one leaf is the root."""
    row = list(leaves)
    while len(row) > 1:
        row = [parent(b"".join(row[i : i + 2])) for i in range(0, len(row), 2)]
    return row[0]


@pytest.mark.parametrize("algorithm", ["KECCAK-256", "SM3"])
def test_the_tree_of_counted_groups(algorithm: str) -> None:
    parent = OTHERS[algorithm][0]
    for count in (*range(1, 20), 31, 32, 33, 100):
        leaves = tuple(RNG.randbytes(32) for _ in range(count))
        root = grouped(leaves, parent)
        assert merkle.grouped_root(leaves, algorithm=algorithm) == root
        for index in {0, count // 2, count - 1}:
            items, row, at = [], list(leaves), index
            while len(row) > 1:
                members = row[at // 2 * 2 : at // 2 * 2 + 2]
                items += [len(members).to_bytes(4) + bytes(28), *members]
                row, at = [parent(b"".join(row[i : i + 2])) for i in range(0, len(row), 2)], at // 2
            assert merkle.grouped_path(leaves[index], items, algorithm=algorithm).root == root
