"""One question to an authority that the court named, over HTTP: a time-stamp (RFC 3161 §3.4).

Only the address in the signing directory is asked, never one that a certificate, an answer or a redirect names. Look-up,
connection, request and answer share one limit of time; the answer has a limit of size. `evidence.connectors` speaks the protocol.
"""

from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from evidence.connectors import http1
from evidence.connectors.addresses import AddressRefused, NoAddress
from evidence.connectors.nodes import Node
from evidence.connectors.wire import Deadline, Trail, Unreachable, Unusable, connect

ANSWER_BYTES_MAX = 256 << 10
"""A token with its certificates has 5 to 20 KB."""
ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
"""The operator wrote the address down: it may lie in the court's own network."""


class NoAnswer(Exception):
    """Nothing usable came back; the message says what happened, in the authority's or in the network's words."""


def post(url: str, body: bytes, *, sent: str, due: str, seconds: float, ca: Path | None = None) -> bytes:
    """The answer's body. `ca`: PEM of what https is held against; the public roots without one. NoAnswer."""
    node = _node(url, ca=ca, seconds=seconds)
    try:
        with connect(node, deadline=Deadline(seconds), trail=Trail()) as line:
            reply = http1.post(line, node, body, sent=sent, due=frozenset((due,)))
    except (AddressRefused, NoAddress, Unreachable, Unusable) as fault:
        raise NoAnswer(str(fault)) from fault
    if reply.fault:
        raise NoAnswer(f"{reply.status}: {reply.fault}")
    return reply.body


def _node(url: str, *, ca: Path | None, seconds: float) -> Node:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise NoAnswer(f"{url!r} is not an address") from fault
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or not url.isascii() or not url.isprintable() or " " in url:
        raise NoAnswer(f"{url!r} is not an address of the form http://host/path or https://host/path")
    tls = parts.scheme == "https"
    if tls and ca is None:
        import certifi

        ca = Path(certifi.where())
    return Node(
        id="authority",
        family="",
        title={},
        chain_id="",
        group_id="",
        node_name="",
        host=parts.hostname,
        port=port or (443 if tls else 80),
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        tls=tls,
        tls_name=parts.hostname,
        ca=ca,
        certificate_sha256="",
        allowed=ANYWHERE,
        enabled=True,
        automatic=True,
        client_certificate=None,
        client_key=None,
        member=None,
        requests_per_minute=0,
        at_once=1,
        answer_bytes_max=ANSWER_BYTES_MAX,
        seconds=int(seconds) or 1,
    )
