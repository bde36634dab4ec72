"""Rows of block headers: which of those handed in hang together with a block that matters, by the hash of the block before."""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def unlinked(headers: Mapping[Name, tuple[bytes, bytes]], used: Iterable[tuple[bytes, bytes]]) -> list[Name]:
    """Names of the headers that no row of headers joins to a used one, before or behind it, in the order given.

    headers   name -> (its own recomputed hash, the hash of the block before)
    used      the same of the blocks that are examined
    """
    own = {h for h, _ in used}
    parents = {p for _, p in used}
    left = dict(headers)
    while True:
        joined = [name for name, (digest, parent) in left.items() if parent in own or digest in parents]
        if not joined:
            return list(left)
        for name in joined:
            digest, parent = left.pop(name)
            own.add(digest)
            parents.add(parent)
