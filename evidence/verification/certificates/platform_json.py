"""Platform certificates in JSON: one reader for every spelling (spec consortium-chains §10).

None of the public certificate formats carries a path, a header or a validator's signature. What can be checked is whether
the certificate's digest is that of a file in the exhibit, whether its members agree with each other, and whether its times
can be read at all. The rest is the platform's statement: it becomes a `Claim`, to be compared with the chain's own proof, and
its walk ends at the statement. What a certificate says of its own verification changes nothing, and no address in it is ever
opened.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from json import JSONDecodeError, JSONDecoder

from .. import digests
from ..codecs import strict_json
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context, Role
from ..verdict import (
    Bearing,
    Examination,
    Finding,
    Grade,
    Node,
    NodeKind,
    ProofState,
    Walk,
    failed,
    indeterminate,
    passed,
    step,
)
from . import spellings
from .claim import Claim, ClaimedFile
from .statement import Certificate, CertificateError, host_of, read, shown

READ, MATCH, FIELDS, TIME, HOST, ONLINE = (
    "CERT.READ",
    "DIGEST.MATCH",
    "CERT.FIELDS",
    "CERT.TIME",
    "CERT.HOST",
    "INCL.ONLINE",
)

CERTIFICATE_BYTES_MAX = 4 << 20
"""Real certificates stay under 100 KiB."""
LOOK_BYTES = 64 << 10
"""Bytes in which a file is recognised."""
SHOWN_MAX = 12
"""Names listed in a note."""

_KEY = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.){1,64})"\s*:')
_NODE_ANSWER = (
    "sealerList",
    "signatureList",
    "logsBloom",
    "receiptsRoot",
    "txsRoot",
    "parentHash",
    "mingjian.chain-proof",
)
"""Names that only a node's own answer or a proof package has."""


def sniff(source: Source) -> int:
    """A JSON object with the names of a certificate, whether or not the rest of it is JSON. Never by file name.

    At least two things that certificates state, one of them the transaction, the block or the certificate's number: a web
    archive's own log states digests and times, but no transaction. A file that is not JSON is claimed by one such name, so
    that a damaged certificate is said to be damaged; a list of JSON lines is a log and is left alone.
    """
    head = source.head(LOOK_BYTES)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").decode("utf-8", "replace")
    if not text.startswith("{") or any(name in text for name in _NODE_ANSWER):
        return 0
    found = {c for name in _KEY.findall(text) if (c := spellings.concept(_unescaped(name)))}
    if not found & spellings.STRONG:
        return 0
    if len(found) >= 2:
        return 0 if _is_json_lines(text) else 40
    return 40 if source.size <= LOOK_BYTES and _is_broken(head) and not _is_json_lines(text) else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    findings: list[Finding] = []
    walks: list[Walk] = []
    claims: list[Claim] = []
    for source in sources:
        data = source.read(CERTIFICATE_BYTES_MAX)
        if data is None:
            findings.append(indeterminate(READ, Reason.RESOURCE_LIMIT, source.name, bearing=Bearing.DECISIVE))
            continue
        try:
            certificate = read(strict_json.loads(data))
        except (strict_json.JsonError, CertificateError) as fault:
            findings.append(failed(READ, Reason.FORMAT_FAILURE, source.name, actual=str(fault)))
            continue
        claim = replace(certificate.claim, source=source.name)
        claims.append(claim)
        pairs = list(_matches(claim, certificate, context.content))
        findings.append(_read_finding(certificate, source))
        findings += [finding for _, finding in pairs]
        findings += [_conflict(source, name, a, b) for name, a, b in certificate.conflicts]
        if not any(f.role is Role.PROOF for f in context.formats.values()):
            # Nothing to compare the certificate with; a chain proof in the exhibit makes this finding itself.
            findings.append(indeterminate(FIELDS, Reason.PROOF_NOT_SUPPLIED, source.name))
        findings += _time_findings(certificate, source, context.at)
        findings += _host_findings(certificate, source, context)
        findings.append(indeterminate(ONLINE, Reason.NETWORK_REQUIRED, source.name, bearing=Bearing.ADVISORY))
        walks += [_walk(claim, content, finding) for content, finding in pairs]
    return Examination(tuple(findings), tuple(walks), tuple(claims), ("NOT_PROVEN.CERTIFICATE",) if claims else ())


# ── checks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_finding(certificate: Certificate, source: Source) -> Finding:
    claim = certificate.claim
    stated = {
        "digest": claim.files,
        "transaction": claim.tx_id,
        "block height": claim.block_height is not None,
        "certificate number": claim.certificate_no,
        "time": claim.time,
    }
    names = ", ".join(name for name, value in stated.items() if value)
    notes = tuple(
        f"{code}:{_listed(values)}"
        for code, values in (("UNREAD_MEMBERS", certificate.unread), ("FURTHER_RECORDS", certificate.further_records))
        if values
    )
    if not names:
        return indeterminate(READ, Reason.UNSUPPORTED_FORMAT, source.name, notes=notes)
    dialect = certificate.dialect.platform if certificate.dialect else "–"
    return passed(READ, source.name, expected=dialect, actual=names, notes=notes)


def _matches(
    claim: Claim, certificate: Certificate, content: Sequence[Source]
) -> Iterator[tuple[Source | None, Finding]]:
    """Each claimed digest with the file it speaks of: the one of that name, else the one of that digest.

    A digest that fits no file refutes only when it must speak of one: another digest of the same object fits that file, or
    the certificate speaks of one file only and the exhibit has one that nothing else speaks of.
    """
    paired = [_by_name(f, content) or _by_digest(f, content) for f in claim.files]
    for position, found in enumerate(paired):
        if found is None:
            same_object = (
                p for p, o in zip(paired, certificate.objects, strict=True) if o == certificate.objects[position]
            )
            paired[position] = next((p for p in same_object if p is not None), None)
    alone = [s for s in content if s not in paired]
    single = len(alone) == 1 and len(set(certificate.objects)) == 1
    for position, (claimed, found) in enumerate(zip(claim.files, paired, strict=True)):
        source = alone[0] if found is None and single else found
        yield source, _match(claim, claimed, source, certificate.unknown.get(position))
    if not claim.files:
        yield None, indeterminate(MATCH, Reason.NO_DIGEST, claim.source)


def _match(claim: Claim, claimed: ClaimedFile, source: Source | None, unknown: str | None) -> Finding:
    label = f"{claimed.alg or unknown or '–'} {claimed.digest.hex()}"
    if source is None:
        about = claimed.name or "–"
        return indeterminate(MATCH, Reason.SIGNED_DATA_NOT_FOUND, f"{about} · {claim.source}", expected=label)
    subject = f"{source.name} · {claim.source}"
    fitting = _fitting(claimed)
    equal = next((a for a in fitting if source.digest(a) == claimed.digest), None)
    if equal is None:
        if not fitting:
            return indeterminate(MATCH, Reason.DIGEST_ALGORITHM_UNKNOWN, subject, expected=label)
        actual = f"{fitting[0]} {source.digest(fitting[0]).hex()}"
        if unknown:
            # The algorithm that was named is none of ours: nothing was compared.
            return indeterminate(MATCH, Reason.DIGEST_ALGORITHM_UNKNOWN, subject, expected=label)
        return failed(MATCH, Reason.HASH_FAILURE, subject, expected=label, actual=actual)
    actual = f"{equal} {claimed.digest.hex()}"
    if unknown or claimed.alg not in (None, equal):
        return failed(MATCH, Reason.CERT_FIELDS_CONFLICT, subject, expected=label, actual=actual)
    if equal in digests.BROKEN:
        return indeterminate(MATCH, Reason.CRYPTO_CONSTRAINTS_FAILURE, subject, expected=label, actual=actual)
    return passed(MATCH, subject, expected=label, actual=actual)


def _fitting(claimed: ClaimedFile) -> tuple[str, ...]:
    """Algorithms whose digest can be this one: the named one first, then every other of that length."""
    fits = tuple(a for a in (*digests.STRONG, *digests.BROKEN) if digests.LENGTH[a] == len(claimed.digest))
    return tuple(dict.fromkeys((*((claimed.alg,) if claimed.alg else ()), *fits)))


def _by_name(claimed: ClaimedFile, content: Sequence[Source]) -> Source | None:
    same = [s for s in content if claimed.name and _base(s.name) == _base(claimed.name)]
    return same[0] if len(same) == 1 else None


def _by_digest(claimed: ClaimedFile, content: Sequence[Source]) -> Source | None:
    return next((s for s in content for a in _fitting(claimed) if s.digest(a) == claimed.digest), None)


def _base(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1].strip().casefold()


def _conflict(source: Source, name: str, a: str, b: str) -> Finding:
    return failed(FIELDS, Reason.CERT_FIELDS_CONFLICT, source.name, expected=f"{name} {a}", actual=f"{name} {b}")


def _time_findings(certificate: Certificate, source: Source, at: datetime) -> list[Finding]:
    """CERT.TIME: readable without guessing, and in the order capture ≤ recording ≤ issue ≤ now."""
    stated = [
        (label, t)
        for label, t in (
            ("capture", certificate.captured),
            ("recording", certificate.claim.time),
            ("issue", certificate.issued),
        )
        if t is not None
    ]
    if not stated:
        return []
    open_ = next(((label, t) for label, t in stated if t.instant is None), None)
    if open_:
        text = f"{open_[0]} {shown(open_[1].text)}"
        return [indeterminate(TIME, Reason.TIME_ZONE_AMBIGUOUS, source.name, actual=text)]
    line = [*((label, t.instant) for label, t in stated if t.instant is not None), ("verification", at)]
    text = ", ".join(f"{label} {moment.isoformat()}" for label, moment in line[:-1])
    if any(earlier > later for (_, earlier), (_, later) in zip(line, line[1:], strict=False)):
        return [indeterminate(TIME, Reason.TIMESTAMP_ORDER_FAILURE, source.name, actual=text)]
    return [passed(TIME, source.name, actual=text)]


def _host_findings(certificate: Certificate, source: Source, context: Context) -> list[Finding]:
    """CERT.HOST: the hosts of its addresses are in the court's registry, letter by letter. None is ever opened."""
    if not certificate.addresses:
        return []
    registered = {h.lower() for p in context.trust.platforms for h in p.hosts}
    strange = next((a for a in certificate.addresses if host_of(a) not in registered), None)
    if strange is None:
        hosts = ", ".join(certificate.claim.hosts[:SHOWN_MAX])
        return [passed(HOST, source.name, actual=hosts, bearing=Bearing.ADVISORY)]
    reason = Reason.CERT_HOST_MISMATCH if registered else Reason.PLATFORM_NOT_IN_POLICY
    return [indeterminate(HOST, reason, source.name, actual=shown(strange), bearing=Bearing.ADVISORY)]


def _walk(claim: Claim, content: Source | None, finding: Finding) -> Walk:
    file = Node(NodeKind.FILE, content.name if content else "–")
    statement = Node(NodeKind.STATEMENT, claim.certificate_no or claim.tx_id or claim.source)
    return Walk(
        source=claim.source,
        file=content.sha256 if content else "",
        steps=(step(file, statement, finding),),
        grade=Grade.E,
        state=ProofState.ASSERTED,
    )


# ── small things ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _listed(names: Sequence[str]) -> str:
    more = f" +{len(names) - SHOWN_MAX}" if len(names) > SHOWN_MAX else ""
    return ", ".join(shown(n[:40]) for n in names[:SHOWN_MAX]) + more


def _unescaped(name: str) -> str:
    """`\\u4ea4` in a member name, as some writers print Chinese."""
    if "\\" not in name:
        return name
    try:
        return str(strict_json.loads(f'"{name}"'.encode()))
    except (strict_json.JsonError, UnicodeEncodeError):
        return name


def _is_broken(data: bytes) -> bool:
    try:
        strict_json.loads(data)
    except strict_json.JsonError:
        return True
    return False


def _is_json_lines(text: str) -> bool:
    """One object, and behind its end another one."""
    try:
        _, end = JSONDecoder().raw_decode(text)
    except (JSONDecodeError, RecursionError, ValueError):
        return False
    return text[end:].lstrip().startswith("{")
