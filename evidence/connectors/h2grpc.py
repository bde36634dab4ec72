"""One unary gRPC call over HTTP/2, bytes in and bytes out, on our own connection.

The HTTP/2 state machine is the `h2` package, which opens no socket itself; gRPC's five bytes of framing are ours (grpc
doc/PROTOCOL-HTTP2.md). grpcio was not taken: it resolves names, reads proxies from the environment, and does not show the
certificate it was shown.
"""

import struct
from typing import cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import H2Error
from h2.settings import SettingCodes

from .nodes import Node
from .wire import Connection, Reply, Unreachable, Unusable

ALPN = "h2"
HEADER_BYTES_MAX = 16 << 10
WINDOW = 1 << 20
OVERHEAD_FACTOR = 2
"""Bytes on the wire for each byte of the message: frames of a few bytes cost more than they carry."""
UNAVAILABLE = ("4", "8", "14")
"""DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE: the node says "not now"."""
STREAM = 1


def call(connection: Connection, node: Node, method: str, message: bytes) -> Reply:
    """Call `method` (/package.Service/Method) with one message. Unreachable, Unusable."""
    try:
        return _Call(connection, node).run(method, message)
    except H2Error as fault:
        raise Unusable(f"not an answer in HTTP/2: {type(fault).__name__}") from fault


class _Call:
    def __init__(self, connection: Connection, node: Node) -> None:
        self._line, self._node = connection, node
        self._limit = node.answer_bytes_max + 5
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._head: dict[str, str] = {}
        self._trailer: dict[str, str] = {}
        self._body = bytearray()
        self._ended = False
        self._unsent = b""

    def run(self, method: str, message: bytes) -> Reply:
        self._line.budget = HEADER_BYTES_MAX + OVERHEAD_FACTOR * self._limit
        self._h2.initiate_connection()
        self._h2.update_settings(
            {
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.MAX_HEADER_LIST_SIZE: HEADER_BYTES_MAX,
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
                SettingCodes.MAX_CONCURRENT_STREAMS: 0,
            }
        )
        self._h2.send_headers(
            STREAM,
            [
                (":method", "POST"),
                (":scheme", "https" if self._node.tls else "http"),
                (":path", method),
                (":authority", f"{self._node.tls_name}:{self._node.port}"),
                ("te", "trailers"),
                ("content-type", "application/grpc"),
                ("user-agent", "mingjian"),
                ("grpc-timeout", f"{max(1, int(self._line.deadline.left() * 1000))}m"),
            ],
        )
        self._unsent = struct.pack(">BI", 0, len(message)) + message
        self._flow()
        while not self._ended:
            data = self._line.receive()
            if not data:
                raise Unreachable("the connection was closed in the middle of the answer")
            for event in self._h2.receive_data(data):
                if reply := self._take(event):
                    return reply
            self._flow()
        return self._reply()

    def _flow(self) -> None:
        """Send what the node's window lets through, and what the state machine has to say."""
        while self._unsent:
            room = min(self._h2.local_flow_control_window(STREAM), self._h2.max_outbound_frame_size)
            if room <= 0:
                break
            part, self._unsent = self._unsent[:room], self._unsent[room:]
            self._h2.send_data(STREAM, part, end_stream=not self._unsent)
        if out := self._h2.data_to_send():
            self._line.send(out)

    def _take(self, event: Event) -> Reply | None:
        """One event; a reply when nothing more is worth waiting for."""
        match event:
            case ResponseReceived(stream_id=1):
                self._head = _texts(event.headers)
            case TrailersReceived(stream_id=1):
                self._trailer = _texts(event.headers)
            case DataReceived(stream_id=1):
                self._body += event.data or b""
                if len(self._body) > self._limit:
                    return Reply(self._status(), bytes(self._body[: self._limit]), "larger than allowed")
                self._h2.acknowledge_received_data(event.flow_controlled_length or 0, STREAM)
            case StreamEnded(stream_id=1):
                self._ended = True
            case StreamReset(stream_id=1):
                if event.error_code == ErrorCodes.REFUSED_STREAM:
                    raise Unreachable("the node refused the call for now")
                raise Unusable(f"the node broke off the call (HTTP/2 error {int(event.error_code or 0)})")
            case ConnectionTerminated():
                raise Unreachable(f"the node ended the connection (HTTP/2 error {int(event.error_code or 0)})")
        return None

    def _status(self) -> str:
        said = self._trailer.get("grpc-status", self._head.get("grpc-status", ""))
        return f"gRPC {said[:3]}" if said.isascii() and said.isdigit() else f"HTTP {self._head.get(':status', '')[:3]}"

    def _reply(self) -> Reply:
        status, body = self._status(), bytes(self._body)
        if self._head.get(":status") != "200" or not self._head.get("content-type", "").startswith("application/grpc"):
            return Reply(status, body, "not an answer in gRPC", again=self._head.get(":status") in ("429", "502", "503", "504"))
        said = self._trailer.get("grpc-status", self._head.get("grpc-status", ""))
        if said != "0":
            words = self._trailer.get("grpc-message", self._head.get("grpc-message", ""))
            return Reply(status, body, f"the node says {words[:100]!r}", again=said in UNAVAILABLE)
        if len(body) < 5 or body[0] != 0 or int.from_bytes(body[1:5]) != len(body) - 5:
            return Reply(status, body, "not one uncompressed message")
        return Reply(status, body[5:])


def _texts(headers: object) -> dict[str, str]:
    """Header fields as text. The server may send any bytes: what is not ASCII is replaced, no field of ours has any."""
    pairs = cast("list[tuple[bytes, bytes]]", headers or [])
    return {bytes(n).decode("ascii", "replace"): bytes(v).decode("ascii", "replace") for n, v in pairs}
