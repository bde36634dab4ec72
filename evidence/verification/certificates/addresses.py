"""Addresses in a certificate, and the one form of which the host can be told. None of them is ever opened."""

import re
from collections.abc import Collection, Iterator

ADDRESSES_MAX = 200
"""Addresses of which the host is looked at."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://|javascript:|data:|mailto:", re.ASCII)
_PLAIN_ADDRESS = re.compile(
    r"https?://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::\d{1,5})?(?:[/?#][\x21-\x5b\x5d-\x7e]*)?", re.ASCII
)
"""The only form whose host every program reads alike: lower case, no user part, no backslash, nothing outside ASCII."""


def addresses_in(value: object, *, without: Collection[int] = ()) -> Iterator[str]:
    """Every text that begins like an address, as it stands. `without`: ids of the objects that are not looked into."""
    found = 0
    pending: list[object] = [value]
    while pending and found < ADDRESSES_MAX:
        item = pending.pop()
        if id(item) in without:
            continue
        if isinstance(item, dict):
            pending.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            pending.extend(reversed(item))
        elif isinstance(item, str) and _ADDRESS.match(item):
            found += 1
            yield item


def host_of(address: str) -> str | None:
    """The host of an address that every program reads alike; None for any other, however much it looks like one."""
    found = _PLAIN_ADDRESS.fullmatch(address)
    return found[1] if found and ".." not in found[1] else None
