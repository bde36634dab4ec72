"""Which network addresses a connector may connect to (THREAT_MODEL F3).

A node's name is resolved once; every address of the answer is judged, and the connection goes to the very address that was judged,
so that a second look-up cannot lead elsewhere. `ipaddress.is_global` alone is no judge: it calls 64:ff9b::7f00:1 (the local host
behind NAT64) global.
"""

import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Sequence[str]]
"""(name, port) -> addresses as text; OSError when the name has none."""

ANSWERS_MAX = 16
"""Addresses one name may have; a node of the court has one or two."""

_NEVER = tuple(
    ip_network(n)
    for n in (
        "0.0.0.0/8",  # this host, and "no address"
        "169.254.0.0/16",  # link-local, where clouds keep their metadata service
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "192.0.0.0/24",  # protocol assignments (NAT64 discovery, …); 192.0.0.8 counts as global
        "192.88.99.0/24",  # 6to4 relays
        "::/96",  # unspecified and IPv4-compatible forms, but for ::1 below
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # local NAT64
        "100::/64",  # discard
        "2001::/32",  # Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "5f00::/16",  # segment routing
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local
        "ff00::/8",  # multicast
    )
)
"""Refused even when the configuration lists them: none is a node's own address, and the forms that hold an IPv4 address inside an
IPv6 one exist to reach what a list forbids."""

_LOCAL = ip_address("::1")


class AddressRefused(Exception):
    """The name leads somewhere a connector must not go. The message names the address."""


class NoAddress(Exception):
    """The name has no address now."""


def admissible(text: str, allowed: Sequence[Network]) -> Address:
    """The address, if a connector may connect to it; AddressRefused otherwise.

    Global unicast addresses are admitted; loopback, private and other special ones only when `allowed` (the node's own line of the
    configuration) covers them; those of `_NEVER` never.
    """
    if "%" in text:
        raise AddressRefused(f"{text}: an address with a scope")
    try:
        address = ip_address(text)
    except ValueError as fault:
        raise AddressRefused(f"{text[:64]!r}: not an address") from fault
    if address != _LOCAL and any(address.version == n.version and address in n for n in _NEVER):
        raise AddressRefused(f"{address}: an address of a kind that is never connected to")
    if any(address.version == n.version and address in n for n in allowed):
        return address
    if not address.is_global or address.is_reserved:
        raise AddressRefused(f"{address}: not a public address, and not among those allowed for this node")
    return address


def resolve(
    host: str, port: int, *, allowed: Sequence[Network], seconds: float, resolver: Resolver | None = None
) -> Address:
    """The one address to connect to. Every address the name has must be admissible: a name with a bad one is not the court's node.

    `seconds` bounds the look-up, which the system's resolver itself does not.
    """
    answers = _within(resolver or system_resolver, host, port, seconds)
    if not answers:
        raise NoAddress(f"{host}: no address")
    if len(answers) > ANSWERS_MAX:
        raise AddressRefused(f"{host}: {len(answers)} addresses")
    return [admissible(text, allowed) for text in answers][0]


def system_resolver(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    # An IPv6 scope comes back as the fourth item, not in the text.
    return list(dict.fromkeys(str(a[0]) + (f"%{a[3]}" if len(a) > 3 and a[3] else "") for *_, a in found))


def _within(resolver: Resolver, host: str, port: int, seconds: float) -> Sequence[str]:
    """getaddrinfo knows no time limit: it runs in a thread that may be left behind."""
    found: list[Sequence[str]] = []
    faults: list[Exception] = []

    def look_up() -> None:
        try:
            found.append(resolver(host, port))
        except Exception as fault:  # handed to the caller below
            faults.append(fault)

    thread = threading.Thread(target=look_up, name=f"resolve-{host}", daemon=True)
    thread.start()
    thread.join(seconds)
    if found:
        return found[0]
    if faults and not isinstance(faults[0], OSError | UnicodeError):
        raise faults[0]
    raise NoAddress(f"{host}: {faults[0] if faults else 'the resolver did not answer in time'}")
