"""Which file of a forensic package a row of its hash list means (spec snapshots §10).

Tools write the names of files as they saw them: beside the list, with `.\\` before them, or as a whole path of the machine on
which they ran. By a name that another row or file could have, nothing is ever matched.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..codecs.zipstrict import Member
from .container import Container, folded
from .hash_rows import Row

_WHOLE_PATH = re.compile(r"[A-Za-z]:/|/")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row and the file it means, None where there is none. `by_path`: only the end of the listed path is the file's name; such
    a file is meant if its digest is the listed one."""

    row: Row
    member: Member | None
    by_path: bool = False


def entries(container: Container, lists: Sequence[tuple[Member, Sequence[Row]]]) -> list[Entry]:
    """Every row of every list; rows that name the list itself are left out (`itself`)."""
    found = [(row, list_, _named(container, list_, row.name)) for list_, rows in lists for row in rows]
    taken = {member.name for _, _, member in found if member is not None}
    result: list[Entry] = []
    for row, list_, member in found:
        if member is not None:
            if member.name != list_.name:
                result.append(Entry(row, member))
            continue
        ends = _ends_like(container, row.name, taken)
        result.append(Entry(row, ends, by_path=ends is not None))
    return result


def itself(container: Container, list_: Member, rows: Sequence[Row]) -> bool:
    """Does a list state a digest of itself? None can: `sha256sum * > list.txt` states that of the still empty file."""
    return any((m := _named(container, list_, row.name)) is not None and m.name == list_.name for row in rows)


def _named(container: Container, list_: Member, name: str) -> Member | None:
    """By the name as written, then with slashes and without `./`, then beside the list."""
    plain = _plain(name)
    folder, slash, _ = list_.name.rpartition("/")
    for candidate in (name, plain, folder + slash + plain):
        if (member := container.named(candidate)) is not None:
            return member
    return None


def _plain(name: str) -> str:
    name = name.replace("\\", "/")
    while name.startswith("./"):
        name = name[2:]
    return name


def _ends_like(container: Container, name: str, taken: set[str]) -> Member | None:
    """Of a whole path: the longest name of a file that no row names and with which the path ends."""
    path = folded(_plain(name))
    if not _WHOLE_PATH.match(path) or "/../" in path:
        return None
    at = path.find("/")
    while at >= 0:
        member = container.named(path[at + 1 :]) if path[at + 1 :] else None
        if member is not None:
            return member if member.name not in taken else None
        at = path.find("/", at + 1)
    return None
