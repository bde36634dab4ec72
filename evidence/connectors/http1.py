"""One POST and its answer over HTTP/1.1: strict about framing, no redirects, no cookies, no encodings, no second request.

The standard library reads the answer, over a stream that counts bytes and time; what it would forgive is refused here. One request
per connection, so that nothing can be smuggled behind an answer.
"""

import io
import re
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected

from .nodes import Node
from .wire import Connection, Reply, Unreachable, Unusable

HEAD_BYTES_MAX = 32 << 10
"""Status line and header of an answer; a node's are a few hundred bytes."""
OVERHEAD_FACTOR = 2
"""Bytes on the wire for each byte of content: chunks of a few bytes cost more than they carry, nodes send large ones."""
JSON_TYPES = frozenset(("application/json", "application/json-rpc"))
BUSY = frozenset((429, 500, 502, 503, 504))
"""The node, or what stands before it, says "not now"."""

_LENGTH = re.compile(r"0|[1-9][0-9]{0,11}")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def post(
    connection: Connection, node: Node, body: bytes, *, sent: str = "application/json", due: frozenset[str] = JSON_TYPES
) -> Reply:
    """Send one body, read one answer. Unreachable when it did not come whole; Unusable when it is not HTTP.

    sent, due   media types of the question, and those that the answer may have
    """
    host = f"[{node.host}]" if ":" in node.host else node.host
    head = (
        f"POST {node.path} HTTP/1.1\r\nHost: {host}:{node.port}\r\nContent-Type: {sent}\r\n"
        f"Accept: {min(due)}\r\nAccept-Encoding: identity\r\nContent-Length: {len(body)}\r\n"
        "User-Agent: mingjian\r\nConnection: close\r\n\r\n"
    )
    connection.send(head.encode("ascii") + body)
    connection.budget = HEAD_BYTES_MAX
    stream = _Stream(connection)
    answer = HTTPResponse(stream, method="POST")  # type: ignore[arg-type]
    try:
        answer.begin()
        if stream.ended:
            raise Unreachable("the connection was closed in the middle of the answer's header")
        connection.budget += OVERHEAD_FACTOR * node.answer_bytes_max
        return _read(answer, node.answer_bytes_max, due)
    except RemoteDisconnected as fault:
        raise Unreachable("the connection was closed without an answer") from fault
    except IncompleteRead as fault:
        raise Unreachable("the connection was closed in the middle of the answer") from fault
    except (HTTPException, ValueError) as fault:
        raise Unusable(f"not an answer in HTTP: {type(fault).__name__}") from fault
    finally:
        answer.close()


def _read(answer: HTTPResponse, limit: int, due: frozenset[str]) -> Reply:
    status = f"HTTP {answer.status}"
    if fault := _framing(answer):
        return Reply(status, b"", fault)
    if 300 <= answer.status < 400:
        return Reply(status, b"", "it points elsewhere; redirects are not followed")
    length = answer.getheader("Content-Length")
    if length is not None and int(length) > limit:
        return Reply(status, b"", f"{length} bytes announced, more than allowed")
    body = answer.read(limit + 1)
    if len(body) > limit:
        return Reply(status, body[:limit], "larger than allowed")
    if length is not None and len(body) != int(length):
        raise Unreachable("the connection was closed in the middle of the answer")
    if answer.status != 200:
        return Reply(status, body, "not an answer to the question", again=answer.status in BUSY)
    kind = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if kind not in due:
        return Reply(status, body, "not JSON by its own label" if due is JSON_TYPES else "another kind of answer by its own label")
    return Reply(status, body)


def _framing(answer: HTTPResponse) -> str:
    """What is wrong with the header, "" when nothing is."""
    message = answer.msg
    if message.defects or message.get_payload():
        return "a header that cannot be read"
    if any(not _NAME.fullmatch(n) or any(c in v for c in "\r\n\0") for n, v in message.items()):
        return "a header with forbidden characters"
    lengths, codings = message.get_all("Content-Length", []), message.get_all("Transfer-Encoding", [])
    if len(lengths) + len(codings) != 1:
        return "its length is said twice, or not at all"
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        return "a length that is no number"
    if codings and codings[0].strip().lower() != "chunked":
        return "a transfer coding other than chunked"
    if any(v.strip().lower() != "identity" for v in message.get_all("Content-Encoding", [])):
        return "compressed, which was not asked for"
    return ""


class _Stream(io.RawIOBase):
    """The connection as `http.client` wants to read it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.ended = False

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, buffer_size=8 << 10)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._connection.receive(len(buffer))
        buffer[: len(data)] = data
        self.ended = not data
        return len(data)
