"""The court's key for anchor packs: Ed25519, in the forms of C2SP signed notes (`evidence.verification.pack_signature`).

`settings.PORTAL_TRUST_KEY_DIR`, mode 0700:

    pack.key     the signing key, 0600, one line `PRIVATE+KEY+<name>+<key id>+<base64>`; made for the first pack
    pack.vkey    the verifying keys, public, one to a line: the present one, and former ones for the packs they signed

Publishing needs both; loading a pack needs `pack.vkey` alone, so that a worker never holds the key.
"""

import base64
import binascii
import os
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from evidence.verification.pack_signature import ED25519, PackKey, keys, note, text
from evidence.verification.trust import TrustError

from .models import Pack


class KeyFault(RuntimeError):
    """The key of packs is missing or cannot be read: nothing is published, and no pack is believed."""


def sign(digest: str) -> str:
    """The note for a pack whose manifest has this SHA-256."""
    key, name = _key()
    public = PackKey(name, key.public_key().public_bytes_raw())
    if public not in verifying():
        raise KeyFault(f"the public half of {_folder() / 'pack.key'} does not stand in pack.vkey")
    return note(digest, signatures=[(public, key.sign(text(digest).encode()))])


def verifying() -> tuple[PackKey, ...]:
    file = _folder() / "pack.vkey"
    try:
        return keys(file.read_text(encoding="utf-8"))
    except FileNotFoundError as fault:
        raise KeyFault(f"{file} is missing: no published pack can be checked") from fault
    except (OSError, UnicodeDecodeError, TrustError) as fault:
        raise KeyFault(f"{file}: {fault}") from fault


def _folder() -> Path:
    return Path(settings.PORTAL_TRUST_KEY_DIR)


def _key() -> tuple[Ed25519PrivateKey, str]:
    file = _folder() / "pack.key"
    try:
        line = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if Pack.objects.exists():
            raise KeyFault(f"packs have been published but their key {file} is missing") from None
        return _make(file)
    except (OSError, UnicodeDecodeError) as fault:
        raise KeyFault(f"{file}: {fault}") from fault
    parts = line.split("+", 4)  # the base64 at the end may hold more of them
    try:
        blob = base64.b64decode(parts[4], validate=True)
    except (IndexError, binascii.Error, ValueError) as fault:
        raise KeyFault(f"{file} is not a note signer's key") from fault
    if parts[:2] != ["PRIVATE", "KEY"] or len(blob) != 33 or blob[0] != ED25519:
        raise KeyFault(f"{file} is not a note signer's Ed25519 key")
    return Ed25519PrivateKey.from_private_bytes(blob[1:]), parts[2]


def _make(file: Path) -> tuple[Ed25519PrivateKey, str]:
    made, name = Ed25519PrivateKey.generate(), f"{urlsplit(settings.PORTAL_PUBLIC_URL).hostname}/trust"
    public = PackKey(name, made.public_key().public_bytes_raw())
    secret = base64.b64encode(bytes([ED25519]) + made.private_bytes_raw()).decode()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(file, f"PRIVATE+KEY+{name}+{public.id.hex()}+{secret}\n", 0o600)
    except FileExistsError:  # another process was first
        return _key()
    except OSError as fault:
        raise KeyFault(f"{file} cannot be made: {fault.strerror}") from fault
    try:
        _write_new(file.with_name("pack.vkey"), public.line() + "\n", 0o644)
    except FileExistsError as fault:
        raise KeyFault(f"{file.with_name('pack.vkey')} names other keys than the one that would be made now") from fault
    return made, name


def _write_new(path: Path, line: str, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with os.fdopen(fd, "w", encoding="ascii") as out:
        out.write(line)
        out.flush()
        os.fsync(fd)
