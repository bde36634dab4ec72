"""A ChainMaker 2.x transaction, written field by field: as protobuf, as the Go SDK's JSON, and the leaf a block holds of it.

Nothing of the engine is used here. Field numbers are those of ChainMaker pb.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .signers import HASHES, Certificate, Key

Json = dict[str, Any]

BLOCK_VERSION = 2030200
TIME = 1_767_225_600
"""2026-01-01T00:00:00Z, the proposer's clock."""


# ── protobuf, by hand ─────────────────────────────────────────────────────────────────────────────────────────────────


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def n(number: int, value: int) -> bytes:
    """A number field; zero is not written."""
    return varint(number << 3) + varint(value) if value else b""


def b(number: int, value: bytes | str) -> bytes:
    """Bytes or text; empty is not written."""
    return m(number, value.encode() if isinstance(value, str) else value) if value else b""


def m(number: int, content: bytes) -> bytes:
    """An embedded message, written even when empty."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def e64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def kept(**members: Any) -> Json:
    """Go's `omitempty`: zero values are left out, present messages stay."""
    return {k: v for k, v in members.items() if v not in (0, "", None, b"")}


@dataclass(frozen=True)
class Signer:
    """Somebody on the chain: how a Member message presents them (`kind` 0 certificate, 1 its hash, 2 public key)."""

    org: str
    kind: int
    info: bytes
    key: Key
    certificate: Certificate | None = None

    def sign(self, message: bytes, hash_name: str) -> bytes:
        """The holder of a certificate signs with the hash of the certificate's own signature algorithm, others with the chain's."""
        return self.key.sign(message, self.certificate.signed_with if self.certificate else hash_name)

    @property
    def member(self) -> bytes:
        return b(1, self.org) + n(2, self.kind) + b(3, self.info)

    @property
    def member_json(self) -> Json:
        return kept(org_id=self.org, member_type=self.kind, member_info=e64(self.info))


@dataclass(frozen=True)
class Tx:
    """One transaction in every shape a node hands out."""

    tx_id: str
    pb: bytes
    json: Json
    rw_set: bytes
    rw_set_json: Json
    leaf: bytes
    rw_set_hash: bytes


def transaction(
    sender: Signer,
    method: str,
    parameters: Sequence[tuple[str, str | bytes]],
    *,
    hash_name: str,
    contract: str,
    chain_id: str,
    events: Sequence[tuple[str, Sequence[str]]] = (),
    time: int = TIME,
    code: int = 0,
    contract_code: int = 0,
    gas_used: int = 157,
    sign_with: Key | None = None,
    block_version: int = BLOCK_VERSION,
    output: bytes = b"ok",
) -> Tx:
    """One transaction with its result and its read-write set. `sign_with`: another key than the sender's own; `output`: what
    the contract returns."""
    digest = HASHES[hash_name]
    raw = [(k, v.encode() if isinstance(v, str) else v) for k, v in parameters]
    tx_id = digest(b"demonstration tx" + repr((method, raw, time)).encode()).hex()
    payload = (
        b(1, chain_id)
        + b(3, tx_id)
        + n(4, time)
        + b(6, contract)
        + b(7, method)
        + b"".join(m(8, b(1, k) + b(2, v)) for k, v in raw)
        + m(10, n(1, 200_000))
    )
    payload_json = kept(
        chain_id=chain_id,
        tx_id=tx_id,
        timestamp=time,
        contract_name=contract,
        method=method,
        parameters=[kept(key=k, value=e64(v)) for k, v in raw],
        limit={"gas_limit": 200_000},
    )
    signature = (replace(sender, key=sign_with) if sign_with else sender).sign(payload, hash_name)

    key_ = b"h#" + (raw[0][1] if raw else b"")
    rw_set = b(1, tx_id) + m(3, b(1, key_) + b(2, b"{}") + b(3, contract))
    rw_set_json = {
        "tx_id": tx_id,
        "tx_writes": [{"key": e64(key_), "value": e64(b"{}"), "contract_name": contract}],
    }
    rw_set_hash = digest(rw_set)

    def result(gas: int) -> bytes:
        outcome = (
            n(1, contract_code)
            + b(2, output)
            + b(3, "Success")
            + n(4, gas)
            + b"".join(
                m(
                    5,
                    b(1, topic)
                    + b(2, tx_id)
                    + b(3, contract)
                    + b(4, "1.0")
                    + b"".join(m(5, d.encode()) for d in data),
                )
                for topic, data in events
            )
        )
        return n(1, code) + m(2, outcome) + b(3, rw_set_hash)

    result_json = kept(
        code=code,
        contract_result=kept(
            code=contract_code,
            result=e64(output),
            message="Success",
            gas_used=gas_used,
            contract_event=[
                {
                    "topic": topic,
                    "tx_id": tx_id,
                    "contract_name": contract,
                    "contract_version": "1.0",
                    "event_data": list(data),
                }
                for topic, data in events
            ]
            or None,
        ),
        rw_set_hash=e64(rw_set_hash),
    )
    front = m(1, payload) + m(2, m(1, sender.member) + b(2, signature))
    hashed = front + m(4, result(0 if block_version >= 2300 else gas_used))
    return Tx(
        tx_id,
        front + m(4, result(gas_used)),
        {
            "payload": payload_json,
            "sender": {"signer": sender.member_json, "signature": e64(signature)},
            "result": result_json,
        },
        rw_set,
        rw_set_json,
        digest(hashed),
        rw_set_hash,
    )
