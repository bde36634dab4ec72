"""What a platform certificate in JSON states: member names of every spelling -> one record (spec consortium-chains §10.2).

Reading is strict about the members it uses and ignores the others, which are listed. Nothing here is trusted: the record is
what the certificate says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .. import digests
from . import platforms, spellings
from .addresses import addresses_in, host_of
from .claim import Claim, ClaimedFile, ClaimedTime
from .form import Form
from .members import (
    CertificateError,
    Member,
    Scope,
    algorithm,
    block_hash,
    digest,
    height,
    plain,
    size,
    time,
)
from .shown import shown
from .spellings import Concept

__all__ = ["Certificate", "CertificateError", "read", "read_all"]

FILES_MAX = 1000
"""Files named by one certificate; an exhibit holds at most fifty."""
RECORDS_MAX = 1000
"""Records listed in one file; a page of a platform's list has a hundred."""
DEPTH_MAX = 4
"""Envelopes within envelopes; the deepest known reply has two."""
CONFLICTS_MAX = 20
"""Contradictions of a certificate with itself that are said; one is enough to decide."""
NAMES_MAX = 20_000
"""Member names by which a file is recognised."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as read.

    claim, parts       what it is about; the further records that it mentions, one claim each
    form, ambiguous    the platform that writes this; or the several that might
    begun, captured, issued   the times before and after the recording that it states, if any
    files, objects, unknown   every stated digest; which object states it (one object speaks of one file); the algorithm
                       named beside it that is none of ours, by position in `files`
    conflicts          members that state one thing twice, differently: (what, one value, the other)
    unread             paths of members that nothing was read from; `unclear`: those whose value could not be read as what
                       their label says (printed text only)
    answers            (path, value, whether it speaks for the record)
    tokens             (path, value) of time-stamp tokens
    kept               members that a check of the platform's own needs as they stand, by their name in one spelling
    """

    claim: Claim
    form: Form | None = None
    kind: str | None = None
    ambiguous: tuple[str, ...] = ()
    parts: tuple[Claim, ...] = ()
    begun: ClaimedTime | None = None
    captured: ClaimedTime | None = None
    issued: ClaimedTime | None = None
    files: tuple[ClaimedFile, ...] = ()
    objects: tuple[int, ...] = ()
    unknown: Mapping[int, str] = field(default_factory=dict)
    conflicts: tuple[tuple[str, str, str], ...] = ()
    unread: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    answers: tuple[tuple[str, str, bool], ...] = ()
    tokens: tuple[tuple[str, object], ...] = ()
    strange_versions: tuple[str, ...] = ()
    kept: Mapping[str, Member] = field(default_factory=dict)

    @property
    def claims(self) -> tuple[Claim, ...]:
        return (self.claim, *self.parts)


def read(value: object, *, source: str) -> Certificate:
    """The first record of `read_all`."""
    return read_all(value, source=source)[0]


def read_all(value: object, *, source: str) -> tuple[Certificate, ...]:
    """Parsed JSON of the file `source` -> its certificates, at least one: a reply may list several records.

    CertificateError, which names the member by its path, when a member is not what its name says.
    """
    if not isinstance(value, dict):
        raise CertificateError("not a JSON object")
    names, text = _survey(value)
    fitting = platforms.recognise(names, text)
    form = fitting[0] if len(fitting) == 1 else None
    ambiguous = tuple(f.platform for f in fitting) if len(fitting) > 1 else ()
    kind = form.kind(frozenset(map(spellings.normal, names)), text) if form else None

    outer = Collected(form)
    outer.take(value, "")
    records = outer.records
    # The addresses of a listed record are its own.
    beside = tuple(addresses_in(value, without=frozenset(id(item) for _, item in records)))
    found = [compose(outer, source=source, kind=kind, ambiguous=ambiguous, addresses=beside)]
    for path, item in records:
        inner = Collected(form)
        inner.take(item, path)
        if inner.records:
            raise CertificateError(f"{shown(path)} lists records within a record")
        at = path if len(records) > 1 else None
        found.append(compose(inner, source=source, at=at, kind=kind, ambiguous=ambiguous, addresses=tuple(addresses_in(item))))
    if len(found) > 1 and not _states_anything(found[0]):
        # The frame around a list of records says how the call went, and nothing of its own.
        frame, first = found[0], found[1]
        found[:2] = [_framed(first, frame)]
    return tuple(found)


class Collected:
    """The members of one certificate: `common`, one scope per listed file, and the records that it lists."""

    def __init__(self, form: Form | None) -> None:
        self.form = form
        self.common = Scope()
        self.files: list[Scope] = []
        self.records: list[tuple[str, Mapping[str, Any]]] = []
        self.unread: list[str] = []
        self.special: dict[str, list[Member]] = {}
        self.kept: dict[str, Member] = {}
        self._envelopes = frozenset(form.envelopes) if form else frozenset()
        self._lists = frozenset(form.lists) if form else frozenset()
        self._files = frozenset(form.files) if form else frozenset()
        self._own = _own_names(form) if form else frozenset()

    def take(self, value: Mapping[str, Any], at: str, depth: int = 0) -> None:
        for name, member in value.items():
            path, key = f"{at}.{name}" if at else name, spellings.normal(name)
            if isinstance(member, dict) and (key in self._envelopes or spellings.is_envelope(name)):
                if depth < DEPTH_MAX:
                    self.take(member, path, depth + 1)
                else:
                    self.unread.append(path)
            elif _is_objects(member) and key in self._lists and depth < DEPTH_MAX:
                if len(self.records) + len(member) > RECORDS_MAX:
                    raise CertificateError(f"{shown(path)} lists too many records")
                self.records.extend((f"{path}[{i}]", item) for i, item in enumerate(member))
            elif _is_objects(member) and (key in self._files or spellings.is_list(name)):
                self._take_files(member, path)
            elif member is None or member == "":
                self.unread.append(path)
            else:
                self._take_member(self.common, name, key, path, member)

    def _take_files(self, items: list[Mapping[str, Any]], path: str) -> None:
        if len(self.files) + len(items) > FILES_MAX:
            raise CertificateError(f"{shown(path)} names too many files")
        for i, item in enumerate(items):
            scope = Scope()
            for name, member in item.items():
                at = f"{path}[{i}].{name}"
                if member is None or member == "":
                    self.unread.append(at)
                else:
                    self._take_member(scope, name, spellings.normal(name), at, member)
            self.files.append(scope)

    def _take_member(self, scope: Scope, name: str, key: str, path: str, value: Any) -> None:
        if self.form is not None and key in self.form.kept:
            self.kept.setdefault(key, Member(Concept.PLATFORM, path, key, value))
        if key in self._own:
            self.special.setdefault(key, []).append(Member(Concept.PLATFORM, path, key, value))
            return
        concept = self._concept(name, key, value)
        if concept is None:
            self.unread.append(path)
        else:
            scope.members.append(Member(concept, path, key, value))

    def _concept(self, name: str, key: str, value: Any) -> Concept | None:
        form = self.form
        if form is not None:
            if key in form.concepts:
                return form.concepts[key]
            if key in form.if_hash:
                is_hash = isinstance(value, str) and len(value.removeprefix("0x")) == 64
                return form.if_hash[key] if is_hash else None
        return spellings.concept(name)


def _own_names(form: Form) -> frozenset[str]:
    """Names that the form itself says what to do with."""
    records = {n for r in form.records for n in (r.tx, *r.digests)}
    return frozenset({*records, *form.others, *form.cross_chain, *form.versions, *(a.name for a in form.answers)})


def compose(
    found: Collected,
    *,
    source: str,
    at: str | None = None,
    kind: str | None = None,
    ambiguous: tuple[str, ...] = (),
    addresses: tuple[str, ...] = (),
) -> Certificate:
    """Collected members -> the certificate. `at`: the record's place in the file, where there are several."""
    form, common, special = found.form, found.common, found.special
    conflicts: list[tuple[str, str, str]] = []
    files, objects, unknown = _files(found, conflicts)
    main, further = len(files), len(found.files) + 1
    parts: list[tuple[str, str | None, tuple[ClaimedFile, ...]]] = []
    for tx, names in _further(form):
        stated = [m for name in names if (m := _only(special, name, conflicts))]
        of_part = tuple(_file(m, form) for m in stated)
        objects += tuple(range(further, further := further + len(of_part)))
        files += of_part
        record = _only(special, tx, conflicts) if tx else None
        if record or (tx and of_part):
            label = record.path if record else stated[0].path
            parts.append((label, plain(record) if record else None, of_part))
    times = {
        c: common.single(c, lambda m: time(m, form), conflicts)
        for c in (Concept.CAPTURE_BEGUN, Concept.CAPTURED, Concept.RECORDED, Concept.ISSUED)
    }
    hosts = tuple(dict.fromkeys(h for a in addresses if (h := host_of(a))))
    claim = Claim(
        source=source,
        platform=form.platform if form else None,
        certificate_no=common.single(Concept.CERTIFICATE_NO, plain, conflicts),
        files=files[:main],
        chain_family=None,
        chain_id=common.single(Concept.CHAIN_ID, plain, conflicts),
        tx_id=common.single(Concept.TX_ID, plain, conflicts, same=same_id),
        block_height=common.single(Concept.HEIGHT, height, conflicts),
        block_hash=common.single(Concept.BLOCK_HASH, lambda m: block_hash(m, form), conflicts),
        time=times[Concept.RECORDED],
        hosts=hosts,
        at=shown(at) if at else None,
        cross_chain=tuple(
            (chain, plain(m))
            for name, chain in (form.cross_chain.items() if form else ())
            if (m := _only(special, name, conflicts))
        ),
    )
    return Certificate(
        claim=claim,
        form=form,
        kind=kind,
        ambiguous=ambiguous,
        parts=tuple(_part(claim, *p) for p in parts),
        begun=times[Concept.CAPTURE_BEGUN],
        captured=times[Concept.CAPTURED],
        issued=times[Concept.ISSUED],
        files=files,
        objects=objects,
        unknown=unknown,
        conflicts=tuple(dict.fromkeys(conflicts))[:CONFLICTS_MAX],
        unread=tuple(dict.fromkeys(found.unread)),
        addresses=addresses,
        answers=tuple(_answers(form, special)),
        tokens=tuple((m.path, m.value) for m in common.of(Concept.TOKEN)),
        strange_versions=tuple(
            f"{m.path} {plain(m)}"
            for name, known in (form.versions.items() if form else ())
            for m in special.get(name, ())
            if plain(m) not in known
        ),
        kept=found.kept,
    )


def _files(
    found: Collected, conflicts: list[tuple[str, str, str]]
) -> tuple[tuple[ClaimedFile, ...], tuple[int, ...], dict[int, str]]:
    """One claimed file per digest: several digests of one file (SM3 beside SHA-256) are as many statements about it."""
    files: list[ClaimedFile] = []
    objects: list[int] = []
    unknown: dict[int, str] = {}
    for number, scope in enumerate([*found.files, found.common]):
        named = scope.single(Concept.FILE_NAME, plain, conflicts)
        extent = scope.single(Concept.FILE_SIZE, size, [])
        for member in _digests_of(scope):
            name, foreign, implied = algorithm(member, scope, found.common, found.form)
            value = digest(member, name, implied)
            if foreign:
                unknown[len(files)] = foreign
            fits = name if name is None or not implied or len(value) == digests.LENGTH[name] else None
            files.append(ClaimedFile(named, extent, fits, value, implied and fits is not None))
            objects.append(number)
    return tuple(files), tuple(objects), unknown


def _digests_of(scope: Scope) -> list[Member]:
    """The digests an object states. A bare "hash" beside a file's hash is somebody else's: of the record, or of a page."""
    stated = scope.of(Concept.DIGEST)
    return [m for m in stated if m.key not in spellings.BARE_HASH] or stated


def _file(member: Member, form: Form | None) -> ClaimedFile:
    """A digest of a further file: no algorithm is named for it, so that only the platform's default can be meant."""
    value = digest(member, None, implied=False)
    default = form.default if form else None
    fits = default if default and digests.LENGTH[default] == len(value) else None
    return ClaimedFile(None, None, fits, value, fits is not None)


def _further(form: Form | None) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    if form is not None:
        yield from ((r.tx, r.digests) for r in form.records)
        yield from ((None, (name,)) for name in form.others)


def _part(main: Claim, label: str, tx_id: str | None, files: tuple[ClaimedFile, ...]) -> Claim:
    return Claim(
        source=main.source,
        platform=main.platform,
        certificate_no=None,
        files=files,
        chain_family=None,
        chain_id=main.chain_id,
        tx_id=tx_id,
        block_height=None,
        block_hash=None,
        time=None,
        hosts=(),
        at=main.at,
        part=shown(label),
    )


def _only(
    special: Mapping[str, list[Member]], name: str, conflicts: list[tuple[str, str, str]]
) -> Member | None:
    """The one member of that name; another spelling of it with another value is a conflict of the certificate with itself."""
    members = special.get(name, [])
    for other in members[1:]:
        if not same_id(str(members[0].value), str(other.value)):
            conflicts.append((shown(other.path), shown(str(members[0].value)), shown(str(other.value))))
    return members[0] if members else None


def _answers(form: Form | None, special: Mapping[str, list[Member]]) -> Iterator[tuple[str, str, bool]]:
    for answer in form.answers if form else ():
        for member in special.get(answer.name, ()):
            if isinstance(member.value, str | int):
                text = str(member.value).lower() if isinstance(member.value, bool) else str(member.value)
                yield member.path, text, answer.favours(text)


def _states_anything(certificate: Certificate) -> bool:
    claim = certificate.claim
    return bool(certificate.files or certificate.parts or claim.tx_id or claim.certificate_no)


def _framed(record: Certificate, frame: Certificate) -> Certificate:
    return replace(
        record,
        answers=frame.answers + record.answers,
        conflicts=frame.conflicts + record.conflicts,
        tokens=frame.tokens + record.tokens,
        strange_versions=frame.strange_versions + record.strange_versions,
        unread=tuple(dict.fromkeys(frame.unread + record.unread)),
        addresses=tuple(dict.fromkeys(frame.addresses + record.addresses)),
    )


def _survey(value: Mapping[str, Any]) -> tuple[list[str], str]:
    """Member names at any depth, and the texts of the outer members: by these a platform is known."""
    names: list[str] = []
    texts: list[str] = []
    pending: list[object] = [value]
    while pending and len(names) < NAMES_MAX:
        item = pending.pop()
        if isinstance(item, dict):
            names.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, str):
            texts.append(item[:200])
    return names, "\n".join(texts)


def _is_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def same_id(a: str, b: str) -> bool:
    return a.lower().removeprefix("0x") == b.lower().removeprefix("0x")
