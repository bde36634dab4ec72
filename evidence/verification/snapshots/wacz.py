"""Web archive packages WACZ 0.1.0 to 1.2.0: does the package hold what its manifest lists, and who signed it?
(Webrecorder wacz 1.1.1; spec snapshots §5 and §6.)

An unsigned manifest is a statement of whoever made the zip. A signature of a web domain with a trusted time-stamp binds it:
that is the only walk that starts here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..codecs.zipstrict import STORE
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..stated import Stated, What, dated
from ..verdict import Bearing, Examination, Finding, Outcome, Walk, failed, indeterminate, passed
from . import wacz_auth, wacz_index, warc
from .container import Container, names_at_a_glance, open_container, summary
from .defects import DOUBLED_CHUNK, DOUBLED_PATH, doubled_chunk_sha256
from .integrity import axes
from .wacz_manifest import (
    DIGEST_FILE,
    LEGACY_MANIFEST,
    MANIFEST,
    MANIFEST_MAX,
    MULTI,
    Entry,
    Manifest,
    ManifestError,
    read,
)
from .warc_survey import Originals

CONTAINER = "WACZ.CONTAINER"
LISTED = "WACZ.LISTED"
HASHES = "WACZ.HASHES"
UNLISTED = "WACZ.UNLISTED"
ALWAYS_UNLISTED = (MANIFEST, DIGEST_FILE)
NAMED_MAX = 5
NOT_PROVEN = (*warc.NOT_PROVEN, "NOT_PROVEN.UNSIGNED_MANIFEST")

_ARCHIVE_NAME = re.compile(r"archive/.+\.warc(?:\.gz|\.zst)?", re.DOTALL)
_WARC_NAME = re.compile(r"(?:archive/.+|.+\.warc(?:\.gz|\.zst)?)", re.DOTALL)
_PACKAGE_NAME = re.compile(r".+\.wacz", re.DOTALL)


def sniff(source: Source) -> int:
    """The central directory at the end names the manifest, or a web archive. A file that starts as something else and ends
    like this is claimed too, so that the ambiguity is said; a format that recognises its beginning surely comes first."""
    names = names_at_a_glance(source)
    begins = source.head(4) == b"PK\3\4"
    if MANIFEST in names:
        return 95 if begins else 70
    return 90 if begins and any(n == LEGACY_MANIFEST or _ARCHIVE_NAME.fullmatch(n) for n in names) else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    findings: list[Finding] = []
    walks: list[Walk] = []
    stated: list[Stated] = []
    for source in sources:
        found, walk = _examine(source, context, stated)
        findings += found
        walks += walk
    return Examination(
        findings=tuple(findings), walks=tuple(walks), not_proven=NOT_PROVEN, stated=tuple(stated)
    )


def _examine(source: Source, context: Context, stated: list[Stated]) -> tuple[list[Finding], tuple[Walk, ...]]:
    """`stated` takes the times that the package states of itself."""
    container = open_container(source, context.budget)
    subject = source.name
    if not container.sound:
        # Readers would not agree on what is inside: nothing inside can speak.
        parts = list(container.findings())
        return [summary(CONTAINER, container, axes(parts)), *parts], ()
    manifest: Manifest | None = None
    manifest_bytes: bytes | None = None
    listed: Finding | None = None
    member = container.by_name.get(MANIFEST)
    if member is None:
        legacy = (f"DIALECT:{LEGACY_MANIFEST}",) if LEGACY_MANIFEST in container.by_name else ()
        listed = indeterminate(LISTED, Reason.PROOF_NOT_SUPPLIED, subject, notes=legacy)
    else:
        try:
            manifest_bytes = container.read(member, limit=MANIFEST_MAX, name="MANIFEST_MAX")
            manifest = read(manifest_bytes or b"")
        except ManifestError as fault:
            maker = failed if fault.reason is Reason.FORMAT_FAILURE else indeterminate
            listed = maker(LISTED, fault.reason, subject, actual=quote(str(fault)))
        except LimitReached as reached:
            listed = indeterminate(
                LISTED, Reason.RESOURCE_LIMIT, subject, actual=reached.limit, bearing=Bearing.DECISIVE
            )

    container.check(_wanted(manifest))
    package: list[Finding] = [listed] if listed else []
    covered: Finding | None = None
    if manifest is not None:
        told = ((manifest.page_date, What.CAPTURED), (manifest.created, What.PACKAGED))
        times = (dated(subject, text, what=what) for text, what in told if text is not None)
        stated += [t for t in times if t is not None]
        hashes = _hashes(container, manifest, context)
        package = [_listed(container, manifest), hashes, _unlisted(container, manifest)]
        covered = next((f for f in package if f.outcome is not Outcome.PASSED), hashes)
    originals = Originals(uris=set())
    layers = list(_warc_layer(container, context, originals, stated))
    index = wacz_index.finding(container, originals)
    signature = wacz_auth.examine(
        container,
        manifest=manifest,
        manifest_bytes=manifest_bytes,
        package=covered,
        source=source,
        context=context,
    )
    parts = [*container.findings(), *package, *layers, *([index] if index else [])]
    head = summary(CONTAINER, container, (*axes(parts), signature.signer))
    return [head, *parts, *signature.findings], signature.walks


def _wanted(manifest: Manifest | None) -> Mapping[str, set[str]]:
    wanted: dict[str, set[str]] = {}
    for entry in manifest.entries if manifest else ():
        if entry.algorithm is not None and entry.digest is not None:
            wanted.setdefault(entry.path, set()).add(entry.algorithm)
    return wanted


def _listed(container: Container, manifest: Manifest) -> Finding:
    """WACZ-02."""
    missing: list[str] = []
    wrong: list[str] = []
    remote: list[str] = []
    seen: set[str] = set()
    for entry in manifest.entries:
        member = container.by_name.get(entry.path)
        if entry.path in seen:
            wrong.append(f"{quote(entry.path)} twice")
        elif member is None and manifest.dialect == MULTI and entry.path.startswith(("https://", "http://")):
            remote.append(quote(entry.path))
        elif member is None or member.is_directory:
            missing.append(quote(entry.path))
        elif entry.size is not None and entry.size != member.size:
            wrong.append(f"{quote(entry.path)}: {member.size} bytes, {entry.size} listed")
        seen.add(entry.path)
    deflated = [m.name for m in container.files if m.name.startswith("archive/") and m.method != STORE]
    packages = sum(_PACKAGE_NAME.fullmatch(m.name) is not None for m in container.files)
    notes = (
        f"DIALECT:{manifest.dialect}",
        *([f"RESOURCE_NAME_PATTERN:{manifest.odd_names}"] if manifest.odd_names else []),
        *(f"ARCHIVE_NOT_STORED:{quote(n)}" for n in deflated[:NAMED_MAX]),
        *([f"PACKAGES_NOT_OPENED:{packages}"] if packages else []),
        *(f"MISSING:{m}" for m in (*missing, *remote)[:NAMED_MAX]),
        *(f"FAULT_AT:{w}" for w in wrong[:NAMED_MAX]),
    )
    total = str(len(manifest.entries))
    if missing or wrong:
        return failed(
            LISTED,
            Reason.RESOURCE_MISSING if missing else Reason.FORMAT_FAILURE,
            container.subject,
            expected=total,
            actual=str(len(manifest.entries) - len(missing) - len(wrong) - len(remote)),
            notes=notes,
        )
    if remote:
        # Packages that stand elsewhere are not here to be compared; nothing is contradicted.
        there = str(len(manifest.entries) - len(remote))
        return indeterminate(LISTED, Reason.NOT_CONTAINED, container.subject, expected=total, actual=there, notes=notes)
    return passed(LISTED, container.subject, expected=total, actual=total, notes=notes)


def _hashes(container: Container, manifest: Manifest, context: Context) -> Finding:
    """WACZ-03: each entry under its own algorithm. Members that are missing are said by WACZ-02."""
    subject = container.subject
    right = 0
    states: dict[Reason, list[tuple[Entry, bytes | None]]] = {}
    for entry in manifest.entries:
        if entry.path in container.by_name and not container.by_name[entry.path].is_directory:
            reason, actual = _compare(container, entry)
            if reason is None:
                right += 1
            else:
                states.setdefault(reason, []).append((entry, actual))
    notes = [f"MEMBERS_MATCHED:{right}"]
    if DOUBLED_CHUNK.id in context.trust.accept_writer_defects and states.pop(Reason.KNOWN_WRITER_DEFECT, []):
        notes.append(f"KNOWN_WRITER_DEFECT_ACCEPTED:{DOUBLED_CHUNK.id}")
    if not states:
        if not right and len(notes) == 1:
            return indeterminate(HASHES, Reason.NO_DIGEST, subject)
        return passed(HASHES, subject, notes=tuple(notes))
    worst = next(r for r in _GRAVITY if r in states)
    entry, actual = states[worst][0]
    notes += [f"MEMBER:{quote(e.path)}" for e, _ in states[worst][:NAMED_MAX]]
    if Reason.KNOWN_WRITER_DEFECT in states:
        notes.append(f"KNOWN_WRITER_DEFECT:{DOUBLED_CHUNK.id}")
    maker = failed if worst in (Reason.HASH_FAILURE, Reason.DIGEST_MALFORMED) else indeterminate
    open_ = worst in (Reason.NO_DIGEST, Reason.DIGEST_ALGORITHM_UNKNOWN)
    return maker(
        HASHES,
        worst,
        subject,
        expected=f"{entry.algorithm} {entry.digest.hex()}" if entry.digest else None,
        actual=f"{entry.algorithm} {actual.hex()}" if actual else None,
        notes=tuple(notes),
        bearing=Bearing.REFUTING if open_ or maker is failed else Bearing.DECISIVE,
    )


_GRAVITY = (
    Reason.HASH_FAILURE,
    Reason.DIGEST_MALFORMED,
    Reason.RESOURCE_LIMIT,
    Reason.CRYPTO_CONSTRAINTS_FAILURE,
    Reason.KNOWN_WRITER_DEFECT,
    Reason.DIGEST_ALGORITHM_UNKNOWN,
    Reason.NO_DIGEST,
)
"""Of several states the gravest is the answer."""


def _compare(container: Container, entry: Entry) -> tuple[Reason | None, bytes | None]:
    if entry.fault is not None or entry.algorithm is None:
        return entry.fault, None
    actual = container.digests.get(entry.path, {}).get(entry.algorithm)
    if actual is None:
        return Reason.RESOURCE_LIMIT, None
    if actual == entry.digest:
        weak = entry.algorithm in ("MD5", "SHA-1")
        return Reason.CRYPTO_CONSTRAINTS_FAILURE if weak else None, actual
    if entry.path == DOUBLED_PATH and entry.algorithm == "SHA-256":
        if doubled_chunk_sha256(container.pieces(container.by_name[entry.path])) == entry.digest:
            return Reason.KNOWN_WRITER_DEFECT, actual
    return Reason.HASH_FAILURE, actual


def _unlisted(container: Container, manifest: Manifest) -> Finding:
    """WACZ-04."""
    known = {e.path for e in manifest.entries} | set(ALWAYS_UNLISTED)
    unlisted = [m.name for m in container.files if m.name not in known]
    if unlisted:
        return failed(
            UNLISTED,
            Reason.UNLISTED_MEMBER,
            container.subject,
            expected="0",
            actual=str(len(unlisted)),
            notes=tuple(f"MEMBER:{quote(n)}" for n in unlisted[:NAMED_MAX]),
        )
    return passed(UNLISTED, container.subject)


def _warc_layer(
    container: Container, context: Context, originals: Originals, stated: list[Stated]
) -> Iterator[Finding]:
    """WACZ-05: the archives inside, together, so that a revisit may find its original in any of them."""
    read_ = []
    for member in container.files:
        if _WARC_NAME.fullmatch(member.name) is None:
            continue
        subject = f"{container.subject} · {quote(member.name)}"
        read_.append((subject, warc.read(container.at(member), subject, context.budget, originals)))
    for subject, found in read_:
        if isinstance(found, Finding):
            yield found
        else:
            stated += warc.capture_times(found, subject)
            yield warc.recognised(found, subject)
            yield from warc.layer_findings(found, subject, originals, context.trust.accept_writer_defects)
