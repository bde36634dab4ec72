"""On which ways an object is reached from the trailer of one revision: what pyHanko's comparison asks of every object that was overwritten.

The library walks the whole file once for each signed revision, copying every object and hashing every way. Here what an object refers to is
noted once for all revisions in which it is the same, and ways are spelled out only for the objects asked about. The rules are the
library's (`HistoricalResolver._load_reverse_xref_cache`), and a test compares both on every object of every revision:

1. a page is entered only on its own way through the tree of pages, an element of the structure only through the tree of structure;
2. `/Parent` is never followed, `/P` not inside the structure;
3. no way passes an object twice.
"""

from collections.abc import Callable, Iterator
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import RawPdfPath

STEPS_MAX = 3_000_000
"""Steps over all revisions of a file, at about a microsecond each: references followed, and names of their ways noted and spelled out. A
report of half a megabyte with three signatures and an archive time-stamp takes 20,000; the number of ways is exponential in files that
are made for it."""
DEPTH_MAX = 5_000
"""Objects on one way: a long list of bookmarks leads from each to the next."""
_DEREFERENCES_MAX = 50
_STRUCTURE = ("/Root", "/StructTreeRoot", "/K")

Key = tuple[int, int]
Way = tuple[Any, tuple[str | int, ...], int]
"""(way before, last piece, number of names in all): pieces are shared between ways."""
Edge = tuple[tuple[str | int, ...], Key]

START: Way = (None, (), 0)


class Spent(Exception):
    """A bound was reached; the message names it."""


def spelled(way: Way) -> tuple[str | int, ...]:
    pieces = []
    while way[0] is not None:
        pieces.append(way[1])
        way = way[0]
    return tuple(name for piece in reversed(pieces) for name in piece)


class Ways:
    """Stands for the library's table: object -> its ways, spelled out when it is asked for."""

    def __init__(self, found: dict[Key, list[Way]], spend: Callable[[int], None]) -> None:
        self._found, self._spend = found, spend

    def __getitem__(self, reference: Any) -> set[RawPdfPath]:
        """KeyError when nothing leads to it; Spent when the ways are too many or too long to be spelled out."""
        ways = self._found[reference.idnum, reference.generation]
        self._spend(sum(names for _, _, names in ways))
        return {RawPdfPath(*spelled(way)) for way in ways}

    def __iter__(self) -> Iterator[Key]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class Walker:
    """Of one file. `resolved`: what object a revision sees under a number, with a mark that is the same for the same object."""

    def __init__(self, resolved: Callable[[Key, int], tuple[Any, Any]]) -> None:
        self._resolved = resolved
        self._edges: dict[Any, tuple[Edge, ...]] = {}
        self._named: dict[Any, tuple[Key, ...]] = {}
        self._steps = 0

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > STEPS_MAX:
            raise Spent(f"more than {STEPS_MAX} steps through the objects")

    def ways(self, trailer: Any, revision: int) -> Ways:
        """To every object of a revision. Raises Spent, and whatever the library raises for a file that is no sound PDF."""
        pages, structure = _Trees(self._resolved, revision, self._spend).trees(trailer)
        found: dict[Key, list[Way]] = {}
        on_way: set[Key] = set()
        # Each level: the edges still to be taken, the object they belong to, the way to it, whether it is of the structure.
        stack: list[tuple[Iterator[Edge], Key | None, Way, bool]] = [(_references(trailer, (), False, self._spend), None, START, False)]
        while stack:
            edges, owner, before, inside = stack[-1]
            edge = next(edges, None)
            if edge is None:
                stack.pop()
                if owner is not None:
                    on_way.discard(owner)
                continue
            self._spend(1)
            piece, key = edge
            if key in on_way:
                continue
            way = (before, piece, before[2] + len(piece))
            found.setdefault(key, []).append(way)
            inside_here = inside or _leads_inside(way)
            obj, mark = self._resolved(key, revision)
            canonical = pages.get(key)
            if canonical is not None and (len(canonical) != way[2] or spelled(way) != canonical):
                continue
            if not inside_here and key in structure:
                continue
            if len(stack) > DEPTH_MAX:
                raise Spent(f"more than {DEPTH_MAX} objects on one way")
            on_way.add(key)
            stack.append((iter(self._of(obj, mark, way, inside_here)), key, way, inside_here))
        return Ways(found, self._spend)

    def numbers(self, trailer: Any, revision: int) -> set[int]:
        """Of every object that the revision refers to, by whatever way, whether or not there is one. Raises Spent."""
        found: set[Key] = set()
        pending = list(_named(trailer))
        while pending:
            key = pending.pop()
            if key in found:
                continue
            found.add(key)
            try:
                obj, mark = self._resolved(key, revision)
            except PdfReadError:  # there is none, and it leads nowhere
                self._spend(1)
                continue
            known = self._named.get(mark)
            if known is None:
                known = self._named[mark] = tuple(_named(obj))
            self._spend(1 + len(known))
            pending += known
        return {number for number, _ in found}

    def _of(self, obj: Any, mark: Any, way: Way, inside: bool) -> tuple[Edge, ...]:
        # The structure may begin inside this object. There are at most two such in a revision, so that no object is gone through again
        # and again, however many ways lead to it.
        if way[2] < len(_STRUCTURE) and spelled(way) == _STRUCTURE[: way[2]]:
            return tuple(_references(obj, spelled(way), inside, self._spend))
        known = self._edges.get((mark, inside))
        if known is None:
            known = self._edges[mark, inside] = tuple(_references(obj, None, inside, self._spend))
        return known


def _leads_inside(way: Way) -> bool:
    return way[2] >= len(_STRUCTURE) and way[2] - len(way[1]) < len(_STRUCTURE) and spelled(way)[:3] == _STRUCTURE


def _references(obj: Any, base: tuple[str | int, ...] | None, inside: bool, spend: Callable[[int], None]) -> Iterator[Edge]:
    """What an object refers to, in its order. `base`: its way when the structure may begin inside it."""
    # Dictionaries and arrays within each other: as deep as the library could read them.
    pending: list[tuple[Any, tuple[str | int, ...], bool]] = [(obj, (), inside)]
    while pending:
        at, path, within = pending.pop()
        if isinstance(at, generic.IndirectObject):
            if path:
                yield path, (at.idnum, at.generation)
            continue
        if isinstance(at, generic.DecryptedObjectProxy):
            raise TypeError("an encrypted object is not walked")
        if isinstance(at, generic.DictionaryObject):
            begins = base is not None and base + path == _STRUCTURE[:2]
            named = [
                (str(name), value)
                for name, value in at.items()
                if name != "/Parent" and not (within and name == "/P") and isinstance(value, _CONTAINERS)
            ]
            spend(len(named) * len(path))
            pending += [(value, (*path, name), within or (begins and name == "/K")) for name, value in reversed(named)]
        elif isinstance(at, generic.ArrayObject):
            # Not by index, which would follow references.
            placed = [(n, value) for n, value in enumerate(at) if isinstance(value, _CONTAINERS)]
            spend(len(placed) * len(path))
            pending += [(value, (*path, n), within) for n, value in reversed(placed)]


def _named(obj: Any) -> Iterator[Key]:
    """Every reference in an object, also those that no way follows."""
    pending = [obj]
    while pending:
        at = pending.pop()
        if isinstance(at, generic.IndirectObject):
            yield at.idnum, at.generation
        elif isinstance(at, generic.DecryptedObjectProxy):
            raise TypeError("an encrypted object is not walked")
        elif isinstance(at, generic.DictionaryObject):
            pending += [value for value in at.values() if isinstance(value, _CONTAINERS)]
        elif isinstance(at, generic.ArrayObject):
            pending += [value for value in at if isinstance(value, _CONTAINERS)]


_CONTAINERS = (generic.IndirectObject, generic.DictionaryObject, generic.ArrayObject, generic.DecryptedObjectProxy)


class _Trees:
    """The nodes of the tree of pages with their ways, and those of the tree of structure, in one revision."""

    def __init__(self, resolved: Callable[[Key, int], tuple[Any, Any]], revision: int, spend: Callable[[int], None]) -> None:
        self._resolved, self._revision, self._spend = resolved, revision, spend

    def trees(self, trailer: Any) -> tuple[dict[Key, tuple[str | int, ...]], set[Key]]:
        root = self._value(trailer.raw_get("/Root"))
        pages: dict[Key, tuple[str | int, ...]] = {}
        top = root.raw_get("/Pages")
        if isinstance(top, generic.IndirectObject):
            pages[top.idnum, top.generation] = ("/Root", "/Pages")
        for key, way in self._pages(self._value(top), ("/Root", "/Pages"), 0):
            if key in pages:
                raise PdfReadError("a ring in the tree of pages")
            pages[key] = way
        structure: set[Key] = set()
        try:
            for key in self._structure(self._value(root.raw_get("/StructTreeRoot"))):
                if key in structure:
                    raise PdfReadError("a ring in the tree of structure")
                structure.add(key)
        except KeyError:
            pass  # there is none
        return pages, structure

    def _pages(self, node: Any, way: tuple[str | int, ...], depth: int) -> Iterator[tuple[Key, tuple[str | int, ...]]]:
        if depth > _DEREFERENCES_MAX:
            raise RecursionError("the tree of pages")
        for n, kid in enumerate(self._entry(node, "/Kids")):
            self._spend(1)
            here = (*way, "/Kids", n)
            if isinstance(kid, generic.IndirectObject):
                yield (kid.idnum, kid.generation), here
            kid = self._value(kid)
            if kid.get("/Type") == "/Pages":
                yield from self._pages(kid, here, depth + 1)

    def _structure(self, element: Any) -> Iterator[Key]:
        pending: list[Any] = [element]
        while pending:
            at = pending.pop()
            self._spend(1)
            if not isinstance(at, generic.DictionaryObject):
                raise TypeError("no dictionary")
            kids = dict.get(at, "/K", ())
            if isinstance(kids, generic.IndirectObject):
                kids = self._value(kids)
            found: list[Any] = []
            for kid in kids if isinstance(kids, generic.ArrayObject) else (kids,):
                self._spend(1)
                if not isinstance(kid, (generic.IndirectObject, generic.DictionaryObject)):
                    continue
                value = self._value(kid)
                if not isinstance(value, generic.DictionaryObject):
                    continue
                kind = dict.get(value, "/Type", "/StructElem")
                if kind != "/StructElem" and self._value(kind) != "/StructElem":
                    continue
                if isinstance(kid, generic.IndirectObject):
                    yield kid.idnum, kid.generation
                found.append(value)
            pending += reversed(found)

    def _entry(self, obj: Any, key: str) -> Any:
        """KeyError when there is none; TypeError when it is no dictionary."""
        if not isinstance(obj, generic.DictionaryObject):
            raise TypeError("no dictionary")
        return self._value(obj.raw_get(key))

    def _value(self, obj: Any) -> Any:
        for _ in range(_DEREFERENCES_MAX):
            if not isinstance(obj, generic.IndirectObject):
                return obj
            self._spend(1)
            obj, _ = self._resolved((obj.idnum, obj.generation), self._revision)
        raise RecursionError("references to references")
