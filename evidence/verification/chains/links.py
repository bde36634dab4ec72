"""Rows of block headers: which of those handed in hang together with a block that matters, by the hash of the block before."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def unlinked(headers: Mapping[Name, tuple[bytes, bytes]], used: Iterable[tuple[bytes, bytes]]) -> list[Name]:
    """Names of the headers that no row of headers joins to a used one, before or behind it, in the order given.

    headers   name -> (its own recomputed hash, the hash of the block before)
    used      the same of the blocks that are examined
    """
    behind: dict[bytes, list[Name]] = {}
    before: dict[bytes, list[Name]] = {}
    for name, (digest, parent) in headers.items():
        behind.setdefault(parent, []).append(name)
        before.setdefault(digest, []).append(name)
    joined: set[Name] = set()
    reached = list(used)
    while reached:
        digest, parent = reached.pop()
        for name in (*behind.get(digest, ()), *before.get(parent, ())):
            if name not in joined:
                joined.add(name)
                reached.append(headers[name])
    return [name for name in headers if name not in joined]
