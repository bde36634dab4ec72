"""Signing a report and keeping it provable: e-seal, clerk, judge (spec signed-report §6 steps 4 and 7, §7).

    seal      the e-seal certifies; the court's second e-seal on SM2, then whoever of clerk and judge has a key on file sign after it,
              each with a time-stamp; then one archive time-stamp over all of them and what shows them good: PAdES-B-LTA
    upgrade   what was missing when it was sealed (time-stamp, revocation data) is added, with the archive time-stamp
    renew     one more archive time-stamp, over all before it, before the newest grows old

Each takes bytes and gives bytes that begin with them. Keys: `keyring`; time-stamps: `stamping`; what holds and why: `checking`.
`at` is the moment of the work, now when left out.

The record is never held up by others. When no time-stamp can be had the report is signed as PAdES-B-B, when only revocation
data or the last time-stamp is missing as PAdES-B-T; both say why and are upgraded later. When a key is at fault nothing is signed.
"""

import asyncio
import io
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import anchors, checking, keyring, pyhanko_patches
from .checking import ARCHIVES, BASIC, LONG_TERM, SEAL, SM2_SEAL, STAMPED
from .keyring import Hand, SigningError
from .lasting import NOTHING_SHOWS
from .stamping import RevocationDataMissing, TimestampFault, stamper

LEVEL = LONG_TERM
DIGEST = "sha256"
ALL_USED = "every field for an archive time-stamp is used: issue the report anew"
STAMPING_SECONDS_MAX = 30.0
"""For all time-stamps of one report together; after it, as after a fault, nobody is asked any more."""


@dataclass(frozen=True, slots=True)
class Signed:
    pdf: bytes
    level: str
    pending: str = ""
    """Why it is not PAdES-B-LTA yet; empty when it is."""
    unanswered: bool = False
    """The time-stamping authority is the cause: worth letting it rest before it is asked again."""


def seal(
    pdf: bytes,
    *,
    keys: Path,
    words: tuple[str, ...],
    fonts: Path,
    clerk: str | None = None,
    judge: str | None = None,
    at: datetime | None = None,
    resting: str = "",
) -> Signed:
    """Certify the report with the court's e-seal, then let the persons sign: signatures, time-stamps, revocation data.

    words          lines of the visible seal (the court's name, and "demonstration" where it is one)
    clerk, judge   user names; who has no key on file does not sign
    resting        why the time-stamping authority is not asked this time; empty: it is
    """
    return _run(_seal(pdf, keys, words, fonts, clerk, judge, at or datetime.now(UTC), resting))


def upgrade(pdf: bytes, *, keys: Path, at: datetime | None = None) -> Signed:
    """Add to a report that was signed without them: revocation data of every signature, then the archive time-stamp.

    SigningError while the authority still does not answer or data is still missing; try again later.
    """
    return _run(_extended(pdf, keys, at or datetime.now(UTC), level=BASIC))


def renew(pdf: bytes, *, keys: Path, at: datetime | None = None) -> Signed:
    """One more archive time-stamp over everything, with the revocation data of the one before it.

    SigningError when what is there does not hold any more: an archive time-stamp saves nothing that was lost before it.
    """
    return _run(_extended(pdf, keys, at or datetime.now(UTC), level=LONG_TERM))


def _run(work: Coroutine[Any, Any, Signed]) -> Signed:
    pyhanko_patches.apply()
    try:
        return asyncio.run(work)
    except SigningError:
        raise
    except Exception as fault:
        # A token that was pulled out leaves a session that never works again: open all keys anew next time.
        keyring.close()
        raise SigningError(f"{type(fault).__name__}: {fault}") from fault


async def _seal(
    pdf: bytes, keys: Path, words: tuple[str, ...], fonts: Path, clerk: str | None, judge: str | None, at: datetime, resting: str
) -> Signed:
    hands = keyring.hands(keys, clerk=clerk, judge=judge)
    _must_have_fields(pdf, hands)
    missing = ""
    for hand in hands:  # before anything is signed
        what = {SEAL: "the e-seal key", SM2_SEAL: "the SM2 e-seal key"}.get(hand.field, f"the key of {hand.name}")
        if not keyring.shown_not_revoked(hand.signer, keys, what, at=at):
            missing = f"nothing in crls/ shows that the certificate of {what} is not revoked"
    began, unstamped, unanswered = time.monotonic(), resting, bool(resting)
    authority = None if resting else stamper(keys, shown_not_revoked=False, at=at)
    for hand in hands:
        if authority is not None and time.monotonic() - began > STAMPING_SECONDS_MAX:
            unstamped, authority = f"the time-stamping authority took more than {STAMPING_SECONDS_MAX:.0f} s", None
        try:
            pdf = await _signature(pdf, hand, _picture(hand, words, fonts), authority)
        except TimestampFault as fault:
            unstamped, authority, unanswered = str(fault), None, True
            pdf = await _signature(pdf, hand, _picture(hand, words, fonts), None)
    if unstamped:
        return Signed(pdf, BASIC, unstamped, unanswered)
    if missing:
        return Signed(pdf, STAMPED, missing)
    try:
        return await _extended(pdf, keys, at, level=STAMPED)
    except RevocationDataMissing as fault:
        return Signed(pdf, STAMPED, str(fault))
    except TimestampFault as fault:
        return Signed(pdf, STAMPED, str(fault), unanswered=True)


def _must_have_fields(pdf: bytes, hands: list[Hand]) -> None:
    """Of the render and of the keys, neither may promise a signature that the other does not give."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.fields import enumerate_sig_fields

    empty = {name for name, _, _ in enumerate_sig_fields(PdfFileReader(io.BytesIO(pdf)), filled_status=False)}
    for hand in hands:
        if hand.field not in empty:
            raise SigningError(f"the report was rendered without the field {hand.field}")
    if SM2_SEAL in empty and all(hand.field != SM2_SEAL for hand in hands):
        raise SigningError(f"the report has the field {SM2_SEAL}, but there is no SM2 seal on file")


async def _signature(pdf: bytes, hand: Hand, stamp: Any, authority: Any) -> bytes:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

    metadata = PdfSignatureMetadata(
        field_name=hand.field,
        md_algorithm="sm3" if hand.field == SM2_SEAL else DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        certify=hand.field == SEAL,  # only the first signature may
        docmdp_permissions=MDPPerm.FILL_FORMS,
    )
    out = io.BytesIO()
    await PdfSigner(metadata, signer=hand.signer, timestamper=authority, stamp_style=stamp).async_sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)), existing_fields_only=True, output=out
    )
    return out.getvalue()


async def _extended(pdf: bytes, keys: Path, at: datetime, *, level: str) -> Signed:
    """One revision: what shows every signature and time-stamp good at `at`, then the next archive time-stamp over it.

    level   what it is now
    """
    from asn1crypto import crl, x509
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.fields import enumerate_sig_fields
    from pyhanko.sign.signers import PdfTimeStamper
    from pyhanko.sign.validation.dss import DocumentSecurityStore

    empty = {name for name, _, _ in enumerate_sig_fields(PdfFileReader(io.BytesIO(pdf)), filled_status=False)}
    field = next((name for name in ARCHIVES if name in empty), None)
    if field is None:
        raise SigningError(ALL_USED)
    held = checking.proofs(pdf, anchors=keys, at=at, level=level)
    if held.faults:
        said = "; ".join(held.faults)
        raise (RevocationDataMissing if all(NOTHING_SHOWS in f for f in held.faults) else SigningError)(f"does not hold as it is: {said}")
    # VRI dictionaries are a relic that no validator needs; without them nothing has to be added after the archive time-stamp, and
    # it covers the file to its last byte.
    paths = {certificate for path in held.paths for certificate in path}
    issuers = {x509.Certificate.load(certificate).issuer.dump() for certificate in paths}
    lists = [crl.CertificateList.load(data) for data in anchors.read(keys).lists]
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        sig_contents=None,
        certs=[x509.Certificate.load(certificate) for certificate in sorted(paths)],
        crls=[one for one in lists if one.issuer.dump() in issuers],
    )
    out = io.BytesIO()
    await PdfTimeStamper(stamper(keys, at=at), field_name=field).async_timestamp_pdf(writer, DIGEST, output=out)
    return Signed(out.getvalue(), LONG_TERM)


def _picture(hand: Hand, words: tuple[str, ...], fonts: Path) -> Any:
    from pyhanko.stamp import StaticStampStyle

    from .seal_picture import name_content, seal_content

    content = seal_content(words, fonts=fonts) if hand.field in (SEAL, SM2_SEAL) else name_content(hand.name, fonts=fonts)
    return StaticStampStyle(background=content, border_width=0, background_opacity=1.0)
