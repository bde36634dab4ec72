"""The court's signature over a pack: good, greased with strangers' lines, and every way of not being it.

Notes are written here field by field from C2SP signed-note, with keys of `cryptography`, never with the engine's own writer.
"""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.verification import TrustError, pack_signature
from evidence.verification.anchor_pack import load
from tests.anchor_packs import write_pack

COURT, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
NAME = "court.example/trust"
DIGEST = "ab" * 32


def key_id(key: Ed25519PrivateKey, name: str = NAME) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + key.public_key().public_bytes_raw()).digest()[:4]


def vkey(key: Ed25519PrivateKey, name: str = NAME) -> str:
    blob = base64.b64encode(b"\x01" + key.public_key().public_bytes_raw()).decode()
    return f"{name}+{key_id(key, name).hex()}+{blob}\n"


def line(key: Ed25519PrivateKey, body: str, name: str = NAME, of: bytes | None = None) -> str:
    signed = base64.b64encode((of or key_id(key, name)) + key.sign(body.encode())).decode()
    return f"— {name} {signed}\n"


def body(digest: str = DIGEST) -> str:
    return f"mingjian.anchor-pack/v1\n{digest}\n"


def note(*lines: str, text: str = body()) -> str:
    return text + "\n" + "".join(lines)


def check(signed: str, *keys: str, digest: str = DIGEST) -> str:
    return pack_signature.check(signed, digest=digest, by=pack_signature.keys("".join(keys) or vkey(COURT))).name


def test_a_note_written_by_another_hand_is_read() -> None:
    assert check(note(line(COURT, body()))) == NAME


def test_lines_of_strangers_are_passed_over() -> None:
    """Grease: a witness, a former key, a type not known yet."""
    stranger = "— witness.example AAAAAAAAAAAAAAAAAAAAAAAA\n"
    assert check(note(stranger, line(OTHER, body()), line(COURT, body()), line(OTHER, body(), "other.example"))) == NAME


def test_a_former_key_still_counts_for_its_packs() -> None:
    assert check(note(line(OTHER, body())), vkey(COURT), vkey(OTHER)) == NAME


def test_what_the_portal_writes_is_what_is_read() -> None:
    public = pack_signature.keys(vkey(COURT))[0]
    written = pack_signature.note(DIGEST, signatures=[(public, COURT.sign(body().encode()))])
    assert written == note(line(COURT, body())) and public.line() + "\n" == vkey(COURT)


REFUSED: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "no signature": lambda: note(),
    "by another key": lambda: note(line(OTHER, body())),
    "another key under our id": lambda: note(line(OTHER, body(), of=key_id(COURT))),
    "our name, our id, over another text": lambda: note(line(COURT, body("cd" * 32))),
    "another pack": lambda: note(line(COURT, body("cd" * 32)), text=body("cd" * 32)),
    "another heading": lambda: note(line(COURT, f"x\n{DIGEST}\n"), text=f"x\n{DIGEST}\n"),
    "more text": lambda: note(line(COURT, body() + "x\n"), text=body() + "x\n"),
    "good and bad of one key": lambda: note(line(COURT, body()), line(COURT, body("cd" * 32))),
    "no line break at the end": lambda: note(line(COURT, body()))[:-1],
    "no empty line": lambda: body() + line(COURT, body()),
    "another dash": lambda: note(line(COURT, body()).replace("—", "-")),
    "a blank more": lambda: note(line(COURT, body()).replace("— ", "—  ")),
    "a control character": lambda: note("— x AAAA\x07\n", line(COURT, body())),
    "carriage returns": lambda: note(line(COURT, body())).replace("\n", "\r\n"),
    "base64 of another spelling": lambda: note(line(COURT, body()).rstrip("=\n") + "\n"),
    "digest in capitals": lambda: note(line(COURT, body(DIGEST.upper())), text=body(DIGEST.upper())),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_the_court_s_signature_is_refused(name: str) -> None:
    with pytest.raises(TrustError):
        check(REFUSED[name]())


def test_no_single_bit_of_note_or_key_can_change() -> None:
    good = note(line(COURT, body())).encode()
    for position in range(len(good)):
        for bit in range(8):
            changed = bytearray(good)
            changed[position] ^= 1 << bit
            try:
                text = changed.decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(TrustError):
                check(text)
    key = vkey(COURT).encode()
    for position in range(len(key) - 1):
        for bit in range(8):
            changed = bytearray(key)
            changed[position] ^= 1 << bit
            try:
                text = changed.decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(TrustError):
                pack_signature.check(good.decode(), digest=DIGEST, by=pack_signature.keys(text))


@pytest.mark.parametrize("text", ["", "\n", "x", "a+b+c", vkey(COURT).replace("+", " "), "name+00000000+AAAA", vkey(COURT) + "x\n", "https://x+1+2"])
def test_a_file_that_holds_no_key_is_refused(text: str) -> None:
    with pytest.raises(TrustError):
        pack_signature.keys(text)


# ── on disk ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def signed_pack(directory: Path, key: Ed25519PrivateKey = COURT) -> str:
    write_pack(directory)
    digest = load(directory).digest
    (directory / "manifest.sig").write_text(note(line(key, body(digest)), text=body(digest)), encoding="utf-8")
    return digest


def test_a_signed_folder_is_a_pack_like_any_other(tmp_path: Path) -> None:
    """The signature is no member: with it or without it the store is the same, and no other file gets that leave."""
    digest = signed_pack(tmp_path / "p")
    assert load(tmp_path / "p").digest == digest
    assert pack_signature.check_directory(tmp_path / "p", by=pack_signature.keys(vkey(COURT))).name == NAME
    (tmp_path / "p" / "manifest.sig2").write_text("x")
    with pytest.raises(TrustError, match=r"manifest\.sig2"):
        load(tmp_path / "p")


@pytest.mark.parametrize("how", ["none", "link", "folder", "too long", "not text", "stranger"])
def test_a_folder_without_the_court_s_signature_is_refused(tmp_path: Path, how: str) -> None:
    directory = tmp_path / "p"
    signed_pack(directory, OTHER if how == "stranger" else COURT)
    file = directory / "manifest.sig"
    if how in ("none", "link", "folder"):
        text = file.read_bytes()
        file.unlink()
        if how == "link":
            (tmp_path / "sig").write_bytes(text)
            file.symlink_to(tmp_path / "sig")
        elif how == "folder":
            file.mkdir()
    elif how == "too long":
        file.write_text(file.read_text() + "— x AAAA\n" * 4000)
    elif how == "not text":
        file.write_bytes(b"\xff" + file.read_bytes())
    with pytest.raises(TrustError):
        pack_signature.check_directory(directory, by=pack_signature.keys(vkey(COURT)))
