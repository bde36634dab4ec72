"""Forensic packages 取证包: a zip of captured files with a list of their digests, and the logs of the capture (spec snapshots §10).

The list inside a package is made by whoever made the package: it shows damage and exchange of single files. What binds the
package is a proof over the whole zip (chain, time-stamp), so no walk starts here. A zip without such a list is read as a
container only; its nested archives are never opened.
"""

from collections.abc import Mapping, Sequence, Set

from .. import digests
from ..codecs.inflate import LimitReached
from ..codecs.quotation import quote
from ..codecs.zipstrict import Member
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..stated import Stated
from ..verdict import Bearing, Examination, Finding, failed, indeterminate, passed
from . import capture, hash_rows, package_stamps
from .container import Container, folded, open_container, summary
from .forensic_package import LIST_KIND, LIST_NAME
from .hash_rows import HashList, NotAHashList, Row
from .integrity import axes

CONTAINER = "CNP.CONTAINER"
PACKAGE_DIGEST = "CNP.PACKAGE_DIGEST"
HASH_LIST = "CNP.HASH_LIST"
HASHES = "CNP.HASHES"
UNLISTED = "CNP.UNLISTED"
NOT_PROVEN = ("NOT_PROVEN.CAPTURE_HOST", "NOT_PROVEN.CAPTURE_TIME", "NOT_PROVEN.CLEANLINESS_LOG")

NAMED_MAX = 5
CANDIDATES_MAX = 20
"""Members tried as hash list when no name says which one it is."""



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
    member, listed, problem = _find_list(container)
    tokens = package_stamps.find(container)
    container.check(_wanted(container, listed, tokens.algorithms))
    package = [_hash_list(container, member, listed, problem)]
    if listed is not None and member is not None:
        package += [_hashes(container, listed), _unlisted(container, member, listed)]
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
            for name in names:
                if source.digest(name) == file.digest:
                    (weak if name in digests.BROKEN else right).append(f"{name} {file.digest.hex()}")
                elif file.alg and file.name == source.name:
                    return [
                        failed(
                            PACKAGE_DIGEST,
                            Reason.HASH_FAILURE,
                            f"{subject} · {claim.source}",
                            expected=f"{name} {file.digest.hex()}",
                            actual=f"{name} {source.digest(name).hex()}",
                        )
                    ]
    if right:
        return [passed(PACKAGE_DIGEST, subject, expected=right[0], actual=right[0])]
    if weak:
        return [indeterminate(PACKAGE_DIGEST, Reason.CRYPTO_CONSTRAINTS_FAILURE, subject, expected=weak[0])]
    return [indeterminate(PACKAGE_DIGEST, Reason.PROOF_NOT_SUPPLIED, subject)]


def _find_list(container: Container) -> tuple[Member | None, HashList | None, Finding | str | None]:
    """The member that is the hash list: the first that is named like one and can be read, else, where none is named so, one
    most of whose rows name members. Logs also state digests and are left alone. The third value says why there is none."""
    candidates = [m for m in container.files if LIST_KIND.search(m.name) and not capture.is_log(m.name)]
    named = [m for m in candidates if LIST_NAME.search(m.name.rpartition("/")[2])]
    problem: Finding | str | None = None
    for member in named or candidates[:CANDIDATES_MAX]:
        try:
            listed = _read_list(container, member)
        except NotAHashList as fault:
            problem = problem or str(fault)
        except LimitReached as reached:
            problem = problem or indeterminate(
                HASH_LIST,
                Reason.RESOURCE_LIMIT,
                f"{container.subject} · {quote(member.name)}",
                actual=reached.limit,
                bearing=Bearing.DECISIVE,
            )
        else:
            if listed is not None and (named or _names_members(container, listed)):
                return member, listed, None
    return (named[0], None, problem) if named else (None, None, None)


def _names_members(container: Container, listed: HashList) -> bool:
    return 2 * sum(container.named(r.name) is not None for r in listed.rows) >= len(listed.rows)


def _read_list(container: Container, member: Member) -> HashList | None:
    data = container.read(member, limit=hash_rows.LIST_MAX, name="LIST_MAX")
    return None if data is None else hash_rows.read(member.name, data, container.budget)


def _hash_list(
    container: Container, member: Member | None, listed: HashList | None, problem: Finding | str | None
) -> Finding:
    """CNP-03."""
    if isinstance(problem, Finding):
        return problem
    if listed is None or member is None:
        if problem is not None and member is not None:
            subject = f"{container.subject} · {quote(member.name)}"
            return indeterminate(HASH_LIST, Reason.UNSUPPORTED_FORMAT, subject, actual=problem)
        # The list may lie in an archive inside, which is never opened.
        reason = Reason.UNSUPPORTED_FORMAT if container.nested else Reason.PROOF_NOT_SUPPLIED
        nested = tuple(f"NESTED_ARCHIVE:{quote(n)}" for n in container.nested[:NAMED_MAX])
        return indeterminate(HASH_LIST, reason, container.subject, notes=nested)
    subject = f"{container.subject} · {quote(member.name)}"
    notes = (f"ROWS_READ:{len(listed.rows)}", f"LIST_ENCODING:{listed.encoding}")
    if twice := hash_rows.contradictions(listed.rows):
        return failed(
            HASH_LIST,
            Reason.FORMAT_FAILURE,
            subject,
            notes=(*notes, *(f"MEMBER:{quote(n)}" for n in twice[:NAMED_MAX])),
        )
    return passed(HASH_LIST, subject, notes=notes)


def _wanted(container: Container, listed: HashList | None, stamped_by: Set[str]) -> Mapping[str, set[str]]:
    """Digests of every member that somebody states; `stamped_by`: algorithms of tokens, each of which may mean any member."""
    wanted = {m.name: set(stamped_by) for m in container.files}
    for row in listed.rows if listed else ():
        member = container.named(row.name)
        if member is not None:
            for algorithm, value in row.digests:
                names = (algorithm,) if algorithm else hash_rows.BY_LENGTH[2 * len(value)]
                wanted.setdefault(member.name, set()).update(names)
    if capture.has_operation_log(container):  # it may state the SHA-256 or SM3 of any file
        for member in container.files:
            wanted.setdefault(member.name, set()).update(("SHA-256", "SM3"))
    return wanted


def _hashes(container: Container, listed: HashList) -> Finding:
    """CNP-04: every listed file is there, and its size and every listed digest are right."""
    missing: list[str] = []
    wrong: list[tuple[str, str | None, str | None]] = []
    weak: list[str] = []
    unread: list[str] = []
    matched = 0
    for row in listed.rows:
        member = container.named(row.name)
        if member is None:
            missing.append(row.name)
            continue
        have = container.digests.get(member.name)
        if have is None:
            unread.append(row.name)
            continue
        fault = _row_fault(row, member, have)
        if fault is not None:
            wrong.append((row.name, *fault))
        elif all(a in digests.BROKEN for a, _ in row.digests):
            weak.append(row.name)
        else:
            matched += 1
    subject = container.subject
    notes = (f"MEMBERS_MATCHED:{matched}",)
    total = str(len(listed.rows))
    if wrong:
        _, expected, actual = wrong[0]
        named = tuple(f"MEMBER:{quote(n)}" for n, _, _ in wrong[:NAMED_MAX])
        lost = tuple(f"MISSING:{quote(n)}" for n in missing[:NAMED_MAX])
        return failed(
            HASHES, Reason.HASH_FAILURE, subject, expected=expected, actual=actual, notes=notes + named + lost
        )
    if missing:
        lost = tuple(f"MISSING:{quote(n)}" for n in missing[:NAMED_MAX])
        return failed(
            HASHES,
            Reason.RESOURCE_MISSING,
            subject,
            expected=total,
            actual=str(len(listed.rows) - len(missing)),
            notes=notes + lost,
        )
    if unread:
        named = tuple(f"MEMBER:{quote(n)}" for n in unread[:NAMED_MAX])
        return indeterminate(
            HASHES, Reason.RESOURCE_LIMIT, subject, notes=notes + named, bearing=Bearing.DECISIVE
        )
    if weak:
        named = tuple(f"MEMBER:{quote(n)}" for n in weak[:NAMED_MAX])
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


def _unlisted(container: Container, list_member: Member, listed: HashList) -> Finding:
    """CNP-05."""
    known = {folded(r.name) for r in listed.rows} | {folded(list_member.name)}
    unlisted = [m.name for m in container.files if folded(m.name) not in known]
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
