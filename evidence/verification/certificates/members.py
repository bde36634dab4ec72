"""Single members of a certificate: what a value says under the name that it bears, or which path is not what its name says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .. import digests
from ..codecs.text import CodecError, base64_bytes, decimal, hex_bytes
from . import printed_time, spellings
from .claim import ClaimedTime
from .form import Form
from .shown import TEXT_MAX, shown
from .spellings import Concept

Value = TypeVar("Value")


class CertificateError(ValueError):
    """A member of the certificate is not what its name says; the message names the member by its path."""


@dataclass(frozen=True, slots=True)
class Member:
    """`path` as in `data.files[0].hash`, for people; `key` the name in one spelling."""

    concept: Concept
    path: str
    key: str
    value: Any


@dataclass
class Scope:
    """The members of one object, in the order of the certificate."""

    members: list[Member] = field(default_factory=list)

    def of(self, concept: Concept) -> list[Member]:
        return [m for m in self.members if m.concept is concept]

    def single(
        self,
        concept: Concept,
        reader: Callable[[Member], Value],
        conflicts: list[tuple[str, str, str]],
        *,
        same: Callable[[Value, Value], bool] | None = None,
    ) -> Value | None:
        """The one value of a concept; a second, different one is a conflict of the certificate with itself."""
        values = [reader(member) for member in self.of(concept)]
        for other in values[1:]:
            if not (same or _alike)(values[0], other):
                conflicts.append((concept.value, _printed(values[0]), _printed(other)))
        readable = [v for v in values if not isinstance(v, ClaimedTime) or v.instant is not None]
        return next(iter(readable or values), None)


def _alike(a: object, b: object) -> bool:
    """A certificate may print its time twice, once for people: only two readable instants can disagree."""
    if isinstance(a, ClaimedTime) and isinstance(b, ClaimedTime):
        return None in (a.instant, b.instant) or a.instant == b.instant
    return a == b


def plain(member: Member) -> str:
    value = member.value
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise CertificateError(f"{shown(member.path)} is not a text, or too long")
    return value.strip()


def height(member: Member) -> int:
    value = member.value
    try:
        number = decimal(value.strip()) if isinstance(value, str) else value
    except CodecError as fault:
        raise CertificateError(f"{shown(member.path)}: {fault}") from fault
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 64:
        raise CertificateError(f"{shown(member.path)} is not a block height")
    return number


def size(member: Member) -> int | None:
    """Sizes are for people ("1.2 MB"): read when they are plain numbers, never insisted on."""
    value = member.value
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def time(member: Member, form: Form | None) -> ClaimedTime:
    unit = form.units.get(member.key) if form else None
    return printed_time.read(member.value, unit=unit) or ClaimedTime(shown(str(member.value)), None, None, None)


def algorithm(
    member: Member, scope: Scope, common: Scope, form: Form | None
) -> tuple[str | None, str | None, bool]:
    """(algorithm, the name of one that is none of ours, whether it is only the platform's default)."""
    by_name = spellings.DIGEST_NAMES.get(member.key)
    if by_name:
        return by_name, None, False
    stated = scope.of(Concept.ALGORITHM) or common.of(Concept.ALGORITHM)
    if not stated:
        return (form.default, None, True) if form and form.default else (None, None, False)
    text = str(stated[0].value).strip()
    if form and text in form.algorithms:
        return form.algorithms[text], None, False
    found = digests.canonical_name(text.removeprefix("国密").removesuffix("算法"))
    return (found, None, False) if found and found != "KECCAK-256" else (None, shown(text), False)


def digest(member: Member, name: str | None, implied: bool) -> bytes:
    """Hex in either case, with or without 0x; base64 where hex is impossible. The length is that of `name`, or of a digest."""
    data = _octets(member, is_base64=False)
    due = digests.LENGTH[name] if name and not implied else None
    if due is not None and len(data) != due:
        raise CertificateError(f"{shown(member.path)} has {len(data)} bytes, {name} has {due}")
    return data


def block_hash(member: Member, form: Form | None) -> bytes:
    return _octets(member, is_base64=form is not None and member.key in form.base64)


def _octets(member: Member, *, is_base64: bool) -> bytes:
    """Hex wherever it can be hex. Sixty-four hex digits are base64 too, of 48 bytes: a name documented as base64 is read so
    when that gives a digest's usual 32 bytes."""
    text = plain(member)
    if is_base64 and (data := _base64(text)) is not None and len(data) == 32:
        return data
    try:
        return hex_bytes(text.removeprefix("0x"), any_case=True)
    except CodecError:
        data = _base64(text)
    if data is None:
        raise CertificateError(f"{shown(member.path)} is neither hex nor base64")
    if len(data) not in digests.LENGTH.values():
        raise CertificateError(f"{shown(member.path)} has no digest's length")
    return data


def _base64(text: str) -> bytes | None:
    try:
        return base64_bytes(text)
    except CodecError:
        return None


def _printed(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return shown(value.text if isinstance(value, ClaimedTime) else str(value))
