"""Forensic packages 取证包: a zip of captured files with a list of their digests, and the logs of the capture (spec snapshots §10).

The list inside a package is made by whoever made the package: it shows damage and exchange of single files. What binds the
package is a proof over the whole zip (chain, time-stamp), so no walk starts here. A zip without such a list is read as a
container only; its nested archives are never opened.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from .. import digests
from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..codecs.zipstrict import Member
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..stated import Stated
from ..verdict import Bearing, Examination, Finding, failed, indeterminate, passed
from . import capture, hash_rows, listed_files, package_stamps
from .container import Container, open_container, summary
from .forensic_package import LIST_KIND, LIST_NAME
from .hash_rows import HashList, NotAHashList, Row
from .integrity import axes
from .listed_files import Entry

CONTAINER = "CNP.CONTAINER"
PACKAGE_DIGEST = "CNP.PACKAGE_DIGEST"
HASH_LIST = "CNP.HASH_LIST"
HASHES = "CNP.HASHES"
UNLISTED = "CNP.UNLISTED"
NOT_PROVEN = ("NOT_PROVEN.CAPTURE_HOST", "NOT_PROVEN.CAPTURE_TIME", "NOT_PROVEN.CLEANLINESS_LOG")

NAMED_MAX = 5
CANDIDATES_MAX = 20
"""Members tried as hash list."""


@dataclass(slots=True)
class Lists:
    """The hash lists of a package. `unread`: members named like one that are none, and why; `problem`: a bound that was reached."""

    read: list[tuple[Member, HashList]] = field(default_factory=list)
    unread: list[tuple[Member, str]] = field(default_factory=list)
    problem: Finding | None = None

    def rows(self) -> list[Row]:
        return [row for _, listed in self.read for row in listed.rows]

    def entries(self, container: Container) -> list[Entry]:
        return listed_files.entries(container, [(m, listed.rows) for m, listed in self.read])


def examine(sources: Sequence[Source], context: Context) -> Examination:
    stated: list[Stated] = []
    findings = [f for source in sources for f in _examine(source, context, stated)]
    return Examination(findings=tuple(findings), not_proven=NOT_PROVEN, stated=tuple(stated))


def _examine(source: Source, context: Context, stated: list[Stated]) -> list[Finding]:
    container = open_container(source, context.budget)
    bound = _package_digest(source, context)
    if not container.sound:
        parts = list(container.findings())
        return [summary(CONTAINER, container, axes(parts)), *parts, *bound]
    lists = _find_lists(container)
    entries = lists.entries(container)
    tokens = package_stamps.find(container)
    container.check(_wanted(container, entries, tokens.algorithms))
    package = [_hash_list(container, lists)]
    if lists.read:
        package += [_hashes(container, entries), _unlisted(container, lists, entries)]
    package += capture.findings(container, context.claims, stated)
    package += package_stamps.findings(container, tokens, context)
    parts = [*container.findings(), *package]
    return [summary(CONTAINER, container, axes(parts)), *parts, *bound]


def _package_digest(source: Source, context: Context) -> list[Finding]:
    """CNP-02: digests of the whole zip on the certificates handed in. Not asked without a certificate."""
    if not context.claims:
        return []
    subject = source.name
    right: list[str] = []
    weak: list[str] = []
    for claim in context.claims:
        for file in claim.files:
            names = (file.alg,) if file.alg else hash_rows.BY_LENGTH.get(2 * len(file.digest), ())
            name = next((n for n in names if source.digest(n) == file.digest), None)
            if name is not None:
                (weak if name in digests.BROKEN else right).append(f"{name} {file.digest.hex()}")
            elif names and file.name == source.name:
                return [
                    failed(
                        PACKAGE_DIGEST,
                        Reason.HASH_FAILURE,
                        f"{subject} · {claim.source}",
                        expected=f"{names[0]} {file.digest.hex()}",
                        actual=f"{names[0]} {source.digest(names[0]).hex()}",
                    )
                ]
    if right:
        return [passed(PACKAGE_DIGEST, subject, expected=right[0], actual=right[0])]
    if weak:
        return [indeterminate(PACKAGE_DIGEST, Reason.CRYPTO_CONSTRAINTS_FAILURE, subject, expected=weak[0])]
    return [indeterminate(PACKAGE_DIGEST, Reason.PROOF_NOT_SUPPLIED, subject)]


def _find_lists(container: Container) -> Lists:
    """The members that are hash lists: of those named like one all most of whose rows name members, or the first that can be read;
    where none is named so, the first most of whose rows name members. Logs also state digests and are left alone. A second
    list that contradicts the first would be believed by somebody else."""
    candidates = [m for m in container.files if LIST_KIND.search(m.name) and not capture.is_log(m.name)]
    named = [m for m in candidates if LIST_NAME.search(m.name.rpartition("/")[2])]
    lists = Lists()
    strange: list[tuple[Member, HashList]] = []
    for member in (named or candidates)[:CANDIDATES_MAX]:
        try:
            listed = _read_list(container, member)
        except NotAHashList as fault:
            lists.unread += [(member, str(fault))] if named else []
        except LimitReached as reached:
            lists.problem = lists.problem or _limited(container, member, reached.limit)
        else:
            if listed is None:
                continue
            if _names_members(container, member, listed):
                lists.read.append((member, listed))
                if not named:
                    break
            elif named:
                strange.append((member, listed))
    if not lists.read:
        lists.read, strange = strange[:1], strange[1:]
    lists.unread += [(m, "names other files") for m, _ in strange]
    if len(named) > CANDIDATES_MAX:
        lists.problem = lists.problem or _limited(container, named[CANDIDATES_MAX], "CANDIDATES_MAX")
    return lists


def _limited(container: Container, member: Member, limit: str) -> Finding:
    subject = f"{container.subject} · {quote(member.name)}"
    return indeterminate(HASH_LIST, Reason.RESOURCE_LIMIT, subject, actual=limit, bearing=Bearing.DECISIVE)


def _names_members(container: Container, member: Member, listed: HashList) -> bool:
    found = listed_files.entries(container, [(member, listed.rows)])
    return 2 * sum(e.member is not None for e in found) >= len(listed.rows)


def _read_list(container: Container, member: Member) -> HashList | None:
    data = container.read(member, limit=hash_rows.LIST_MAX, name="LIST_MAX")
    return None if data is None else hash_rows.read(member.name, data, container.budget)


def _hash_list(container: Container, lists: Lists) -> Finding:
    """CNP-03."""
    if not lists.read:
        if lists.problem is not None:
            return lists.problem
        if lists.unread:
            member, why = lists.unread[0]
            subject = f"{container.subject} · {quote(member.name)}"
            return indeterminate(HASH_LIST, Reason.UNSUPPORTED_FORMAT, subject, actual=why)
        # The list may lie in an archive inside, which is never opened.
        reason = Reason.UNSUPPORTED_FORMAT if container.nested else Reason.PROOF_NOT_SUPPLIED
        nested = tuple(f"NESTED_ARCHIVE:{quote(n)}" for n in container.nested[:NAMED_MAX])
        return indeterminate(HASH_LIST, reason, container.subject, notes=nested)
    subject = f"{container.subject} · {quote(lists.read[0][0].name)}"
    unread = sum(listed.unread for _, listed in lists.read)
    own = [m.name for m, listed in lists.read if listed_files.itself(container, m, listed.rows)]
    notes = (
        f"ROWS_READ:{len(lists.rows())}",
        *(f"LIST_ENCODING:{e}" for e in dict.fromkeys(listed.encoding for _, listed in lists.read)),
        *([f"ROWS_UNREAD:{unread}"] if unread else []),
        *(f"LIST_ALSO:{quote(m.name)}" for m, _ in lists.read[1:NAMED_MAX]),
        *(f"LIST_UNREAD:{quote(m.name)}" for m, _ in lists.unread[:NAMED_MAX]),
        *(f"LIST_NAMES_ITSELF:{quote(n)}" for n in own[:NAMED_MAX]),
    )
    if twice := hash_rows.contradictions(lists.rows()):
        return failed(
            HASH_LIST,
            Reason.FORMAT_FAILURE,
            subject,
            notes=(*notes, *(f"MEMBER:{quote(n)}" for n in twice[:NAMED_MAX])),
        )
    return lists.problem or passed(HASH_LIST, subject, notes=notes)


def _wanted(container: Container, entries: Iterable[Entry], stamped_by: Set[str]) -> Mapping[str, set[str]]:
    """Digests of every member that somebody states; `stamped_by`: algorithms of tokens, each of which may mean any member."""
    wanted = {m.name: set(stamped_by) for m in container.files}
    for entry in entries:
        if entry.member is not None:
            for algorithm, value in entry.row.digests:
                names = (algorithm,) if algorithm else hash_rows.BY_LENGTH[2 * len(value)]
                wanted.setdefault(entry.member.name, set()).update(names)
    if capture.has_operation_log(container):  # it may state the SHA-256 or SM3 of any file
        for member in container.files:
            wanted.setdefault(member.name, set()).update(("SHA-256", "SM3"))
    return wanted


def _hashes(container: Container, entries: Sequence[Entry]) -> Finding:
    """CNP-04: every listed file is there, and its size and every listed digest are right."""
    missing: dict[str, None] = {}
    wrong: list[tuple[str, str | None, str | None]] = []
    agreed: dict[str, bool] = {}  # name -> only by broken digests
    by_path: dict[str, None] = {}
    unread: dict[str, None] = {}
    for entry in entries:
        row, member = entry.row, entry.member
        if member is None:
            missing[row.name] = None
            continue
        have = container.digests.get(member.name)
        if have is None:
            unread[row.name] = None
            continue
        fault = _row_fault(row, member, have)
        if entry.by_path:
            (missing if fault is not None else by_path)[row.name] = None
        if fault is None:
            weak = all(a in digests.BROKEN for a, _ in row.digests)
            agreed[member.name] = weak and agreed.get(member.name, True)
        elif not entry.by_path:
            wrong.append((row.name, *fault))
    weak_only = [name for name, broken in agreed.items() if broken]
    matched = len(agreed) - len(weak_only)
    subject = container.subject
    notes = (f"MEMBERS_MATCHED:{matched}", *(f"NAMED_BY_PATH:{quote(n)}" for n in list(by_path)[:NAMED_MAX]))
    total = str(len({e.member.name if e.member else e.row.name for e in entries}))
    lost = tuple(f"MISSING:{quote(n)}" for n in list(missing)[:NAMED_MAX])
    if wrong:
        _, expected, actual = wrong[0]
        named = tuple(f"MEMBER:{quote(n)}" for n, _, _ in wrong[:NAMED_MAX])
        return failed(
            HASHES, Reason.HASH_FAILURE, subject, expected=expected, actual=actual, notes=notes + named + lost
        )
    if missing:
        there = str(int(total) - len(missing))
        return failed(HASHES, Reason.RESOURCE_MISSING, subject, expected=total, actual=there, notes=notes + lost)
    if unread:
        named = tuple(f"MEMBER:{quote(n)}" for n in list(unread)[:NAMED_MAX])
        return indeterminate(
            HASHES, Reason.RESOURCE_LIMIT, subject, notes=notes + named, bearing=Bearing.DECISIVE
        )
    if weak_only:
        named = tuple(f"MEMBER:{quote(n)}" for n in weak_only[:NAMED_MAX])
        return indeterminate(
            HASHES,
            Reason.CRYPTO_CONSTRAINTS_FAILURE,
            subject,
            expected=total,
            actual=str(matched),
            notes=notes + named,
            bearing=Bearing.DECISIVE,
        )
    return passed(HASHES, subject, expected=total, actual=str(matched), notes=notes)


def _row_fault(row: Row, member: Member, have: Mapping[str, bytes]) -> tuple[str | None, str | None] | None:
    """(expected, actual) of the first thing in a row that the file contradicts."""
    for algorithm, value in row.digests:
        names = (algorithm,) if algorithm else hash_rows.BY_LENGTH[2 * len(value)]
        if all(have[n] != value for n in names):
            return f"{names[0]} {value.hex()}", f"{names[0]} {have[names[0]].hex()}"
    if row.size is not None and row.size != member.size:
        return str(row.size), str(member.size)
    return None


def _unlisted(container: Container, lists: Lists, entries: Iterable[Entry]) -> Finding:
    """CNP-05."""
    known = {e.member.name for e in entries if e.member is not None} | {m.name for m, _ in lists.read}
    unlisted = [m.name for m in container.files if m.name not in known]
    if unlisted:
        return indeterminate(
            UNLISTED,
            Reason.UNLISTED_MEMBER,
            container.subject,
            expected="0",
            actual=str(len(unlisted)),
            notes=tuple(f"MEMBER:{quote(n)}" for n in unlisted[:NAMED_MAX]),
        )
    return passed(UNLISTED, container.subject)
