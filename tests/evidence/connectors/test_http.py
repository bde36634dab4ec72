"""FISCO BCOS over HTTP against nodes that tell the truth, lie, stall, trickle, swell and point elsewhere (reliability S1, S2, P7)."""

import gzip
import hashlib
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence.connectors.fetching import Exchange, Fetched, Unreachable, Unusable, fetch
from evidence.connectors.nodes import Node
from evidence.connectors.wire import context
from tests.evidence.verification import fisco3_exhibits as block

from .node_servers import (
    Listening,
    Script,
    body,
    fisco3_results,
    http,
    identity,
    node,
    replay,
    server_context,
)

CHAIN = block.built()
TX = str(CHAIN.transactions[0]["hash"])


class Archive(list[Exchange]):
    def __call__(self, exchange: Exchange) -> None:
        self.append(exchange)


def ask(port: int, *, tx: str = TX, archive: Archive | None = None, **changes: Any) -> Fetched:
    return fetch(node(port, **changes), tx, record=archive if archive is not None else Archive())


def says(data: bytes) -> Script:
    return lambda connection, _: connection.sendall(data)


# ── a node that tells the truth ───────────────────────────────────────────────────────────────────────────────────────


def test_transaction_receipt_and_block_come_as_the_node_sent_them() -> None:
    sent: list[bytes] = []

    def script(connection: socket.socket, request: bytes) -> None:
        asked = body(request)
        result = fisco3_results(CHAIN)(asked["method"], asked["params"])
        # As some nodes print: members out of order, spaces, an envelope.
        content = json.dumps({"result": result, "id": 1, "jsonrpc": "2.0"}, indent=2).encode()
        sent.append(content)
        connection.sendall(http(content))

    archive = Archive()
    with Listening(script) as server:
        fetched = ask(server.port, archive=archive)
    assert [a.data for a in fetched.answers] == sent
    assert [a.name for a in fetched.answers] == [
        f"court-node/court-fisco/{TX}/{file}.json" for file in ("transaction", "receipt", "block")
    ]
    assert [(e.question, e.outcome, e.status, e.address) for e in archive] == [
        (m, "answered", "HTTP 200", "127.0.0.1") for m in ("getTransaction", "getTransactionReceipt", "getBlockByNumber")
    ]
    assert [e.answer for e in archive] == sent
    assert [json.loads(e.request)["params"] for e in archive] == [
        ["group0", "", TX, True],
        ["group0", "", TX, True],
        ["group0", "", CHAIN.block["number"], False, True],
    ]


def test_nothing_of_the_surroundings_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Proxies, netrc, cookies: none. To see it fail: fetch with `requests`."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("HOME", str(tmp_path))

    def script(connection: socket.socket, request: bytes) -> None:
        asked = body(request)
        answer = {"jsonrpc": "2.0", "id": 1, "result": fisco3_results(CHAIN)(asked["method"], asked["params"])}
        connection.sendall(http(json.dumps(answer).encode(), more="Set-Cookie: a=b\r\n"))

    with Listening(script) as server:
        assert len(ask(server.port).answers) == 3
    for request in server.requests:
        head = request.partition(b"\r\n\r\n")[0].lower()
        assert b"cookie" not in head and b"authorization" not in head
        assert b"accept-encoding: identity" in head and b"connection: close" in head


def test_a_node_without_the_transaction() -> None:
    with Listening(replay(lambda method, parameters: None)) as server:
        assert ask(server.port).absent
    for words in (
        "transaction not found",
        "Batch get transaction failed, transactions size not match hashesSize, txsSize: 0, hashesSize: 1",
    ):
        error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": words}}
        with Listening(says(http(json.dumps(error).encode()))) as server:
            assert ask(server.port).absent


def test_a_transaction_that_is_in_no_block_yet_is_not_absent() -> None:
    with Listening(replay(fisco3_results(CHAIN, getTransactionReceipt=None))) as server, pytest.raises(Unusable, match="no receipt"):
        ask(server.port)


def test_a_node_that_keeps_the_connection_open_is_not_waited_for() -> None:
    """FISCO BCOS 3 does, whatever it is asked."""

    def script(connection: socket.socket, request: bytes) -> None:
        replay(fisco3_results(CHAIN))(connection, request)
        time.sleep(3)

    began = time.monotonic()
    with Listening(script) as server:
        assert len(ask(server.port).answers) == 3
        assert time.monotonic() - began < 2.5


def test_chunks_are_put_together() -> None:
    def script(connection: socket.socket, request: bytes) -> None:
        asked = body(request)
        answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": fisco3_results(CHAIN)(asked["method"], asked["params"])}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(answer), 1000):
            part = answer[at : at + 1000]
            connection.sendall(b"%x\r\n" % len(part) + part + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    with Listening(script) as server:
        assert len(ask(server.port).answers) == 3


# ── a node that lies ──────────────────────────────────────────────────────────────────────────────────────────────────

OTHER_BLOCK = {**CHAIN.block, "number": 7}
LIES: dict[str, dict[str, object]] = {
    "another transaction": {"getTransaction": CHAIN.transactions[1]},
    "another receipt": {"getTransactionReceipt": CHAIN.receipts[1]},
    "another block": {"getBlockByNumber": OTHER_BLOCK},
    "a list": {"getTransaction": [1, 2]},
    "a receipt of no block": {"getTransactionReceipt": {**CHAIN.receipts[0], "blockNumber": "latest"}},
    "a negative block": {"getTransactionReceipt": {**CHAIN.receipts[0], "blockNumber": -1}},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_to_another_question_is_archived_and_not_used(lie: str) -> None:
    """A wrong answer of the court's node is no contradiction of the party's evidence."""
    archive = Archive()
    with Listening(replay(fisco3_results(CHAIN, **LIES[lie]))) as server, pytest.raises(Unusable):
        ask(server.port, archive=archive)
    assert archive[-1].answer and archive[-1].outcome == "answered"


NO_ANSWERS = {
    "not JSON": b"<html>",
    "two of a member": b'{"jsonrpc":"2.0","id":1,"id":1,"result":{}}',
    "another question's": b'{"jsonrpc":"2.0","id":2,"result":{}}',
    "an older protocol": b'{"id":1,"result":{}}',
    "nested without end": b"[" * 100_000,
    "an error": b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"group stopped"}}',
    "an error without words": b'{"jsonrpc":"2.0","id":1,"error":7}',
    "nothing": b"",
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_in_json_rpc(name: str) -> None:
    with Listening(says(http(NO_ANSWERS[name]))) as server, pytest.raises(Unusable):
        ask(server.port)


# ── a server that does not behave ─────────────────────────────────────────────────────────────────────────────────────

GOOD = b'{"jsonrpc":"2.0","id":1,"result":{}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
UNUSABLE: dict[str, bytes] = {
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n",
    "a redirect to ::1": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://[::1]/\r\nContent-Length: 0\r\n\r\n",
    "a page": http(b"<html>", kind="text/html"),
    "no type": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a forbidden page": http(GOOD, status="403 Forbidden"),
    "gzip": http(gzip.compress(b"0" * 10_000_000), more="Content-Encoding: gzip\r\n"),
    "deflate": http(b"x", more="Content-Encoding: deflate\r\n"),
    "two lengths": HEAD + b"Content-Length: 36\r\nContent-Length: 5\r\n\r\n" + GOOD,
    "the same length twice": HEAD + b"Content-Length: 36\r\nContent-Length: 36\r\n\r\n" + GOOD,
    "length and chunks": HEAD + b"Content-Length: 36\r\nTransfer-Encoding: chunked\r\n\r\n24\r\n" + GOOD + b"\r\n0\r\n\r\n",
    "chunks in disguise": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n24\r\n" + GOOD,
    "no length": HEAD + b"\r\n" + GOOD,
    "a length with a sign": HEAD + b"Content-Length: +36\r\n\r\n" + GOOD,
    "a length in hex": HEAD + b"Content-Length: 0x24\r\n\r\n" + GOOD,
    "a space before the colon": HEAD + b"Content-Length : 36\r\n\r\n" + GOOD,
    "a folded header": HEAD + b"X: a\r\n b\r\nContent-Length: 36\r\n\r\n" + GOOD,
    "a length too large": HEAD + b"Content-Length: 999999999\r\n\r\n",
    "chunks too large": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"0" * 0x10000 + b"\r\n") * 40,
    "many headers": HEAD + b"".join(b"X-%d: y\r\n" % i for i in range(500)) + b"Content-Length: 36\r\n\r\n" + GOOD,
    "a long header": HEAD + b"X: " + b"y" * 70_000 + b"\r\nContent-Length: 36\r\n\r\n" + GOOD,
    "not HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "an older HTTP": b"\x00\x01\x02\x03\r\n\r\n",
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_answer_that_is_not_as_it_should_be(name: str) -> None:
    archive = Archive()
    with Listening(says(UNUSABLE[name])) as server, pytest.raises(Unusable):
        ask(server.port, archive=archive)
    assert server.connections == 1, "a redirect was followed, or the question put again"
    assert [e.outcome for e in archive] == ["unusable"]
    assert len(archive[0].answer or b"") <= 1 << 20


UNREACHABLE: dict[str, bytes] = {
    "closed at once": b"",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "half a body": HEAD + b"Content-Length: 36\r\n\r\n" + GOOD[:10],
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n24\r\n" + GOOD[:10],
    "a chunk of no size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + GOOD,
    "busy": http(b"", status="503 Service Unavailable"),
    "too many": http(b"{}", status="429 Too Many Requests"),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_an_answer_that_did_not_come_whole(name: str) -> None:
    archive = Archive()
    with Listening(says(UNREACHABLE[name])) as server, pytest.raises(Unreachable):
        ask(server.port, archive=archive)
    assert [e.outcome for e in archive] == ["unreachable"]


def stall(connection: socket.socket, request: bytes) -> None:
    time.sleep(4)


def stall_in_the_middle(connection: socket.socket, request: bytes) -> None:
    connection.sendall(HEAD + b"Content-Length: 36\r\n\r\n" + GOOD[:10])
    time.sleep(4)


def trickle(connection: socket.socket, request: bytes) -> None:
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.05)


def trickle_of_headers(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for n in range(100):
        connection.sendall(b"X-%d: y\r\n" % n)
        time.sleep(0.05)


def interim_answers(connection: socket.socket, request: bytes) -> None:
    for _ in range(100):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize("script", [stall, stall_in_the_middle, trickle, trickle_of_headers, interim_answers])
def test_slowness_costs_the_time_allowed_and_no_more(script: Callable[[socket.socket, bytes], None]) -> None:
    """A byte now and then does not stretch the time. To see it fail: give each read its own timeout."""
    began = time.monotonic()
    with Listening(script) as server, pytest.raises(Unreachable):
        ask(server.port, seconds=1)
    assert time.monotonic() - began < 3


def test_the_time_is_that_of_all_questions_together() -> None:
    def slow(connection: socket.socket, request: bytes) -> None:
        time.sleep(0.7)
        replay(fisco3_results(CHAIN))(connection, request)

    with Listening(slow) as server, pytest.raises(Unreachable):
        ask(server.port, seconds=1)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable):
        ask(port)


# ── where it goes ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.169.254", "::1", "0.0.0.0"])  # noqa: S104
def test_a_name_that_leads_inside_is_never_connected_to(address: str) -> None:
    archive = Archive()
    with Listening(replay(fisco3_results(CHAIN))) as server, pytest.raises(Unusable):
        fetch(node(server.port, host="node.example", allowed=()), TX, record=archive, resolver=lambda h, p: [address])
    assert server.connections == 0
    assert [(e.outcome, e.address) for e in archive] == [("refused", "")]


def test_a_name_that_changes_between_look_ups_is_judged_each_time() -> None:
    """Each request resolves once and goes to the very address judged: DNS rebinding meets the judge, not the socket."""
    answers = iter([["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"]])
    with Listening(replay(fisco3_results(CHAIN))) as server, pytest.raises(Unusable):
        fetch(node(server.port, host="node.example"), TX, record=Archive(), resolver=lambda h, p: next(answers))
    assert server.connections == 2


@pytest.mark.parametrize("tx", ["", "0x12", TX + "0", "../../etc/passwd", TX[:-1] + "\n", "0x" + "g" * 64, 'a","b'])
def test_what_is_no_transaction_id_never_reaches_a_node(tx: str) -> None:
    with Listening(replay(fisco3_results(CHAIN))) as server, pytest.raises(Unusable):
        ask(server.port, tx=tx)
    assert server.connections == 0


# ── TLS ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tls_node(port: int, ca: Path, **changes: Any) -> Node:
    return node(port, tls=True, ca=ca, **changes)


def test_the_pinned_certificate_is_the_one_that_counts(tmp_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    public, secret = identity(tmp_path / "node")
    der = x509.load_pem_x509_certificate(public.read_bytes()).public_bytes(Encoding.DER)
    archive = Archive()
    with Listening(replay(fisco3_results(CHAIN)), tls=server_context(public, secret)) as server:
        assert len(fetch(tls_node(server.port, public), TX, record=archive).answers) == 3
        pinned = hashlib.sha256(der).hexdigest()
        assert fetch(tls_node(server.port, public, certificate_sha256=pinned), TX, record=Archive()).answers
        with pytest.raises(Unusable):
            fetch(tls_node(server.port, public, certificate_sha256="0" * 64), TX, record=Archive())
    assert {e.certificate for e in archive} == {der}


def test_another_certificate_another_name_and_no_tls_at_all(tmp_path: Path) -> None:
    public, secret = identity(tmp_path / "node")
    stranger, strangers_key = identity(tmp_path / "stranger")
    archive = Archive()
    with Listening(replay(fisco3_results(CHAIN)), tls=server_context(stranger, strangers_key)) as server:
        with pytest.raises(Unusable):
            fetch(tls_node(server.port, public), TX, record=archive)
        assert server.requests == [], "the question was sent before it was known who is there"
    assert [(e.outcome, e.answer) for e in archive] == [("unusable", None)]
    with Listening(replay(fisco3_results(CHAIN)), tls=server_context(public, secret)) as server, pytest.raises(Unusable):
        fetch(tls_node(server.port, public, tls_name="another.example"), TX, record=Archive())
    with Listening(says(http(GOOD)), read=False) as server, pytest.raises(Unreachable):
        fetch(tls_node(server.port, public, seconds=1), TX, record=Archive())


def test_a_certificate_of_the_public_authorities_is_not_enough(tmp_path: Path) -> None:
    """Nothing but the pinned file is trusted, not even what the system trusts."""
    public, _ = identity(tmp_path / "node")
    assert context(tls_node(1, public), None).cert_store_stats()["x509"] == 1


def test_a_handshake_without_end_costs_the_time_allowed(tmp_path: Path) -> None:
    public, _ = identity(tmp_path / "node")

    def endless(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")
        for _ in range(100):
            connection.sendall(b"\x02")
            time.sleep(0.05)

    began = time.monotonic()
    with Listening(endless, read=False) as server, pytest.raises(Unreachable):
        fetch(tls_node(server.port, public, seconds=1), TX, record=Archive())
    assert time.monotonic() - began < 3
