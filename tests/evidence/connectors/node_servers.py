"""Nodes on this machine, honest and otherwise: they answer with what the independent builders of the demonstration made.

`Listening` accepts connections and hands each to a script; nothing of the connectors is used here. gRPC is answered by grpcio.
"""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from evidence.connectors.nodes import Member, Node
from portal.demonstration import fisco3

Script = Callable[[socket.socket, bytes], None]
"""(the connection, the request up to the end of its body) -> whatever it sends; the connection is closed afterwards."""


class Listening:
    """A TCP server on a free port of the loopback. `connections` counts, `requests` keeps what was asked."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, read: bool = True) -> None:
        self._script, self._tls, self._read = script, tls, read
        self.connections = 0
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            request = _request(connection) if self._read else b""
            if self._read and not request:
                return  # whoever came left without a question
            self.requests.append(request)
            self._script(connection, request)
        except (OSError, ssl.SSLError):
            return  # the other side left, as these tests make it do
        finally:
            connection.close()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(1 << 16)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(1 << 16)
    return head + b"\r\n\r\n" + body


def body(request: bytes) -> Any:
    return json.loads(request.partition(b"\r\n\r\n")[2])


def http(content: bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n{more}\r\n"
    return head.encode() + content


Results = Callable[[str, list[Any]], object]
"""(method, parameters) -> the `result` of JSON-RPC."""


def replay(results: Results) -> Script:
    def script(connection: socket.socket, request: bytes) -> None:
        asked = body(request)
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": results(asked["method"], asked["params"])}
        connection.sendall(http(json.dumps(answer).encode()))

    return script


def fisco3_results(chain: fisco3.Built, **instead: object) -> Results:
    """What an honest FISCO BCOS 3 node says of the block; `instead` replaces the result of single methods."""

    def results(method: str, parameters: list[Any]) -> object:
        if method in instead:
            return instead[method]
        group, _, key, *_ = parameters
        if group != chain.profile["group_id"]:
            return None
        if method == "getBlockByNumber":
            return chain.block if key == chain.block["number"] else None
        rows = {"getTransaction": chain.transactions, "getTransactionReceipt": chain.receipts}[method]
        return next((r for t, r in zip(chain.transactions, rows, strict=True) if t["hash"] == key), None)

    return results


def node(port: int, **changes: Any) -> Node:
    """A node of the court on this machine, without TLS unless the test says otherwise."""
    fields: dict[str, Any] = {
        "id": "court-fisco",
        "family": "fisco3",
        "title": {"zh": "本院节点", "en": "Node of this court"},
        "chain_id": "demonstration0",
        "group_id": "group0",
        "node_name": "",
        "host": "127.0.0.1",
        "port": port,
        "path": "/",
        "tls": False,
        "tls_name": "node.court.example",
        "ca": None,
        "certificate_sha256": "",
        "allowed": (ip_network("127.0.0.0/8"),),
        "enabled": True,
        "automatic": True,
        "client_certificate": None,
        "client_key": None,
        "member": None,
        "requests_per_minute": 600,
        "at_once": 2,
        "answer_bytes_max": 1 << 20,
        "seconds": 5,
    }
    return Node(**{**fields, **changes})


def configuration(folder: Path, *entries: Mapping[str, Any]) -> Path:
    path = folder / "connectors.json"
    path.write_text(json.dumps({"format": "mingjian.connectors", "version": 1, "nodes": list(entries)}), encoding="utf-8")
    return path


def entry(port: int, **changes: Any) -> dict[str, Any]:
    """A line of the configuration for a FISCO BCOS 3 node on this machine."""
    return {
        "id": "court-fisco",
        "family": "fisco3",
        "title": {"zh": "本院节点", "en": "Node of this court"},
        "chain_id": "demonstration0",
        "group_id": "group0",
        "url": f"http://127.0.0.1:{port}",
        "cleartext": True,
        "allowed": ["127.0.0.0/8"],
        "enabled": True,
        "automatic": True,
        "seconds": 5,
        **changes,
    }


# ── certificates ──────────────────────────────────────────────────────────────────────────────────────────────────────


def identity(folder: Path, *, name: str = "node.court.example") -> tuple[Path, Path]:
    """A self-signed certificate for a TLS server or a chain member, and its key (PEM files)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, secret = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pkcs8 = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption()))
    return public, secret


def server_context(public: Path, secret: Path, *, alpn: str | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, secret)
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def member(folder: Path) -> Member:
    public, secret = identity(folder, name="client1.sign.court")
    return Member(org_id="court", kind="certificate", public=public, key=secret)


# ── gRPC, by grpcio ───────────────────────────────────────────────────────────────────────────────────────────────────

Handler = Callable[[bytes, Any], bytes]


@contextmanager
def grpc_node(handler: Handler, *, credentials: tuple[Path, Path] | None = None) -> Iterator[int]:
    """A gRPC server that answers `/api.RpcNode/SendRequest` with `handler(request, context)`, bytes in and bytes out; its port."""
    import grpc

    server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.max_send_message_length", 64 << 20)])
    methods = {"SendRequest": grpc.unary_unary_rpc_method_handler(handler)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("api.RpcNode", methods)])
    if credentials:
        public, secret = credentials
        port = server.add_secure_port(
            "127.0.0.1:0", grpc.ssl_server_credentials([(secret.read_bytes(), public.read_bytes())])
        )
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait(5)
