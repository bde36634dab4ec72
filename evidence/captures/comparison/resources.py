"""What was captured with two pages, by address and digest of the payload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..capture import Resource

LISTED_MAX = 200
"""Of each kind that are listed on a page; the counts are of all."""


@dataclass(frozen=True, slots=True)
class Compared:
    """`changed`: one address, other bytes; `moved`: the same bytes at another address, counted in `left` and `right` too."""

    equal: tuple[Resource, ...]
    changed: tuple[tuple[Resource, Resource], ...]
    left: tuple[Resource, ...]
    right: tuple[Resource, ...]
    moved: tuple[tuple[Resource, Resource], ...]

    @property
    def cut(self) -> bool:
        """Are there more of a kind than a page lists?"""
        return max(map(len, (self.equal, self.changed, self.left, self.right))) > LISTED_MAX

    @property
    def any(self) -> bool:
        return bool(self.equal or self.changed or self.left or self.right)


def compare(left: Sequence[Resource], right: Sequence[Resource]) -> Compared:
    """An address that was captured several times counts as often; its equal captures are put together first."""
    mine, theirs = sorted(left, key=_key), sorted(right, key=_key)
    # 1. The same address and the same bytes, as often as both have them.
    both = Counter(map(_key, mine)) & Counter(map(_key, theirs))
    equal, mine = _taken(mine, both)
    _same, theirs = _taken(theirs, both)
    # 2. The same address, other bytes.
    by_address: dict[str, list[Resource]] = {}
    for r in theirs:
        by_address.setdefault(r.url, []).append(r)
    changed, only_left = [], []
    for r in mine:
        others = by_address.get(r.url)
        if others:
            changed.append((r, others.pop(0)))
        else:
            only_left.append(r)
    only_right = sorted((r for rest in by_address.values() for r in rest), key=_key)
    # 3. Of what is left, the same bytes elsewhere.
    by_digest: dict[str, list[Resource]] = {}
    for r in only_right:
        by_digest.setdefault(r.sha256, []).append(r)
    moved = tuple((r, by_digest[r.sha256].pop(0)) for r in only_left if by_digest.get(r.sha256))
    return Compared(tuple(equal), tuple(changed), tuple(only_left), tuple(only_right), moved)


def _key(resource: Resource) -> tuple[str, str]:
    return resource.url, resource.sha256


def _taken(resources: Sequence[Resource], wanted: Counter[tuple[str, str]]) -> tuple[list[Resource], list[Resource]]:
    """(those that are wanted, as often as they are, the others)."""
    left = Counter(wanted)
    taken, others = [], []
    for r in resources:
        if left[_key(r)]:
            left[_key(r)] -= 1
            taken.append(r)
        else:
            others.append(r)
    return taken, others
