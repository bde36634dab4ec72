"""ChainMaker over gRPC: against grpcio as a second implementation, and against servers that speak HTTP/2 badly."""

import hashlib
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.connectors.fetching import Exchange, Fetched, Unreachable, Unusable, fetch
from portal.demonstration import chainmaker
from portal.demonstration.chainmaker_wire import b, m, n

from .node_servers import Listening, grpc_node, identity, member, node, server_context

PAGE = b"<!doctype html><title>a page that was recorded</title>\n"
CHAIN = chainmaker.build_block([hashlib.sha256(PAGE).digest()], suite="P256")
HASHED = chainmaker.build_block([hashlib.sha256(PAGE).digest()], suite="P256", mode="cert_hash")
TX = CHAIN.tx_ids[0]


def ask(port: int, tmp_path: Path, *, tx: str = TX, archive: list[Exchange] | None = None, **changes: Any) -> Fetched:
    fields: dict[str, Any] = {
        "id": "court-chainmaker",
        "family": "chainmaker",
        "chain_id": "demonstration-chain",
        "group_id": "",
        "member": member(tmp_path / "member"),
        **changes,
    }
    return fetch(node(port, **fields), tx, record=(archive if archive is not None else []).append)


def answer(result: bytes, *, code: int = 0, message: str = "") -> bytes:
    """TxResponse: code, message, contract_result {code, result, message}."""
    inner = m(3, n(1, 1 if code else 0) + b(2, result) + b(3, message)) if result or code else b""
    return n(1, code) + b(2, message) + inner


def fields(message: bytes) -> dict[int, list[Any]]:
    """A message read by the other implementation of the wire format, without its schema."""
    from google.protobuf import descriptor_pb2, unknown_fields

    empty = descriptor_pb2.FileDescriptorSet()
    empty.MergeFromString(b"")
    from google.protobuf.empty_pb2 import Empty

    read = Empty()
    read.ParseFromString(message)
    found: dict[int, list[Any]] = {}
    for field in unknown_fields.UnknownFieldSet(read):
        found.setdefault(field.field_number, []).append(field.data)
    return found


def honest(chain: chainmaker.Built, seen: list[bytes] | None = None) -> Callable[[bytes, Any], bytes]:
    certificates = chain.certificates_pem.split(b"-----END CERTIFICATE-----\n")[:-1]

    def handler(request: bytes, context: Any) -> bytes:
        if seen is not None:
            seen.append(request)
        payload = fields(fields(request)[1][0])
        parameters = {fields(p)[1][0]: fields(p)[2][0] for p in payload[8]}
        if payload[7] == [b"GET_BLOCK_BY_TX_ID"]:
            if parameters[b"txId"].decode() not in chain.tx_ids:
                return answer(b"", code=4, message="no such transaction, chainId:demonstration-chain")
            return answer(chain.block_pb)
        assert payload[7] == [b"CERTS_QUERY"] and parameters[b"cert_hashes"]
        return answer(b"".join(m(1, b(1, "hash") + b(2, c + b"-----END CERTIFICATE-----\n")) for c in certificates))

    return handler


# ── against a real gRPC server ────────────────────────────────────────────────────────────────────────────────────────


def test_the_block_comes_as_the_node_sent_it_and_the_request_is_signed(tmp_path: Path) -> None:
    seen: list[bytes] = []
    archive: list[Exchange] = []
    with grpc_node(honest(CHAIN, seen)) as port:
        fetched = ask(port, tmp_path, archive=archive)
    assert [(a.name, a.data) for a in fetched.answers] == [(f"court-node/court-chainmaker/{TX}/block.pb", CHAIN.block_pb)]
    # The request, read by another implementation: a query, in the member's name, signed over the payload.
    request = fields(seen[0])
    payload, sender = fields(request[1][0]), fields(request[2][0])
    assert payload[1] == [b"demonstration-chain"] and payload[2] == [1] and payload[6] == [b"CHAIN_QUERY"]
    assert len(payload[3][0]) == 64 and abs(payload[4][0] - time.time()) < 60
    assert [(fields(p)[1][0], fields(p)[2][0]) for p in payload[8]] == [(b"txId", TX.encode()), (b"withRWSet", b"false")]
    signer = fields(sender[1][0])
    certificate = x509.load_pem_x509_certificate(signer[3][0])
    assert signer[1] == [b"court"] and 2 not in signer
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(sender[2][0], request[1][0], ec.ECDSA(hashes.SHA256()))
    assert [(e.question, e.status, e.outcome) for e in archive] == [("GET_BLOCK_BY_TX_ID", "gRPC 0", "answered")]
    assert archive[0].request == seen[0]


def test_members_known_by_the_hash_of_their_certificate_are_asked_for(tmp_path: Path) -> None:
    seen: list[bytes] = []
    with grpc_node(honest(HASHED, seen)) as port:
        fetched = ask(port, tmp_path, tx=HASHED.tx_ids[0])
    assert fetched.answers[0].data == HASHED.block_pb
    assert [(a.name.rpartition("/")[2], a.data) for a in fetched.answers[1:]] == [("certificates.pem", HASHED.certificates_pem)]
    asked = fields(fields(fields(seen[1])[1][0])[8][0])[2][0].decode().split(",")
    # Client, proposer and three voters; the proposer also voted.
    assert len(asked) == 4 and all(len(h) == 64 for h in asked)


def test_over_tls_with_the_pinned_certificate(tmp_path: Path) -> None:
    public, secret = identity(tmp_path / "node", name="chainmaker.org")
    stranger, _ = identity(tmp_path / "stranger", name="chainmaker.org")
    tls = {"tls": True, "tls_name": "chainmaker.org"}
    with grpc_node(honest(CHAIN), credentials=(public, secret)) as port:
        assert ask(port, tmp_path, ca=public, **tls).answers
        with pytest.raises(Unusable):
            ask(port, tmp_path, ca=stranger, **tls)
        with pytest.raises(Unusable):
            ask(port, tmp_path, ca=public, tls=True, tls_name="other.example")


def test_no_such_transaction(tmp_path: Path) -> None:
    with grpc_node(honest(CHAIN)) as port:
        assert ask(port, tmp_path, tx="f" * 64).absent


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (grpc.StatusCode.UNAVAILABLE, Unreachable),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Unreachable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Unreachable),
        (grpc.StatusCode.PERMISSION_DENIED, Unusable),
        (grpc.StatusCode.UNAUTHENTICATED, Unusable),
        (grpc.StatusCode.UNIMPLEMENTED, Unusable),
        (grpc.StatusCode.INTERNAL, Unusable),
    ],
)
def test_errors_of_grpc(tmp_path: Path, status: grpc.StatusCode, fault: type[Exception]) -> None:
    archive: list[Exchange] = []
    with grpc_node(lambda request, context: context.abort(status, "because <b>" + "x" * 5000)) as port, pytest.raises(fault):
        ask(port, tmp_path, archive=archive)
    assert archive[0].status == f"gRPC {status.value[0]}" and len(archive[0].fault) < 200


WRONG = {
    "another block": answer(chainmaker.build_block([hashlib.sha256(b"other").digest()], suite="P256").block_pb),
    "no result": answer(b""),
    "no permission": answer(b"", code=3, message="authentication error"),
    "not protobuf": b"\xff\xff\xff\xff",
    "a field too long": b"\x0a\x7f",
    "a number without an end": b"\x08" + b"\xff" * 20,
    "a group": b"\x0b\x0c",
    "nothing": b"",
}


@pytest.mark.parametrize("name", WRONG)
def test_answers_to_another_question(tmp_path: Path, name: str) -> None:
    with grpc_node(lambda request, context: WRONG[name]) as port, pytest.raises(Unusable):
        ask(port, tmp_path)


def test_an_answer_larger_than_allowed(tmp_path: Path) -> None:
    archive: list[Exchange] = []
    with grpc_node(lambda request, context: b"\0" * (2 << 20)) as port, pytest.raises(Unusable):
        ask(port, tmp_path, archive=archive)
    assert len(archive[0].answer or b"") <= (1 << 20) + 5


def test_a_node_that_takes_its_time(tmp_path: Path) -> None:
    began = time.monotonic()
    with grpc_node(lambda request, context: time.sleep(3) or b"") as port, pytest.raises(Unreachable):  # type: ignore[func-returns-value]
        ask(port, tmp_path, seconds=1)
    assert time.monotonic() - began < 8


def test_a_key_that_cannot_be_used(tmp_path: Path) -> None:
    someone = member(tmp_path / "x")
    someone.key.write_text("not a key")
    with grpc_node(honest(CHAIN)) as port, pytest.raises(Unreachable):
        ask(port, tmp_path, member=someone)


# ── servers that speak HTTP/2 badly ───────────────────────────────────────────────────────────────────────────────────


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


SETTINGS = frame(4, 0, 0, b"")
STATUS_200 = b"\x88"
STATUS_302 = b"\x48\x03302"
TYPE_GRPC = b"\x40\x0ccontent-type\x10application/grpc"
ENDED_OK = b"\x40\x0bgrpc-status\x010"
MESSAGE = answer(CHAIN.block_pb)
PREFIXED = b"\0" + struct.pack(">I", len(MESSAGE)) + MESSAGE


def bad(*frames: bytes) -> Callable[[socket.socket, bytes], None]:
    def script(connection: socket.socket, request: bytes) -> None:
        connection.recv(1 << 16)
        for data in frames:
            connection.sendall(data)
        # A connection closed upon unread bytes is reset, and what was sent may be lost.
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):
            pass

    return script


def head(block: bytes, *, end: bool = False) -> bytes:
    return frame(1, 4 | (1 if end else 0), 1, block)


BAD_UNUSABLE = {
    "a redirect": (SETTINGS, head(STATUS_302 + TYPE_GRPC, end=True)),
    "another type": (SETTINGS, head(STATUS_200 + b"\x40\x0ccontent-type\x09text/html", end=True)),
    "compressed": (SETTINGS, head(STATUS_200 + TYPE_GRPC), frame(0, 0, 1, b"\1" + PREFIXED[1:6]), head(ENDED_OK, end=True)),
    "two messages": (SETTINGS, head(STATUS_200 + TYPE_GRPC), frame(0, 0, 1, b"\0\0\0\0\0" * 2), head(ENDED_OK, end=True)),
    "half a message": (SETTINGS, head(STATUS_200 + TYPE_GRPC), frame(0, 0, 1, PREFIXED[:50]), head(ENDED_OK, end=True)),
    "no status": (SETTINGS, head(STATUS_200 + TYPE_GRPC), frame(0, 1, 1, b"\0\0\0\0\0")),
    "a status that is no number": (SETTINGS, head(STATUS_200 + TYPE_GRPC), head(b"\x40\x0bgrpc-status\x04zero", end=True)),
    "the call broken off": (SETTINGS, frame(3, 0, 1, struct.pack(">I", 2))),
    "a push": (SETTINGS, frame(5, 4, 1, struct.pack(">I", 2) + b"\x82\x86\x84")),
    "a frame too large": (SETTINGS, frame(0, 0, 1, b"\0" * 100_000)),
    "a header list too large": (SETTINGS, head(b"".join(b"\x40\x04x%03d\x7f\x01" % i + b"y" * 128 for i in range(120)))),
    "a bomb of header references": (SETTINGS, head(b"\x40\x01x\x7f\x81\x1f" + b"y" * 4096 + b"\xbe" * 12_000)),
    "data before the head": (SETTINGS, frame(0, 0, 1, PREFIXED[:50])),
    "a strange stream": (SETTINGS, frame(1, 4, 7, STATUS_200)),
}


@pytest.mark.parametrize("name", BAD_UNUSABLE)
def test_bad_http2(tmp_path: Path, name: str) -> None:
    with Listening(bad(*BAD_UNUSABLE[name]), read=False) as server, pytest.raises(Unusable):
        ask(server.port, tmp_path, seconds=2)


BAD_UNREACHABLE = {
    "a header that is no text, and nothing more": (SETTINGS, head(STATUS_200 + b"\x40\x01x\x02\xff\xfe")),
    "not HTTP/2": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",),
    "closed at once": (),
    "closed in the middle": (SETTINGS, head(STATUS_200 + TYPE_GRPC), frame(0, 0, 1, PREFIXED[:50])),
    "going away": (SETTINGS, frame(7, 0, 0, struct.pack(">II", 0, 0))),
    "refused": (SETTINGS, frame(3, 0, 1, struct.pack(">I", 7))),
}


@pytest.mark.parametrize("name", BAD_UNREACHABLE)
def test_http2_that_ends_early(tmp_path: Path, name: str) -> None:
    with Listening(bad(*BAD_UNREACHABLE[name]), read=False) as server, pytest.raises(Unreachable):
        ask(server.port, tmp_path, seconds=2)


def flood_of_pings(connection: socket.socket, request: bytes) -> None:
    connection.recv(1 << 16)
    connection.sendall(SETTINGS)
    connection.settimeout(5)
    while True:
        connection.sendall(frame(6, 0, 0, bytes(8)) * 1000)


def trickle(connection: socket.socket, request: bytes) -> None:
    connection.recv(1 << 16)
    connection.sendall(SETTINGS + head(STATUS_200 + TYPE_GRPC))
    for _ in range(80):
        connection.sendall(frame(0, 0, 1, b"\0"))
        time.sleep(0.05)


@pytest.mark.parametrize("script", [flood_of_pings, trickle])
def test_frames_without_end_cost_bounded_bytes_and_time(tmp_path: Path, script: Callable[[socket.socket, bytes], None]) -> None:
    began = time.monotonic()
    with Listening(script, read=False) as server, pytest.raises((Unusable, Unreachable)):
        ask(server.port, tmp_path, seconds=1)
    assert time.monotonic() - began < 4


def test_a_node_that_does_not_offer_http2(tmp_path: Path) -> None:
    public, secret = identity(tmp_path / "node")
    with Listening(bad(), tls=server_context(public, secret), read=False) as server, pytest.raises(Unusable):
        ask(server.port, tmp_path, tls=True, ca=public)
