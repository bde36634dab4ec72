"""The ChainMaker tree: against a tree built the long way, and against the tricks its padding invites."""

import hashlib

import pytest

from evidence.verification import merkle


def h(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaves(count: int) -> list[bytes]:
    return [h(b"tx %d" % i) for i in range(count)]


def levels_of(values: list[bytes]) -> list[list[bytes]]:
    return merkle.repeating_levels(values, algorithm="SHA-256")


def root_of(leaf: bytes, index: int, count: int, path: tuple[bytes, ...]) -> bytes:
    return merkle.repeating_root(leaf, path, index=index, count=count, algorithm="SHA-256")


def refused(leaf: bytes, index: int, count: int, path: tuple[bytes, ...]) -> bool:
    with pytest.raises(merkle.PathError):
        root_of(leaf, index, count, path)
    return True


def padded_tree(values: list[bytes]) -> list[list[bytes | None]]:
    """The rule in its own words: pad with nothing to 2^k; nothing over nothing is nothing; a missing right repeats the left."""
    size = 1
    while size < len(values):
        size *= 2
    level: list[bytes | None] = [*values, *[None] * (size - len(values))]
    levels = [level]
    while len(level) > 1:
        level = [
            None if left is None else h(left + (left if right is None else right))
            for left, right in zip(level[::2], level[1::2], strict=True)
        ]
        levels.append(level)
    return levels


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 100])
def test_every_path_leads_to_the_root_of_the_padded_tree(count: int) -> None:
    values = leaves(count)
    root = padded_tree(values)[-1][0]
    levels = levels_of(values)
    assert levels[-1] == [root]
    for index, leaf in enumerate(values):
        path = merkle.repeating_path(levels, index)
        assert len(path) == len(padded_tree(values)) - 1
        assert root_of(leaf, index, count, path) == root


def test_two_leaves_by_hand() -> None:
    a, b = leaves(2)
    assert root_of(a, 0, 2, (b,)) == h(a + b)
    assert root_of(b, 1, 2, (a,)) == h(a + b)


def test_the_repeated_last_leaf_has_no_second_place() -> None:
    """Five leaves are padded as if the fifth stood at places 5, 6 and 7 too (the class of CVE-2012-2459)."""
    values = leaves(5)
    levels = levels_of(values)
    root, last = levels[-1][0], values[4]
    path = merkle.repeating_path(levels, 4)
    assert root_of(last, 4, 5, path) == root
    for ghost in (5, 6, 7):
        assert refused(last, ghost, 5, path)
    # The same root belongs to six leaves with the last one twice: only the count keeps them apart.
    assert levels_of([*values, last])[-1][0] == root
    assert root_of(last, 5, 6, path) == root


def test_length_of_the_path_is_exact() -> None:
    values = leaves(5)
    levels = levels_of(values)
    path = merkle.repeating_path(levels, 1)
    assert refused(values[1], 1, 5, path[:-1])
    assert refused(values[1], 1, 5, (*path, path[0]))
    # An inner node with a shorter path is not a leaf.
    assert refused(levels[1][0], 0, 5, merkle.repeating_path(levels[1:], 0))


def test_order_and_place_matter() -> None:
    values = leaves(8)
    levels = levels_of(values)
    root = levels[-1][0]
    path = merkle.repeating_path(levels, 3)
    assert root_of(values[3], 3, 8, path) == root
    assert root_of(values[3], 3, 8, path[::-1]) != root
    for other in set(range(8)) - {3}:
        assert root_of(values[3], other, 8, path) != root


def test_a_missing_sibling_is_the_node_itself_and_nothing_else() -> None:
    values = leaves(3)
    levels = levels_of(values)
    path = merkle.repeating_path(levels, 2)
    assert path[0] == values[2]
    assert refused(values[2], 2, 3, (values[1], path[1]))


def test_bounds() -> None:
    assert refused(leaves(1)[0], -1, 1, ())
    assert refused(leaves(1)[0], 0, 0, ())
    assert root_of(leaves(1)[0], 0, 1, ()) == leaves(1)[0]
    too_deep = (leaves(1)[0],) * (merkle.DEPTH_MAX + 1)
    assert refused(leaves(1)[0], 0, 1 << (merkle.DEPTH_MAX + 1), too_deep)
    for many in ([], [b"x" * 32] * (merkle.LEAVES_MAX + 1)):
        with pytest.raises(merkle.PathError):
            levels_of(many)
