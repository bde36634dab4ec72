"""DIGEST.MATCH for stated digests: does the file received have the digest that a certificate or a proof package states?

Findings say which algorithm was compared. A digest that fits no file refutes only where it must speak of one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from .. import digests
from ..exhibit import Source
from ..reasons import Reason
from ..verdict import Finding, failed, indeterminate, passed
from .claim import ClaimedFile

MATCH = "DIGEST.MATCH"


def compare(
    files: Sequence[ClaimedFile],
    *,
    content: Sequence[Source],
    stated_by: str,
    objects: Sequence[int],
    unknown: Mapping[int, str],
    spoken_of: Collection[Source] = (),
    notes: tuple[str, ...] = (),
    one_of_several: bool = False,
) -> Iterator[tuple[Source | None, Finding]]:
    """Each stated digest with the file it speaks of: the one of that name, else the one of that digest.

    objects   for each digest, which object of the statement holds it: the digests of one object speak of one file
    unknown   names of algorithms that are none of ours, by position in `files`
    spoken_of files whose digest another statement of the exhibit holds
    one_of_several   the statement is one in a list of statements: it need not speak of any file that is here
    notes     facts that every finding carries, for example that the statement was read from printed text

    A digest that fits no file refutes when another digest of its object fits one, or when the statement speaks of one file
    only and the exhibit has one that nothing else speaks of.
    """
    of_digest = [_by_digest(f, content) for f in files]
    paired = [_by_name(f, content) or same for f, same in zip(files, of_digest, strict=True)]
    for place, found in enumerate(paired):
        # Of two files of one name in different folders one may be here: the other is missing, and its digest contradicts nothing.
        elsewhere = (o for o, s in zip(objects, of_digest, strict=True) if s is found and o != objects[place])
        if of_digest[place] is None and found is not None and any(True for _ in elsewhere):
            paired[place] = None
    of_object = {o: p for p, o in zip(reversed(paired), reversed(objects), strict=True) if p is not None}
    paired = [found or of_object.get(o) for found, o in zip(paired, objects, strict=True)]
    alone = [s for s in content if s not in paired and s not in spoken_of]
    single = len(alone) == 1 and len(set(objects)) == 1 and not one_of_several
    for position, (claimed, found) in enumerate(zip(files, paired, strict=True)):
        source = alone[0] if found is None and single else found
        yield source, _finding(claimed, source, stated_by, unknown.get(position), notes)
    if not files:
        yield None, indeterminate(MATCH, Reason.NO_DIGEST, stated_by, notes=notes)


def stated(files: Iterable[ClaimedFile], content: Sequence[Source]) -> frozenset[Source]:
    """The files whose digest is among those stated."""
    return frozenset(s for f in files if (s := _by_digest(f, content)) is not None)


def _finding(
    claimed: ClaimedFile, source: Source | None, stated_by: str, unknown: str | None, notes: tuple[str, ...]
) -> Finding:
    label = f"{claimed.alg or unknown or '–'} {claimed.digest.hex()}"
    if source is None:
        subject = f"{claimed.name or '–'} · {stated_by}"
        return indeterminate(MATCH, Reason.SIGNED_DATA_NOT_FOUND, subject, expected=label, notes=notes)
    subject = f"{source.name} · {stated_by}"
    fitting = _fitting(claimed)
    equal = next((a for a in fitting if source.digest(a) == claimed.digest), None)
    if equal is None:
        if not fitting or unknown:
            # No algorithm has digests of this length, or the one that was named is none of ours: nothing was compared.
            return indeterminate(MATCH, Reason.DIGEST_ALGORITHM_UNKNOWN, subject, expected=label, notes=notes)
        actual = f"{fitting[0]} {source.digest(fitting[0]).hex()}"
        return failed(MATCH, Reason.HASH_FAILURE, subject, expected=label, actual=actual, notes=notes)
    actual = f"{equal} {claimed.digest.hex()}"
    if unknown and unknown.isdigit():
        # A code that the platform does not document names nothing, so that it contradicts nothing either.
        reason = Reason.DIGEST_ALGORITHM_UNKNOWN
        return indeterminate(MATCH, reason, subject, expected=label, actual=actual, notes=notes)
    if unknown or (claimed.alg not in (None, equal) and not claimed.implied):
        return failed(MATCH, Reason.CERT_FIELDS_CONFLICT, subject, expected=label, actual=actual, notes=notes)
    if claimed.implied and claimed.alg != equal:
        notes = (*notes, f"ALGORITHM_NOT_NAMED:{claimed.alg}")
    if equal in digests.BROKEN:
        weak = Reason.CRYPTO_CONSTRAINTS_FAILURE
        return indeterminate(MATCH, weak, subject, expected=label, actual=actual, notes=notes)
    return passed(MATCH, subject, expected=label, actual=actual, notes=notes)


def _fitting(claimed: ClaimedFile) -> tuple[str, ...]:
    """Algorithms whose digest can be this one: the named one first, then every other of that length."""
    return _of_length(claimed.alg, len(claimed.digest))


@lru_cache(maxsize=256)
def _of_length(named: str | None, length: int) -> tuple[str, ...]:
    fits = tuple(a for a in (*digests.STRONG, *digests.BROKEN) if digests.LENGTH[a] == length)
    return tuple(dict.fromkeys((*((named,) if named else ()), *fits)))


def _by_name(claimed: ClaimedFile, content: Sequence[Source]) -> Source | None:
    same = [s for s in content if claimed.name and _base(s.name) == _base(claimed.name)]
    return same[0] if len(same) == 1 else None


def _by_digest(claimed: ClaimedFile, content: Sequence[Source]) -> Source | None:
    fitting = _fitting(claimed)
    return next((s for s in content for a in fitting if s.digest(a) == claimed.digest), None)


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1].strip().casefold()
