"""Signing a report and keeping it provable: e-seal, clerk, judge (spec signed-report §6 steps 4 and 7, §7).

    seal      the e-seal certifies; whoever of clerk and judge has a key on file signs after it; the last signature is followed
              by the archive time-stamp: PAdES-B-LTA
    upgrade   what was missing when it was sealed (time-stamp, revocation data) is added, with the archive time-stamp
    renew     one more archive time-stamp, over all before it, before the newest grows old

Each takes bytes and gives bytes that begin with them. Keys: `keyring`; time-stamps: `stamping`; anchors: `checking`.

The record is never held up by others. When no time-stamp can be had the report is signed as PAdES-B-B, when only revocation
data is missing as PAdES-B-T; both say why and are upgraded later. When a key is at fault nothing is signed at all.
"""

import asyncio
import io
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import keyring, pyhanko_patches
from .checking import ARCHIVES, BASIC, LONG_TERM, SEAL, STAMPED, context
from .keyring import Hand, SigningError
from .stamping import RevocationDataMissing, TimestampFault, stamper

LEVEL = LONG_TERM
DIGEST = "sha256"


@dataclass(frozen=True, slots=True)
class Signed:
    pdf: bytes
    level: str
    pending: str = ""
    """Why it is not PAdES-B-LTA yet; empty when it is."""


def repack(pdf: bytes) -> bytes:
    """Object streams of at most 100 objects: a signature validator re-reads a stream for every object in it."""
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            deterministic_id=True,
        )
    return out.getvalue()


def seal(pdf: bytes, *, keys: Path, words: tuple[str, ...], fonts: Path, clerk: str | None = None, judge: str | None = None) -> Signed:
    """Certify the report with the court's e-seal, then let the persons sign: signatures, time-stamps, revocation data.

    words          lines of the visible seal (the court's name, and "demonstration" where it is one)
    clerk, judge   user names; who has no key on file does not sign
    """
    return _run(_seal(pdf, keys, words, fonts, clerk, judge))


def upgrade(pdf: bytes, *, keys: Path) -> Signed:
    """Add to a report that was signed without them: revocation data of every signature, then the archive time-stamp.

    SigningError while the authority still does not answer or data is still missing; try again later.
    """
    return _run(_extended(pdf, keys))


def renew(pdf: bytes, *, keys: Path) -> Signed:
    """One more archive time-stamp over everything, with the revocation data of the one before it."""
    return _run(_extended(pdf, keys))


def _run(work: Coroutine[Any, Any, Signed]) -> Signed:
    pyhanko_patches.apply()
    try:
        return asyncio.run(work)
    except SigningError:
        raise
    except (TimestampFault, RevocationDataMissing) as fault:
        raise SigningError(str(fault)) from fault
    except Exception as fault:
        # A token that was pulled out leaves a session that never works again: open all keys anew next time.
        keyring.close()
        raise SigningError(f"{type(fault).__name__}: {fault}") from fault


async def _seal(pdf: bytes, keys: Path, words: tuple[str, ...], fonts: Path, clerk: str | None, judge: str | None) -> Signed:
    hands = keyring.hands(keys, clerk=clerk, judge=judge)
    pending = ""
    for hand in hands:  # before anything is signed
        what = "the e-seal key" if hand.field == SEAL else f"the key of {hand.name}"
        if not await keyring.shown_not_revoked(hand.signer, keys, what):
            pending = f"nothing in crls/ shows that the certificate of {what} is not revoked"
    level = STAMPED if pending else LONG_TERM
    while True:
        try:
            return Signed(await _signatures(pdf, hands, keys, words, fonts, level), level, pending)
        except RevocationDataMissing as fault:
            level, pending = STAMPED, str(fault)
        except TimestampFault as fault:
            level, pending = BASIC, str(fault)


async def _signatures(pdf: bytes, hands: list[Hand], keys: Path, words: tuple[str, ...], fonts: Path, level: str) -> bytes:
    for hand in hands:
        pdf = await _signature(pdf, hand, keys, _picture(hand, words, fonts), level, last=hand is hands[-1])
    return pdf


async def _signature(pdf: bytes, hand: Hand, keys: Path, stamp: Any, level: str, *, last: bool) -> bytes:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
    from pyhanko.sign.signers.pdf_signer import DSSContentSettings

    lasting = level == LONG_TERM
    metadata = PdfSignatureMetadata(
        field_name=hand.field,
        md_algorithm=DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        certify=hand.field == SEAL,  # only the first signature may
        docmdp_permissions=MDPPerm.FILL_FORMS,
        embed_validation_info=lasting,
        # VRI dictionaries are a relic that no validator needs; without them nothing has to be added after the archive
        # time-stamp, and it covers the file to its last byte.
        dss_settings=DSSContentSettings(include_vri=False),
        use_pades_lta=lasting and last,
        timestamp_field_name=ARCHIVES[0] if lasting and last else None,
        validation_context=context(keys) if lasting else None,
    )
    out = io.BytesIO()
    timestamper = None if level == BASIC else stamper(keys, shown_not_revoked=lasting)
    await PdfSigner(metadata, signer=hand.signer, timestamper=timestamper, stamp_style=stamp).async_sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)), existing_fields_only=True, output=out
    )
    return out.getvalue()


async def _extended(pdf: bytes, keys: Path) -> Signed:
    """One revision: what shows every signature and time-stamp good today, then the next archive time-stamp over it."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.fields import enumerate_sig_fields
    from pyhanko.sign.signers import PdfTimeStamper
    from pyhanko.sign.signers.pdf_signer import TimestampDSSContentSettings
    from pyhanko.sign.validation.dss import DocumentSecurityStore, collect_validation_info

    reader = PdfFileReader(io.BytesIO(pdf))
    empty = {name for name, _, _ in enumerate_sig_fields(reader, filled_status=False)}
    field = next((name for name in ARCHIVES if name in empty), None)
    if field is None:
        raise SigningError("every field for an archive time-stamp is used: issue the report anew")
    trusted = context(keys)
    stamps = list(reader.embedded_timestamp_signatures)
    # What is covered by an archive time-stamp has its data in the file already; the newest one has not.
    open_ = stamps[-1:] or list(reader.embedded_regular_signatures)
    paths = [path for one in open_ for path in await collect_validation_info(one, trusted)]
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    DocumentSecurityStore.supply_dss_in_writer(writer, sig_contents=None, paths=paths, validation_context=trusted)
    out = io.BytesIO()
    await PdfTimeStamper(stamper(keys), field_name=field).async_timestamp_pdf(
        writer,
        DIGEST,
        validation_context=trusted,
        output=out,
        dss_settings=TimestampDSSContentSettings(include_vri=False, update_before_ts=True),
    )
    return Signed(out.getvalue(), LONG_TERM)


def _picture(hand: Hand, words: tuple[str, ...], fonts: Path) -> Any:
    from pyhanko.stamp import StaticStampStyle

    from .seal_picture import name_content, seal_content

    content = seal_content(words, fonts=fonts) if hand.field == SEAL else name_content(hand.name, fonts=fonts)
    return StaticStampStyle(background=content, border_width=0, background_opacity=1.0)
