"""The nodes the court runs itself, from its own configuration (docs/install.md, PORTAL_CONNECTORS). Nothing a party sends gets in.

    {"format": "mingjian.connectors", "version": 1,
     "nodes": [{"id": "court-fisco", "family": "fisco3", "title": {"zh": "…", "en": "…"},
                "chain_id": "chain0", "group_id": "group0", "node_name": "",
                "url": "https://node.court.example:8545", "ca": "node-ca.pem",
                "allowed": ["10.20.0.0/16"], "enabled": true, "automatic": true}]}

Paths are relative to the file. `enabled` and `automatic` are false unless said otherwise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from evidence.verification.codecs import strict_json

from .addresses import Network

FORMAT = "mingjian.connectors"
FAMILIES = ("chainmaker", "fisco2", "fisco3")
NODES_MAX = 32
FILE_BYTES_MAX = 1 << 20

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_HOST = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,251}[0-9A-Za-z])?|[0-9a-f:]{2,45}")
_TX = {
    "chainmaker": re.compile(r"[0-9A-Za-z_-]{1,64}"),
    "fisco2": re.compile(r"(?:0x)?[0-9a-fA-F]{64}"),
    "fisco3": re.compile(r"(?:0x)?[0-9a-fA-F]{64}"),
}
"""What a transaction id may look like. The id comes out of a party's certificate: nothing else of it reaches a node."""

_KNOWN = frozenset(
    (
        "id family title chain_id group_id node_name url ca tls_name certificate_sha256 allowed enabled automatic"
        " client_certificate client_key member requests_per_minute at_once answer_mib seconds cleartext"
    ).split()
)
_MEMBER = frozenset("org_id kind certificate public_key key".split())


class ConfigurationError(ValueError):
    """The file does not say what it must. The message names the node and the member."""


@dataclass(frozen=True, slots=True)
class Member:
    """In whose name a ChainMaker node is asked: a certificate or public key registered on that chain, and its private key."""

    org_id: str
    kind: str
    """`certificate` or `public_key`, as the chain's members are."""
    public: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    family: str
    title: Mapping[str, str]
    chain_id: str
    group_id: str
    node_name: str
    host: str
    port: int
    path: str
    tls: bool
    tls_name: str
    """The name in the node's certificate (SNI); ChainMaker's are often `chainmaker.org`."""
    ca: Path | None
    certificate_sha256: str
    allowed: tuple[Network, ...]
    enabled: bool
    automatic: bool
    """Ask by itself when a run ends 无法判定; otherwise only when the bench asks."""
    client_certificate: Path | None
    client_key: Path | None
    member: Member | None
    requests_per_minute: int
    at_once: int
    """Inquiries put to this node at the same time, over all workers."""
    answer_bytes_max: int
    seconds: int
    """For one inquiry: all its requests together."""

    def spelt(self, tx_id: str) -> str:
        """The one spelling under which this node is asked for it, and under which it is filed."""
        return tx_id if self.family == "chainmaker" else "0x" + tx_id.removeprefix("0x").lower()

    def names(self, tx_id: str) -> bool:
        """Can `tx_id` be a transaction of this chain?"""
        return _TX[self.family].fullmatch(tx_id) is not None


def load(path: Path | None) -> tuple[Node, ...]:
    """All nodes of the file, none without a file. ConfigurationError."""
    if path is None:
        return ()
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise ConfigurationError(f"{path} cannot be read: {fault.strerror}") from fault
    if len(data) > FILE_BYTES_MAX:
        raise ConfigurationError(f"{path} is larger than any list of nodes")
    try:
        value = strict_json.loads(data)
    except strict_json.JsonError as fault:
        raise ConfigurationError(f"{path} is not JSON: {fault}") from fault
    if not isinstance(value, dict) or value.get("format") != FORMAT or value.get("version") != 1:
        raise ConfigurationError(f'{path}: "format" must be "{FORMAT}" and "version" 1')
    listed = value.get("nodes")
    if not isinstance(listed, list) or len(listed) > NODES_MAX:
        raise ConfigurationError(f'{path}: "nodes" must be a list of at most {NODES_MAX}')
    nodes = tuple(_node(item, path.parent) for item in listed)
    if len({n.id for n in nodes}) != len(nodes):
        raise ConfigurationError(f"{path}: two nodes have the same id")
    return nodes


def _node(item: Any, folder: Path) -> Node:
    if not isinstance(item, dict):
        raise ConfigurationError("a node is not an object")
    identity = item.get("id")
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise ConfigurationError(f"id {identity!r}: 1 to 32 of a-z, 0-9 and -")
    reader = _Reader(identity, item, folder)
    reader.only(_KNOWN)
    family = reader.text("family")
    if family not in FAMILIES:
        raise reader.fault("family", f"must be one of {', '.join(FAMILIES)}")
    title = item.get("title")
    if not isinstance(title, dict) or not all(isinstance(title.get(n), str) and title[n] for n in ("zh", "en")):
        raise reader.fault("title", 'must have "zh" and "en"')
    host, port, path, tls = _place(reader, family)
    if not tls and not reader.flag("cleartext"):
        raise reader.fault("url", 'without TLS needs "cleartext": true; anybody on the way could then change the answers')
    ca = reader.path("ca")
    if tls and ca is None:
        raise reader.fault("ca", "is missing: the certificate that is pinned for this node (PEM)")
    pin = reader.text("certificate_sha256", "").lower()
    if pin and (not tls or not re.fullmatch(r"[0-9a-f]{64}", pin)):
        raise reader.fault("certificate_sha256", "is the SHA-256 of the node's TLS certificate, 64 hexadecimal digits")
    if family != "chainmaker" and not reader.text("group_id", ""):
        raise reader.fault("group_id", "is missing")
    if family == "fisco2" and not reader.text("group_id").isdigit():
        raise reader.fault("group_id", "is a number for FISCO BCOS 2")
    client, key = reader.path("client_certificate"), reader.path("client_key")
    if (client is None) != (key is None):
        raise reader.fault("client_certificate", "and client_key go together")
    member = _member(reader, folder)
    if (member is None) == (family == "chainmaker"):
        raise reader.fault("member", "is needed for ChainMaker, and for ChainMaker only")
    return Node(
        id=identity,
        family=family,
        title={"zh": title["zh"][:100], "en": title["en"][:100]},
        chain_id=reader.text("chain_id"),
        group_id=reader.text("group_id", ""),
        node_name=reader.text("node_name", ""),
        host=host,
        port=port,
        path=path,
        tls=tls,
        tls_name=reader.text("tls_name", host),
        ca=ca,
        certificate_sha256=pin,
        allowed=reader.networks("allowed"),
        enabled=reader.flag("enabled"),
        automatic=reader.flag("automatic"),
        client_certificate=client,
        client_key=key,
        member=member,
        requests_per_minute=reader.number("requests_per_minute", 60, 1, 6000),
        at_once=reader.number("at_once", 2, 1, 16),
        answer_bytes_max=reader.number("answer_mib", 16, 1, 64) << 20,
        seconds=reader.number("seconds", 20, 1, 60),
    )


def _place(reader: "_Reader", family: str) -> tuple[str, int, str, bool]:
    url = reader.text("url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise reader.fault("url", f"cannot be read: {fault}") from fault
    schemes = ("grpcs", "grpc") if family == "chainmaker" else ("https", "http")
    host = parts.hostname or ""
    plain = parts.username is None and parts.password is None and not parts.query and not parts.fragment
    if parts.scheme not in schemes or not _HOST.fullmatch(host) or port is None or not plain:
        raise reader.fault("url", f"must be {schemes[0]}://host:port (or {schemes[1]}://…), with nothing else")
    if family == "chainmaker" and parts.path not in ("", "/"):
        raise reader.fault("url", "has no path for ChainMaker")
    if not re.fullmatch(r"/?|(?:/[0-9A-Za-z._~-]+)+/?", parts.path):
        raise reader.fault("url", "has a path of other characters than letters, digits and ._~-")
    return host, port, parts.path or "/", parts.scheme == schemes[0]


def _member(reader: "_Reader", folder: Path) -> Member | None:
    item = reader.item.get("member")
    if item is None:
        return None
    if not isinstance(item, dict):
        raise reader.fault("member", "is not an object")
    inner = _Reader(f"{reader.name}.member", item, folder)
    inner.only(_MEMBER)
    kind = inner.text("kind")
    public = inner.path("certificate" if kind == "certificate" else "public_key")
    key = inner.path("key")
    if kind not in ("certificate", "public_key") or public is None or key is None:
        raise inner.fault("kind", "must be certificate (with certificate and key) or public_key (with public_key and key)")
    return Member(org_id=inner.text("org_id", ""), kind=kind, public=public, key=key)


@dataclass(frozen=True, slots=True)
class _Reader:
    """The members of one object, with its name in every complaint."""

    name: str
    item: Mapping[str, Any]
    folder: Path

    def fault(self, member: str, words: str) -> ConfigurationError:
        return ConfigurationError(f"node {self.name}: {member} {words}")

    def only(self, known: frozenset[str]) -> None:
        for member in self.item:
            if member not in known:
                raise self.fault(repr(member)[:60], "is not known")

    def text(self, member: str, default: str | None = None) -> str:
        value = self.item.get(member, default)
        if not isinstance(value, str) or len(value) > 255 or (default is None and not value):
            raise self.fault(member, "is missing, not a text, or too long")
        return value

    def flag(self, member: str) -> bool:
        value = self.item.get(member, False)
        if not isinstance(value, bool):
            raise self.fault(member, "must be true or false")
        return value

    def number(self, member: str, default: int, least: int, most: int) -> int:
        value = self.item.get(member, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.fault(member, f"must be a number from {least} to {most}")
        return value

    def path(self, member: str) -> Path | None:
        value = self.text(member, "")
        return self.folder / value if value else None

    def networks(self, member: str) -> tuple[Network, ...]:
        value = self.item.get(member, [])
        if not isinstance(value, list):
            raise self.fault(member, "must be a list of networks")
        try:
            return tuple(ip_network(n) for n in value if isinstance(n, str) or self._refuse(member))
        except ValueError as fault:
            raise self.fault(member, f"must hold networks such as 10.20.0.0/16: {fault}") from fault

    def _refuse(self, member: str) -> bool:
        raise self.fault(member, "must be a list of networks")
