"""Time-stamp tokens of authorities: a digest existed at genTime, on the authority's clock (RFC 3161, RFC 5816; GM/T 0033).

Accepted: a TimeStampResp (`.tsr`) or the bare token (ContentInfo, BER), with SHA-2, SHA-3 or SM3 imprints and RSA, ECDSA,
Ed25519 or SM2 signatures. What it does not show: who made the content, or when, other than not later than genTime.

Two doors: `examine` for a token handed in as a file, `verify_token` for a token inside another format.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from .. import digests
from ..codecs import ber, der
from ..codecs.text import CodecError
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..trust import TrustStore
from ..verdict import (
    Bearing,
    Examination,
    Finding,
    Grade,
    Node,
    NodeKind,
    Outcome,
    ProofState,
    ProvenTime,
    Step,
    Walk,
    failed,
    indeterminate,
    instant,
    passed,
    step,
)
from .token import Token, TokenError, parse

FORMAT = "TST.FORMAT"
IMPRINT = "TST.IMPRINT"
SIGNER = "TST.SIGNER"
SIGNATURE = "TST.SIGNATURE"
PURPOSE = "TST.PURPOSE"
CHAIN = "TST.CHAIN"
REVOCATION = "TST.REVOCATION"
TIME = "TST.TIME"

TOKEN_BYTES_MAX = 256 << 10
"""A token with its certificates is under 20 KB."""
HEAD = 1024
"""Bytes looked at for recognition: the content type stands within the first hundred, after a short status text."""
ALGORITHMS_BYTES_MAX = 200
"""One digest algorithm takes about 15 bytes."""
STATUS_BYTES_MAX = 4096
"""A response that carries no token holds a status and a sentence."""
LABEL_DIGITS = 16
LAW = ("CN-R17-4",)
"""The question of law that a time-stamp helps to answer: Online Litigation Rules art. 17(4)."""

_TST_INFO_DER = bytes.fromhex("060b2a864886f70d0109100104")
_SIGNED_DATA_DER = (bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("060a2a811ccf550601040202"))
_GRANTED = (0, 1)
"""PKIStatus granted and grantedWithMods."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The findings of the ladder in its order, and what was read. `token` is None when nothing could be read."""

    findings: tuple[Finding, ...]
    token: Token | None = None
    signer: str | None = None
    """Subject of the signer's certificate."""
    anchor: str | None = None
    """Subject of the pinned root, when the path reached one."""

    @property
    def passed(self) -> bool:
        """Everything but the advisory rung is PASSED."""
        deciding = [f for f in self.findings if f.bearing is not Bearing.ADVISORY]
        return self.token is not None and all(f.outcome is Outcome.PASSED for f in deciding)

    @property
    def time(self) -> ProvenTime | None:
        """The end of the interval that the authority vouches for: genTime ± accuracy (RFC 3161 §2.4.2)."""
        return ProvenTime(self.token.latest, "TSA") if self.token is not None else None

    def steps(self, start: Node) -> tuple[Step, ...]:
        """The walk from what was stamped (`start`) to the anchor; empty when the token could not be read."""
        if self.token is None:
            return ()
        token, found = self.token, {f.check: f for f in self.findings}
        name = self.signer or "–"
        nodes = (
            start,
            Node(NodeKind.DIGEST, f"{token.algorithm or token.algorithm_oid} {_short(token.imprint)}"),
            Node(NodeKind.TOKEN, f"{token.serial:x}"[:40]),
            Node(NodeKind.STATEMENT, instant(token.gen_time)),
            Node(NodeKind.CERTIFICATE, name),
            Node(NodeKind.SIGNATURE, name),
            Node(NodeKind.CERTIFICATE, name),
            Node(NodeKind.ANCHOR, self.anchor or "–"),
        )
        edges = (IMPRINT, FORMAT, TIME, SIGNER, SIGNATURE, PURPOSE, CHAIN)
        return tuple(step(nodes[i], nodes[i + 1], found[check]) for i, check in enumerate(edges))


def sniff(source: Source) -> int:
    head = source.head(HEAD)
    if not head.startswith(b"\x30"):
        return 0
    try:
        if _begins_token(head):
            return 90
    except CodecError:
        return 0
    return 70 if source.size <= STATUS_BYTES_MAX and _is_bare_status(source.head(STATUS_BYTES_MAX)) else 0


def _begins_token(head: bytes) -> bool:
    """Whether a response or token begins here, by its frames; a file that merely holds tokens (an evidence record, a
    signature with a time-stamp in it) is something else."""
    tag, at, _ = ber.header(head, 0)
    tag, inner, length = ber.header(head, at)
    if tag == der.SEQUENCE:  # a response: PKIStatusInfo comes first
        if length is None or ber.header(head, inner)[0] != der.INTEGER or inner + length >= len(head):
            return False
        _, at, _ = ber.header(head, inner + length)
    frame = next((oid for oid in _SIGNED_DATA_DER if head.startswith(oid, at)), None)
    if frame is None:
        return False
    _, signed_data, _ = ber.header(head, at + len(frame))
    _, version, _ = ber.header(head, signed_data)
    tag, number, length = ber.header(head, version)
    if tag != der.INTEGER or length is None:
        return False
    tag, algorithms, length = ber.header(head, number + length)
    if length is None:  # the digest algorithms, of a length not said: the content type stands soon behind them
        return _TST_INFO_DER in head[algorithms : algorithms + ALGORITHMS_BYTES_MAX]
    _, content_type, _ = ber.header(head, algorithms + length)
    return head.startswith(_TST_INFO_DER, content_type)


def _is_bare_status(data: bytes) -> bool:
    """`TimeStampResp { PKIStatusInfo { status INTEGER 0..5, text and failure bits OPTIONAL } }` without a token."""
    try:
        info = der.whole(der.whole(data, der.SEQUENCE), der.SEQUENCE)
        status, offset = der.element(info, der.INTEGER)
        for optional in (der.SEQUENCE, der.BIT_STRING):
            if info[offset : offset + 1] == bytes([optional]):
                _, offset = der.element(info, optional, offset=offset)
        return len(status) == 1 and status[0] <= 5 and offset == len(info)
    except CodecError:
        return False


def examine(sources: tuple[Source, ...], context: Context) -> Examination:
    """Each token is paired with the file whose digest it carries; a walk for each."""
    from ..certificates import pem

    supplied = pem.certificates(context.of("x509"))
    findings: list[Finding] = []
    walks: list[Walk] = []
    read = [(source, source.read(TOKEN_BYTES_MAX)) for source in sources]
    carried = stamped(context)
    spoken_of = context.spoken_of | carried
    for source, data in read:
        if data is None:
            actual = f"{source.size} bytes"
            findings.append(
                indeterminate(
                    FORMAT, Reason.RESOURCE_LIMIT, source.name, actual=actual, bearing=Bearing.DECISIVE
                )
            )
            continue
        paired: list[Source | None] = []

        def pair(token: Token, source: Source = source, paired: list[Source | None] = paired) -> Finding:
            file, finding = _pair(token, source, context, spoken_of)
            paired.append(file)
            return finding

        found = verify_imprint(
            data,
            subject=source.name,
            imprint=pair,
            trust=context.trust,
            at=context.at,
            certificates=supplied,
        )
        findings.extend(found.findings)
        if found.token is not None:
            file = paired[0]
            walks.append(
                Walk(
                    source=source.name,
                    file=file.sha256 if file else "",
                    steps=found.steps(Node(NodeKind.FILE, file.name if file else "")),
                    # A root that only the party brings is worth what the certificate's own word is worth.
                    grade=Grade.A if found.anchor is not None else Grade.E,
                    state=ProofState.PROVEN,
                    time=found.time,
                )
            )
    return Examination(
        findings=tuple(findings),
        walks=tuple(walks),
        spoken_of=carried,
        not_proven=("NOT_PROVEN.AUTHOR", "NOT_PROVEN.MAKING_TIME"),
    )


def verify_token(
    data: bytes,
    *,
    message: bytes,
    subject: str,
    trust: TrustStore,
    at: datetime,
    certificates: Sequence[bytes] = (),
) -> Verification:
    """A token (or response) over `message`, found inside another format under the name `subject`.

    `certificates`: DER, supplied beside the token; data that may complete the path, never trust. Never raises for bad input.
    """

    def compare(token: Token) -> Finding:
        if token.algorithm is None:
            return _unknown_algorithm(token, subject)
        actual = digests.digest(token.algorithm, message)
        return _compared(token, subject, actual)

    return verify_imprint(data, subject=subject, imprint=compare, trust=trust, at=at, certificates=certificates)


def verify_imprint(
    data: bytes,
    *,
    subject: str,
    imprint: Callable[[Token], Finding],
    trust: TrustStore,
    at: datetime,
    certificates: Sequence[bytes],
) -> Verification:
    """The same where the caller compares: `imprint` is asked once, when the token has been read, and answers TST.IMPRINT."""
    from ..keys import cms, x509

    try:
        token = parse(data)
    except TokenError as fault:
        return Verification((failed(FORMAT, Reason.FORMAT_FAILURE, subject, actual=str(fault)),))
    if token is None:
        none = "no token in the response"
        open_ = indeterminate(FORMAT, Reason.NO_POE, subject, actual=none, bearing=Bearing.DECISIVE)
        return Verification((open_,))
    findings = [_format(token, subject), imprint(token)]

    # Certificates that travel with the token or beside it are candidates and intermediates, never roots.
    supplied = (*token.signed.certificates, *certificates)
    signer = cms.signing_certificate(token.signed, supplied)
    anchor: str | None = None
    if signer is None:
        missing = Reason.NO_SIGNING_CERTIFICATE_FOUND
        findings += [indeterminate(check, missing, subject) for check in (SIGNER, SIGNATURE, PURPOSE, CHAIN)]
    else:
        outcome, reason, label = cms.check_signature(token.signed, signer)
        path = x509.validate(
            signer.der,
            intermediates=supplied,
            roots=trust.tsa_roots,
            at=token.gen_time,
            purpose=x509.Purpose.TIME_STAMPING,
        )
        if path.anchor is not None:
            anchor = x509.Certificate(path.anchor).name
        findings += [
            passed(SIGNER, subject, actual=signer.name),
            Finding(SIGNATURE, outcome, reason, subject, actual=label),
            _purpose(token, signer, trust, subject),
            Finding(CHAIN, path.outcome, path.reason, subject, actual=path.problem or anchor),
        ]
    findings += [
        # The trust store holds no revocation data for authorities: said, never guessed, and no obstacle to the rest.
        indeterminate(REVOCATION, Reason.TRY_LATER, subject, bearing=Bearing.ADVISORY),
        _time(token, subject, at),
    ]
    findings = [replace(f, law=LAW) for f in findings]
    return Verification(tuple(findings), token, signer.name if signer else None, anchor)


def _format(token: Token, subject: str) -> Finding:
    if token.status not in _GRANTED:
        return indeterminate(FORMAT, Reason.NO_POE, subject, actual=f"status {token.status}")
    return passed(FORMAT, subject)


def stamped(context: Context) -> frozenset[Source]:
    """The content files whose digest a token of the exhibit carries."""
    found: list[Source | None] = []
    for source in context.of("rfc3161"):
        data = source.read(TOKEN_BYTES_MAX)
        try:
            token = parse(data) if data is not None else None
        except TokenError:
            continue
        found.append(_carried(token, source, context) if token is not None else None)
    return frozenset(s for s in found if s is not None and s in context.content)


def _carried(token: Token, source: Source, context: Context) -> Source | None:
    """The file whose digest the token carries: content first, then the other files of the exhibit."""
    if token.algorithm is None:
        return None
    content = context.content
    others = tuple(s for s in context.exhibit.sources if s not in content and s is not source)
    return next((s for s in (*content, *others) if s.digest(token.algorithm) == token.imprint), None)


def _pair(
    token: Token, source: Source, context: Context, spoken_of: frozenset[Source]
) -> tuple[Source | None, Finding]:
    """The file that the token speaks of, and the finding. `spoken_of`: files whose digest some proof of the exhibit holds."""
    if token.algorithm is None:
        return None, _unknown_algorithm(token, source.name, Bearing.DECISIVE)
    if (found := _carried(token, source, context)) is not None:
        return found, _compared(token, f"{source.name} · {found.name}", token.imprint)
    if len(context.content) == 1 and (only := context.content[0]) not in spoken_of:
        return only, _compared(token, f"{source.name} · {only.name}", only.digest(token.algorithm))
    # With no file, several, or one that another proof speaks of, nobody says which one was meant: nothing is contradicted,
    # and the exhibit stays open, because a time-stamp of something that is not there is no part of a result.
    expected = f"{token.algorithm} {token.imprint.hex()}"
    missing = Reason.SIGNED_DATA_NOT_FOUND
    return None, indeterminate(IMPRINT, missing, source.name, expected=expected, bearing=Bearing.DECISIVE)


def _compared(token: Token, subject: str, actual: bytes) -> Finding:
    expected, shown = f"{token.algorithm} {token.imprint.hex()}", f"{token.algorithm} {actual.hex()}"
    if actual != token.imprint:
        return failed(IMPRINT, Reason.HASH_FAILURE, subject, expected=expected, actual=shown)
    if token.algorithm in digests.BROKEN:
        weak = Reason.CRYPTO_CONSTRAINTS_FAILURE
        return indeterminate(IMPRINT, weak, subject, expected=expected, actual=shown)
    return passed(IMPRINT, subject, expected=expected, actual=shown)


def _unknown_algorithm(token: Token, subject: str, bearing: Bearing = Bearing.REFUTING) -> Finding:
    unknown = Reason.DIGEST_ALGORITHM_UNKNOWN
    return indeterminate(IMPRINT, unknown, subject, actual=token.algorithm_oid, bearing=bearing)


def _purpose(token: Token, signer: Any, trust: TrustStore, subject: str) -> Finding:
    """The leaf is for time-stamping and nothing else; the policy is one the court accepts, where it names any."""
    from ..keys import x509

    problem = x509.leaf_problem(signer, x509.Purpose.TIME_STAMPING)
    if problem is None and trust.tsa_policies and token.policy not in trust.tsa_policies:
        problem = f"policy {token.policy}"
    if problem is not None:
        return indeterminate(PURPOSE, Reason.CHAIN_CONSTRAINTS_FAILURE, subject, actual=problem)
    return passed(PURPOSE, subject, actual=f"policy {token.policy}")


def _time(token: Token, subject: str, at: datetime) -> Finding:
    shown = instant(token.gen_time)
    if token.accuracy is not None:
        shown += f" ± {_seconds(token.accuracy)} s"
    if token.gen_time > at:
        late = Reason.TIMESTAMP_ORDER_FAILURE
        return indeterminate(TIME, late, subject, expected=f"≤ {instant(at)}", actual=shown)
    return passed(TIME, subject, actual=shown)


def _seconds(span: timedelta) -> str:
    """Whole and fractional seconds without floats or trailing zeros."""
    whole, fraction = divmod(span // timedelta(microseconds=1), 1_000_000)
    return f"{whole}.{fraction:06d}".rstrip("0").rstrip(".")


def _short(value: bytes) -> str:
    text = value.hex()
    return text if len(text) <= LABEL_DIGITS else text[:LABEL_DIGITS] + "…"
