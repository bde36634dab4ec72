"""PACK.SIGNATURE (spec public-anchors §10): the court's detached signature over an anchor pack.

The file `manifest.sig` beside `manifest.json` is a C2SP signed note (signed-note v1.0.0, Ed25519, as in the court's ledger) over

    mingjian.anchor-pack/v1
    <SHA-256 of manifest.json, 64 lower-case hexadecimal digits>

so that it fixes every byte of every member. Whose key that must be never stands in the pack: the reader brings the verifying
keys, one `<name>+<key id, 8 hex digits>+<base64 of type byte and key>` to a line. Signatures by other keys are passed over, as
C2SP requires; one by a key of the reader that does not verify is refused.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .anchor_pack import SIGNATURE
from .trust import TrustError

HEADING = "mingjian.anchor-pack/v1"
ED25519 = 0x01
"""Type byte of C2SP signed notes."""
KEY_BYTES, SIGNATURE_BYTES, ID_BYTES = 32, 64, 4
NOTE_BYTES_MAX = 16 << 10
"""A note with a hundred signatures; ours has one or two."""

_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_LINE = re.compile(r"— (\S+) (\S+)")


@dataclass(frozen=True, slots=True)
class PackKey:
    """A verifying key: the signer's name, and 32 bytes of Ed25519 (RFC 8032)."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.key).digest()[:ID_BYTES]

    def line(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_b64(bytes([ED25519]) + self.key)}"


def keys(text: str) -> tuple[PackKey, ...]:
    """The verifying keys of a file, blank lines between them allowed. TrustError for a line that is none, or for no line."""
    found = tuple(_key(line.strip()) for line in text.splitlines() if line.strip())
    if not found:
        raise TrustError("no verifying key of an anchor pack")
    return found


def _key(line: str) -> PackKey:
    parts = line.split("+", 2)  # the base64 at the end may hold more of them
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise TrustError("not the verifying key of a note signer")
    blob = _unb64(parts[2])
    if len(blob) != 1 + KEY_BYTES or blob[0] != ED25519:
        raise TrustError(f"{parts[0]}: not an Ed25519 key")
    made = PackKey(parts[0], blob[1:])
    if parts[1] != made.id.hex():
        raise TrustError(f"{parts[0]}: the key id does not belong to the key")
    return made


def text(digest: str) -> str:
    """What is signed for a pack whose manifest has this SHA-256."""
    return f"{HEADING}\n{digest}\n"


def note(digest: str, *, signatures: Iterable[tuple[PackKey, bytes]]) -> str:
    """The content of `manifest.sig`."""
    lines = (f"— {by.name} {_b64(by.id + signature)}\n" for by, signature in signatures)
    return f"{text(digest)}\n{''.join(lines)}"


def check(signed: str, *, digest: str, by: Iterable[PackKey]) -> PackKey:
    """The key among `by` that signed this pack. TrustError if none did, or if one of them is named and did not."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    body, separator, signatures = signed.rpartition("\n\n")
    body += "\n"
    if not separator or not signatures.endswith("\n") or any(c < " " and c != "\n" for c in signed):
        raise TrustError(f"{SIGNATURE}: not a signed note")
    if body != text(digest):
        raise TrustError(f"{SIGNATURE}: signs another pack")
    known = {(key.name, key.id): key for key in by}
    signer: PackKey | None = None
    for line in signatures[:-1].split("\n"):
        parts = _LINE.fullmatch(line)
        if not parts:
            raise TrustError(f"{SIGNATURE}: a signature line that is none")
        blob = _unb64(parts[2])
        key = known.get((parts[1], blob[:ID_BYTES]))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.key).verify(blob[ID_BYTES:], body.encode())
        except InvalidSignature as fault:
            raise TrustError(f"{SIGNATURE}: the signature of {key.name} does not fit") from fault
        signer = signer or key
    if signer is None:
        raise TrustError(f"{SIGNATURE}: not signed by a key of this court")
    return signer


def check_directory(directory: Path, *, by: Iterable[PackKey]) -> PackKey:
    """`check` for a pack on disk: the note in the directory against the manifest in it."""
    file = directory / SIGNATURE
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > NOTE_BYTES_MAX:
            raise TrustError(f"{SIGNATURE}: the pack in {directory} is not signed")
        signed = file.read_text(encoding="utf-8")
        digest = hashlib.sha256((directory / "manifest.json").read_bytes()).hexdigest()
    except (OSError, UnicodeDecodeError) as fault:
        raise TrustError(f"{SIGNATURE}: cannot be read in {directory}") from fault
    return check(signed, digest=digest, by=by)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(written: str) -> bytes:
    try:
        data = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise TrustError(f"{SIGNATURE}: not base64") from fault
    if _b64(data) != written:
        raise TrustError(f"{SIGNATURE}: base64 written in another way than it must be")
    return data
