"""Which address a name was resolved to, and which one was spoken to, by the logs of a forensic package or the records of a web archive (spec
snapshots §14, "IP vs DNS log"). Both are statements; a name may have several addresses, so a difference is a question and refutes nothing."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

NAMES_MAX = 1_000
"""Names and addresses of one log that are kept."""
RECORD_MAX = 64 << 10
"""Bytes of a DNS record that are read: the size of the largest message (RFC 1035 §4.2.2)."""

_HOST = r"(?<![\w.@-])((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z][a-z0-9-]{1,62})(?![\w-])"
_IPV4 = r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})(?![\d.]*\d)"
_RESOLVED = re.compile(
    _HOST + r"\.?\s{0,3}(?:->|=>|→|⇒|[:：=]|[(\[（]|解析[为到]|指向|的?地址[为是]?[:：]?|resolves? to|has address)\s{0,3}" + _IPV4,
    re.IGNORECASE,
)
"""`example.com -> 192.0.2.1`, `PING example.com (192.0.2.1)`, `Ping example.com [192.0.2.1]`, `example.com has address 192.0.2.1`."""
_URL = re.compile(r"https?://[^\s\"'<>，。；、）]{1,2000}", re.IGNORECASE)
_ADDRESS = re.compile(_IPV4)
_KEYS = re.compile(r"^(?:(?:server|remote|target|host)_?)?ip(?:_?addr(?:ess)?)?$|^remote_?address$|^(?:服务器|目标|网站)?\s?ip\s?(?:地址)?$", re.IGNORECASE)


def resolved(text: str) -> Iterator[tuple[str, str]]:
    """(name, address) of each resolution on a line."""
    for host, address in _RESOLVED.findall(text):
        known = _address(address)
        if known is not None:
            yield host.lower().rstrip("."), known


def spoken_to(entry: object) -> Iterator[tuple[str, str]]:
    """(name, address) of a visit: an entry with an address of the web and a member for the IP, or a line with one of each."""
    if isinstance(entry, dict):
        urls = [v for v in entry.values() if isinstance(v, str) and _URL.fullmatch(v.strip())]
        found = [v for k, v in entry.items() if isinstance(v, str) and _KEYS.match(k.strip())]
    elif isinstance(entry, str):
        urls = _URL.findall(entry)
        found = _ADDRESS.findall(_URL.sub(" ", entry))
    else:
        return
    if len(urls) == 1 and len(found) == 1:
        host, address = _host(urls[0].strip()), _address(found[0].strip())
        if host is not None and address is not None:
            yield host, address


def answers(record: bytes) -> Iterator[str]:
    """The addresses in a DNS record of a web archive (`text/dns`), whatever names the answer went through."""
    for line in record[:RECORD_MAX].decode("utf-8", "replace").splitlines():
        fields = line.split()
        if len(fields) == 5 and fields[2].upper() == "IN" and fields[3].upper() in ("A", "AAAA"):
            known = _address(fields[4])
            if known is not None:
                yield known


def stranger(url: str, ip: str, lookups: Mapping[str, set[str]]) -> bool:
    """Was the name in `url` looked up, and never with this address?"""
    host, address = _host(url), _address(ip.strip())
    return host is not None and address is not None and host in lookups and address not in lookups[host]


def strangers(visits: Mapping[str, set[str]], lookups: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """Visits of a name at an address that no lookup of that name gave."""
    return sorted((host, a) for host, met in visits.items() if host in lookups for a in met - lookups[host])


def keep(pairs: Iterator[tuple[str, str]], into: dict[str, set[str]]) -> None:
    for name, address in pairs:
        if name in into or len(into) < NAMES_MAX:
            known = into.setdefault(name, set())
            if len(known) < NAMES_MAX:
                known.add(address)


def _host(url: str) -> str | None:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return host.rstrip(".").lower() if host and not _address(host) else None


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
