"""One connection to one node: the judged address, TLS against what the court pinned, every byte and second counted.

Plain sockets on purpose: nothing here reads proxies, cookies, netrc files or trust stores from its surroundings.
"""

import hashlib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .addresses import Resolver, resolve
from .nodes import Node

CHUNK = 1 << 16


class Unreachable(Exception):
    """No answer could be had now (name, connection, time, a node that is busy): worth asking again later."""


class Unusable(Exception):
    """What answered does not behave as the court's node does: kept in the archive, not asked again by itself."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole or as far as it came. `fault` says why it is no answer, "" when it is one."""

    status: str
    """`HTTP 200`, `gRPC 0`, … ; "" when not even that came."""
    body: bytes
    fault: str = ""
    again: bool = False
    """The node itself says that it cannot answer now."""


@dataclass
class Deadline:
    """Seconds left for everything together: look-up, connection, request, answer. A slow trickle does not stretch it."""

    seconds: float
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    def left(self) -> float:
        """Raises Unreachable when the time is up."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise Unreachable("the time for the answer is up")
        return left


@dataclass
class Trail:
    """How far a connection came, for the archive: also where it failed."""

    address: str = ""
    certificate: bytes | None = None
    """DER of the certificate the node showed, once it was accepted; None without TLS."""


class Connection:
    """A connected stream. `budget` is how many more bytes may be read; protocol code raises it when it knows what is coming."""

    def __init__(self, sock: socket.socket, *, deadline: Deadline) -> None:
        self.budget = 0
        self.deadline = deadline
        self._sock = sock

    @property
    def protocol(self) -> str | None:
        """What TLS agreed to speak (ALPN)."""
        return self._sock.selected_alpn_protocol() if isinstance(self._sock, ssl.SSLSocket) else None

    def send(self, data: bytes) -> None:
        with _faults():
            self._sock.settimeout(self.deadline.left())
            self._sock.sendall(data)

    def receive(self, most: int = CHUNK) -> bytes:
        """At most `most` more bytes, b"" at the end of the stream. Unusable when they exceed the budget."""
        with _faults():
            self._sock.settimeout(self.deadline.left())
            data = self._sock.recv(min(most, CHUNK, self.budget + 1))
        self.budget -= len(data)
        if self.budget < 0:
            raise Unusable("the answer is larger than allowed")
        return data


@contextmanager
def connect(
    node: Node, *, deadline: Deadline, trail: Trail, alpn: str | None = None, resolver: Resolver | None = None
) -> Iterator[Connection]:
    """Resolve once, judge, connect to that address, check who is there. AddressRefused, NoAddress, Unreachable, Unusable."""
    address = str(resolve(node.host, node.port, allowed=node.allowed, seconds=deadline.left(), resolver=resolver))
    trail.address = address
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        with _faults():
            sock.settimeout(deadline.left())
            sock.connect((address, node.port))
            if node.tls:
                sock.settimeout(deadline.left())
                sock = context(node, alpn).wrap_socket(sock, server_hostname=node.tls_name)
        trail.certificate = sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
        if node.certificate_sha256 and hashlib.sha256(trail.certificate or b"").hexdigest() != node.certificate_sha256:
            raise Unusable("the node shows another certificate than the one pinned")
        connection = Connection(sock, deadline=deadline)
        if alpn and node.tls and connection.protocol != alpn:
            raise Unusable(f"the node does not speak {alpn}")
        yield connection
    finally:
        sock.close()


def context(node: Node, alpn: str | None) -> ssl.SSLContext:
    """TLS that trusts the pinned file and nothing else. The pin may be the node's own certificate: a partial chain ends there."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        made.load_verify_locations(cafile=str(node.ca))
        if node.client_certificate:
            # A key that wants a passphrase must not make a worker wait for somebody at a terminal.
            made.load_cert_chain(str(node.client_certificate), str(node.client_key), password=lambda: b"")
    except (OSError, ssl.SSLError) as fault:
        raise Unreachable(f"the pinned or the court's own certificate cannot be loaded: {fault}") from fault
    if alpn:
        made.set_alpn_protocols([alpn])
    return made


@contextmanager
def _faults() -> Iterator[None]:
    """What the system says about a connection, in the two words of this room."""
    try:
        yield
    except ssl.SSLCertVerificationError as fault:
        raise Unusable(f"the node's certificate is not the pinned one: {fault.verify_message}") from fault
    except TimeoutError as fault:
        raise Unreachable("no answer in time") from fault
    except ssl.SSLError as fault:
        raise Unreachable(f"TLS: {fault.reason or fault}") from fault
    except OSError as fault:
        raise Unreachable(f"{type(fault).__name__}: {fault.strerror or fault}") from fault
