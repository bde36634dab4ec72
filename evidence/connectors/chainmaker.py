"""ChainMaker over gRPC: which questions prove one transaction, signed by a member of the court's (spec consortium-chains §9.2).

One service, one method: `api.RpcNode/SendRequest` takes a TxRequest and gives a TxResponse (pb `api/rpc_node.proto`,
`common/request.proto`, `common/result.proto`). Only queries are ever sent (`tx_type` QUERY_CONTRACT): nothing is written to a
chain. The block itself holds every transaction of it and the votes, so that a path, which nodes of three generations compute in
three ways, is not asked for.
"""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from . import sm2_signing
from .nodes import Member, Node
from .questions import Absent, Answer, Ask, Question, label
from .wire import Unreachable, Unusable

METHOD = "/api.RpcNode/SendRequest"
QUERY_CONTRACT = 1
CONTRACT_FAIL = 4
MEMBER_KINDS = {"certificate": 0, "public_key": 2}
CERT_HASH = 1
CERTIFICATES_MAX = 200
"""Members of one block known by the hash of their certificate: validators and one sender."""
FIELDS_MAX = 2_000_000
NOT_FOUND = ("no such", "not found", "not exist")

Fields = dict[int, list[bytes | int]]


def prove(node: Node, tx_id: str, ask: Ask) -> Iterator[Answer]:
    """The block with the transaction, as BlockInfo; the certificates of members that it names by hash only."""
    block = _query(node, ask, "CHAIN_QUERY", "GET_BLOCK_BY_TX_ID", {"txId": tx_id, "withRWSet": "false"})
    hashes_named = _members(block, tx_id)
    yield Answer(label(node.id, tx_id, "block.pb"), block)
    if hashes_named:
        found = _query(node, ask, "CERT_MANAGE", "CERTS_QUERY", {"cert_hashes": ",".join(hashes_named)})
        certificates = [_bytes(_fields(info), 2).strip() for info in _messages(_fields(found), 1)[:CERTIFICATES_MAX]]
        # The texts of one answer, one after the other: an exhibit has room for fifty sources, a chain may have more members.
        yield Answer(label(node.id, tx_id, "certificates.pem"), b"".join(c + b"\n" for c in certificates if c))


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _query(node: Node, ask: Ask, contract: str, method: str, parameters: dict[str, str]) -> bytes:
    """The `contract_result.result` of one query. Absent, Unusable."""
    if node.member is None:
        raise Unreachable("no member is configured in whose name this node could be asked")
    answer = _fields(ask(Question(method, request(node, node.member, contract, method, parameters), METHOD)))
    outcome = _fields(_bytes(answer, 3))
    code = _number(answer, 1)
    words = _bytes(outcome, 3) or _bytes(answer, 2)
    if code or _number(outcome, 1):
        said = words[:200].decode("utf-8", "replace")
        if code == CONTRACT_FAIL and any(w in said.lower() for w in NOT_FOUND):
            raise Absent
        raise Unusable(f"the node says {code} {said!r}")
    result = _bytes(outcome, 2)
    if not result:
        raise Unusable("an answer without a result")
    return result


def request(node: Node, member: Member, contract: str, method: str, parameters: dict[str, str]) -> bytes:
    """A TxRequest: the payload, and who signs it. The id of the query is random; nothing is recorded under it."""
    payload = (
        _text(1, node.chain_id)
        + _varint_field(2, QUERY_CONTRACT)
        + _text(3, secrets.token_hex(32))
        + _varint_field(4, int(time.time()))
        + _text(6, contract)
        + _text(7, method)
        + b"".join(_data(8, _text(1, k) + _text(2, v)) for k, v in parameters.items())
    )
    try:
        public = member.public.read_bytes()
        signature = _sign(member.key, payload)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise Unreachable(f"the court's key for this node cannot be used: {type(fault).__name__}") from fault
    signer = _text(1, member.org_id) + _varint_field(2, MEMBER_KINDS[member.kind]) + _data(3, public)
    return _data(1, payload) + _data(2, _data(1, signer) + _data(2, signature))


def _sign(key_file: Path, payload: bytes) -> bytes:
    """DER: SM2 over SM3 for a key on that curve, else ECDSA over SHA-256, as members with such certificates and keys sign."""
    data = key_file.read_bytes()
    if sm2_signing.is_sm2(data):
        return sm2_signing.sign(data, payload)
    key = serialization.load_pem_private_key(data, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("neither a key on P-256 nor on sm2p256v1")
    return key.sign(payload, ec.ECDSA(hashes.SHA256()))


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _members(block_info: bytes, tx_id: str) -> list[str]:
    """Hex hashes by which the block names the sender of this transaction, its proposer and its voters. Unusable: another block."""
    block = _fields(_bytes(_fields(block_info), 1))
    found: list[bytes] = [_bytes(_fields(_bytes(block, 1)), 14)]
    sent = False
    for transaction in _messages(block, 3):
        body = _fields(transaction)
        if _bytes(_fields(_bytes(body, 1)), 3) == tx_id.encode():
            sent = True
            found += [_bytes(_fields(e), 1) for e in (*_messages(body, 2), *_messages(body, 3))]
    if not sent:
        raise Unusable("a block that does not hold the transaction asked for")
    for entry in _messages(_fields(_bytes(block, 4)), 1):
        for vote in _messages(_fields(_bytes(_fields(entry), 2)), 6):
            endorsement = _bytes(_fields(_bytes(_fields(vote), 2)), 6)
            found.append(_bytes(_fields(endorsement), 1))
    members = [_fields(m) for m in found if m]
    named = [_bytes(m, 3) for m in members if _number(m, 2) == CERT_HASH]
    return sorted({n.hex() for n in named if len(n) == 32})[:CERTIFICATES_MAX]


def _fields(message: bytes) -> Fields:
    """Field number -> values in order. Unusable when the bytes are no protobuf message."""
    found: Fields = {}
    at, count = 0, 0
    while at < len(message):
        count += 1
        if count > FIELDS_MAX:
            raise Unusable("more fields than any block has")
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(message, at)
            found.setdefault(number, []).append(value)
        elif wire == 2:
            length, at = _varint(message, at)
            if length > len(message) - at:
                raise Unusable("a protobuf field longer than its message")
            found.setdefault(number, []).append(message[at : at + length])
            at += length
        else:
            raise Unusable("not a protobuf message of this service")
    return found


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Unusable("a protobuf number without an end")


def _messages(fields: Fields, number: int) -> list[bytes]:
    return [v for v in fields.get(number, []) if isinstance(v, bytes)]


def _bytes(fields: Fields, number: int) -> bytes:
    return next(iter(_messages(fields, number)), b"")


def _number(fields: Fields, number: int) -> int:
    return next((v for v in fields.get(number, []) if isinstance(v, int)), 0)


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _data(number: int, value: bytes) -> bytes:
    return _number_bytes(number << 3 | 2) + _number_bytes(len(value)) + value if value else b""


def _text(number: int, value: str) -> bytes:
    return _data(number, value.encode())


def _varint_field(number: int, value: int) -> bytes:
    return _number_bytes(number << 3) + _number_bytes(value) if value else b""


def _number_bytes(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
