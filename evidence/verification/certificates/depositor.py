"""CERT.DEPOSITOR: the signature of whoever deposited, where the platform lets it travel with the request.

至信链 open API: `sign` is SM3withSM2 (GM/T 0003.2, identifier 1234567812345678) over the text publicKey_hash_extendInfo, with
`publicKey` base64 of 04‖X‖Y. How `sign` itself is written (DER or r‖s, base64 or hex) and what stands for an absent extendInfo
is not published: each documented way is tried, and the finding says so. The key comes with the request, so that a signature
that holds says who signed only when the court's register of platforms has that key.

杭州互联网法院: `signedData` covers account, phase and time, not the content, and its key does not travel with it.
"""

from collections.abc import Iterator

from ..codecs.text import CodecError, base64_bytes, hex_bytes
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import Bearing, Finding, failed, indeterminate, passed
from . import netcourt_hz, zxchain
from .shown import shown
from .statement import Certificate

DEPOSITOR = "CERT.DEPOSITOR"
UNCONFIRMED = "ENCODING_UNCONFIRMED"

SIGNED_TEXT_MAX = 8192
"""Characters of one part of the signed text; extendInfo is documented with 1,024."""
_POINT_BYTES = 65

Signature = tuple[int, int] | bytes
"""(r, s), or DER."""


def findings(certificate: Certificate, source: Source, context: Context) -> Iterator[Finding]:
    """None where the platform lets no signature travel; otherwise one."""
    if certificate.form is zxchain.FORM and {"publickey", "sign"} & set(certificate.kept):
        yield _zxchain(certificate, source, context)
    if certificate.form is netcourt_hz.FORM and "signeddata" in certificate.kept:
        reason, notes = Reason.NO_SIGNING_CERTIFICATE_FOUND, ("SIGNATURE_WITHOUT_CONTENT",)
        yield indeterminate(DEPOSITOR, reason, source.name, notes=notes, bearing=Bearing.ADVISORY)


def _zxchain(certificate: Certificate, source: Source, context: Context) -> Finding:
    stated = certificate.kept.get("extendinfo")
    text = {k: m.value for k, m in certificate.kept.items() if isinstance(m.value, str)}
    if not {"publickey", "hash", "sign"} <= set(text) or any(len(v) > SIGNED_TEXT_MAX for v in text.values()):
        missing = Reason.SIGNED_DATA_NOT_FOUND
        return indeterminate(DEPOSITOR, missing, source.name, bearing=Bearing.ADVISORY)
    key, signatures = _key(text["publickey"]), list(_signatures(text["sign"]))
    if key is None or not signatures or (stated is not None and "extendinfo" not in text):
        # An extendInfo that is no text was written as some text when it was signed: as which one, nobody says.
        what = "publicKey" if key is None else "sign" if not signatures else "extendInfo"
        unknown = Reason.UNSUPPORTED_FORMAT
        return indeterminate(
            DEPOSITOR, unknown, source.name, actual=what, notes=(UNCONFIRMED,), bearing=Bearing.ADVISORY
        )
    label = f"SM2 {shown(key.hex()[:16])}…"
    holding = _holding(key, signatures, list(_messages(text)))
    if holding is None:
        return failed(
            DEPOSITOR, Reason.SIG_CRYPTO_FAILURE, source.name, actual=label, notes=(UNCONFIRMED,)
        )
    notes = (f"{UNCONFIRMED}:{holding}",)
    entry = context.trust.platform(zxchain.FORM.platform)
    if entry is None or key not in entry.depositors:
        untrusted = Reason.ANCHOR_UNTRUSTED
        return indeterminate(DEPOSITOR, untrusted, source.name, actual=label, notes=notes, bearing=Bearing.ADVISORY)
    return passed(DEPOSITOR, source.name, actual=label, notes=notes)


def _messages(text: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """publicKey_hash_extendInfo; of an absent extendInfo some programs write nothing, some not even the line before it."""
    stem = f"{text['publickey']}_{text['hash']}"
    if "extendinfo" in text:
        ways = {"": f"{stem}_{text['extendinfo']}"}
    else:
        ways = {", no extendInfo": f"{stem}_", ", no extendInfo and no line": stem, ", extendInfo null": f"{stem}_null"}
    for way, message in ways.items():
        yield way, message.encode()


def _holding(
    key: bytes, signatures: list[tuple[str, Signature]], messages: list[tuple[str, bytes]]
) -> str | None:
    """How the signature was written, where it holds in one of the ways; None where it holds in none."""
    from ..keys import sm2

    for way, message in messages:
        for label, signature in signatures:
            if sm2.verify(key, signature, message):
                return label + way
    return None


def _key(text: str) -> bytes | None:
    """base64 (documented) or hex of 04‖X‖Y -> X‖Y."""
    for decode in (base64_bytes, _any_hex):
        try:
            data = decode(text.strip())
        except CodecError:
            continue
        if len(data) == _POINT_BYTES and data[0] == 4:
            return data[1:]
    return None


def _signatures(text: str) -> Iterator[tuple[str, Signature]]:
    """The signature in every way in which it can be read."""
    for name, decode in (("base64", base64_bytes), ("hex", _any_hex)):
        try:
            data = decode(text.strip())
        except CodecError:
            continue
        if len(data) == 64:
            yield f"{name}, r‖s", (int.from_bytes(data[:32]), int.from_bytes(data[32:]))
        if 8 <= len(data) <= 72 and data[0] == 0x30:
            yield f"{name}, DER", data


def _any_hex(text: str) -> bytes:
    return hex_bytes(text.removeprefix("0x"), any_case=True)
