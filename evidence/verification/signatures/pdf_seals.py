"""All electronic signatures of one PDF, each examined by itself, and what stands beside them (spec signed-report §11).

1. Open strictly, else leniently and say so. 2. List every filled field, whatever its kind. 3. Time-stamps over the file first:
they date the signatures before them. 4. Each signature: range, message, changes since, drawing.
"""

import gc
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..codecs import der
from ..codecs.quotation import quote
from ..codecs.text import CodecError
from ..keys import cms
from ..reasons import Reason
from ..trust import TrustStore
from ..verdict import Bearing, Finding, Outcome, ProvenTime, failed, indeterminate, passed
from . import pdf_range, pdf_signature
from .pdf_signature import (
    BYTERANGE,
    CADES,
    DOCMDP,
    DOCUMENT_TIME_STAMP,
    LONG_TERM,
    MODIFIED,
    PKCS7,
    VISUAL,
    Signature,
    Stamp,
    Supplied,
)
from .pdf_visual import Gallery

STORE_MAX = 200
"""Certificates and revocation lists read from the file's own store."""
NAME_SHOWN = 60

ENUMERATED, TRAILING = "SIG.ENUMERATED", "SIG.TRAILING"
SUBFILTERS = (CADES, PKCS7, DOCUMENT_TIME_STAMP)


@dataclass(frozen=True, slots=True)
class Seals:
    """`readable`: whether the file could be read as a PDF at all. `document`: findings on the file beside its signatures."""

    document: tuple[Finding, ...]
    signatures: tuple[Signature, ...] = ()
    readable: bool = True

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self.document, *(f for s in self.signatures for f in s.findings))

    @property
    def best(self) -> Signature | None:
        """The signature that speaks for the file: one that passed, with the earliest proven time."""
        good = [s for s in self.signatures if s.passed and s.is_seal]
        return min(good, key=lambda s: (s.time is None, s.time and s.time.not_after, s.end), default=None)


def examine(
    data: bytes, *, subject: str, trust: TrustStore, at: datetime, certificates: Sequence[bytes] = ()
) -> Seals:
    """Every signature of the file `data`. `certificates`: DER, supplied beside it. Never raises for what the file holds."""
    from . import pdf_reader

    try:
        return _from_the_bottom(lambda: _examine(data, subject, trust, at, certificates))
    except pdf_reader.Spent as fault:
        return _unread(Reason.RESOURCE_LIMIT, str(fault), subject)
    except pdf_reader.FAULTS as fault:
        limit = isinstance(fault, pdf_reader.LIMITS)
        return _unread(Reason.RESOURCE_LIMIT if limit else Reason.FORMAT_FAILURE, type(fault).__name__, subject)


def _from_the_bottom(work: Callable[[], Seals]) -> Seals:
    """On a stack of its own: a file nested to the limit of recursion ends at the same depth whoever asks."""
    found: list[Seals] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as fault:  # raised again where it is waited for
            faults.append(fault)

    # The collector would look at every object of a long file again and again, for more time than all else takes; what is made
    # here stays until the end anyway.
    sweeping = gc.isenabled()
    gc.disable()
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        if sweeping:
            gc.enable()
    if faults:
        raise faults[0]
    return found[0]


def _unread(reason: Reason, fault: str, subject: str) -> Seals:
    found = indeterminate(ENUMERATED, reason, subject, actual=fault, bearing=Bearing.DECISIVE)
    return Seals((found,), readable=False)


def _examine(
    data: bytes, subject: str, trust: TrustStore, at: datetime, certificates: Sequence[bytes]
) -> Seals:
    from . import pdf_reader

    reader, strict = pdf_reader.opened(data)
    listed = pdf_reader.filled_fields(reader)
    supplied = Supplied(
        (*certificates, *pdf_reader.certificates(reader, limit=STORE_MAX)),
        pdf_reader.revocation_lists(reader, limit=STORE_MAX),
        pdf_reader.ocsp_answers(reader, limit=STORE_MAX),
    )
    work = _Work(data, subject, trust, at, reader, supplied, Gallery(data))
    shown = _told_apart([name for name, _ in listed])
    prepared = [work.prepare(shown, *one) for shown, one in zip(shown, listed, strict=True)]
    stamps = [s for p in prepared if (s := work.stamp(p)) is not None]
    signatures = _accounted([work.signature(p, stamps) for p in prepared])
    behind = _trailing(data, subject, pdf_reader.last_table_end(reader))
    return Seals((_listed(data, subject, strict, signatures, reader), *behind), tuple(signatures))


def _told_apart(names: Sequence[str]) -> list[str]:
    """What the fields are called in findings. No two alike, whatever the file calls them (one name twice, or too long to be shown whole):
    else the answers to one would read as answers to the other."""
    found: list[str] = []
    for name in names:
        shown = quote(name, length=NAME_SHOWN)
        numbered = (f"{shown} [{n}]" for n in range(2, len(names) + 1))
        found.append(next(one for one in (shown, *numbered) if one not in found))
    return found


def _accounted(signatures: Sequence[Signature]) -> list[Signature]:
    """What looks different inside form fields since a signature must be the doing of later seals that pass themselves: a filled
    form or a stranger's stamp is a change that nobody whom the court knows answers for."""
    judged: dict[int, Signature] = {}
    for place in sorted(range(len(signatures)), key=lambda i: -signatures[i].end):
        one = signatures[place]
        seen = one.finding(VISUAL)
        if seen is not None and seen.outcome is Outcome.PASSED and seen.notes:
            later = [s for s in judged.values() if s.is_seal and s.end > one.end]
            if not later or not all(s.passed for s in later):
                open_ = indeterminate(VISUAL, Reason.MODIFIED_AFTER_SIGNING, seen.subject, notes=seen.notes)
                one = replace(one, findings=tuple(open_ if f is seen else f for f in one.findings))
        judged[place] = one
    return [judged[place] for place in range(len(signatures))]


def _listed(
    data: bytes, subject: str, strict: bool, signatures: Sequence[Signature], reader: Any
) -> Finding:
    from . import pdf_reader

    notes = [] if strict else ["LENIENT_READING"]
    if data.count(b"/ByteRange") > len(signatures):
        # A signature taken out of the form by a later update, or bytes that only look like one.
        notes.append(f"SIGNATURE_NOT_LISTED:{data.count(b'/ByteRange') - len(signatures)}")
    try:
        if active := pdf_reader.active_content(reader):
            notes.append(f"ACTIVE_CONTENT:{', '.join(active)}")
    except pdf_reader.FAULTS:
        notes.append("LENIENT_READING")
    shown = ", ".join(s.name for s in signatures[:12]) or None
    kept = tuple(dict.fromkeys(notes))
    if not signatures:
        return indeterminate(ENUMERATED, Reason.NOT_SIGNED, subject, notes=kept)
    return passed(ENUMERATED, subject, actual=shown, notes=kept)


def _is_national_seal(value: bytes) -> bool:
    """SES_Signature of GB/T 38540: SEQUENCE { SEQUENCE { version INTEGER, eseal SEQUENCE, … }, … } where CMS has an identifier first."""
    try:
        inner, _ = der.element(der.element(value, der.SEQUENCE)[0], der.SEQUENCE)
        _, behind = der.element(inner, der.INTEGER)
        der.element(inner, der.SEQUENCE, offset=behind)
    except CodecError:
        return False
    return True


def _trailing(data: bytes, subject: str, start: int) -> list[Finding]:
    count, objects = pdf_range.trailing(data, start)
    if not count:
        return []
    reason, actual = Reason.MODIFIED_AFTER_SIGNING, f"{count} bytes"
    if objects:
        return [failed(TRAILING, reason, subject, actual=actual)]
    return [indeterminate(TRAILING, reason, subject, actual=actual, bearing=Bearing.ADVISORY)]


@dataclass(slots=True)
class _Prepared:
    """A field before its message is looked at. `findings`: what already speaks against it."""

    name: str
    subject: str
    subfilter: str = ""
    field: Any = None
    range: pdf_range.Range | None = None
    value: bytes | None = None
    findings: tuple[Finding, ...] = ()
    archive: tuple[Finding, ...] = ()
    stamp: Stamp | None = None


@dataclass(slots=True)
class _Work:
    data: bytes
    subject: str
    trust: TrustStore
    at: datetime
    reader: Any
    supplied: Supplied
    gallery: Gallery

    def prepare(self, shown: str, name: str, reference: Any) -> _Prepared:
        """The field's dictionary, kind, range and container; each fault is the field's own."""
        from . import pdf_reader

        found = _Prepared(shown, f"{self.subject} · {shown}")
        try:
            found.field = pdf_reader.Field(self.reader, name, reference)
            found.subfilter = found.field.subfilter
            if found.subfilter not in SUBFILTERS:
                actual = quote(found.subfilter[1:], length=NAME_SHOWN) or "–"
                found.findings = (
                    indeterminate(ENUMERATED, Reason.UNSUPPORTED_FORMAT, found.subject, actual=actual),
                )
                return found
            found.value = pdf_range.value(found.field.pkcs7_content)
        except pdf_range.ContainerError as fault:
            found.findings = (failed(ENUMERATED, Reason.FORMAT_FAILURE, found.subject, actual=str(fault)),)
        except pdf_reader.FAULTS as fault:
            actual = type(fault).__name__
            found.findings = (failed(ENUMERATED, Reason.FORMAT_FAILURE, found.subject, actual=actual),)
            return found
        found.findings += self._range(found)
        return found

    def _range(self, p: _Prepared) -> tuple[Finding, ...]:
        from . import pdf_reader

        law = pdf_signature.LAW[BYTERANGE]
        try:
            p.range = pdf_range.read(p.field.byte_range, p.field.pkcs7_content, self.data)
            if pdf_reader.covers_revision(p.field):
                shown = f"0–{p.range.before}, {p.range.after}–{p.range.end} / {len(self.data)}"
                return (passed(BYTERANGE, p.subject, actual=shown, law=law),)
            actual = str(getattr(p.field.coverage, "name", "–"))
        except pdf_range.RangeError as fault:
            actual = str(fault)
        except pdf_reader.FAULTS as fault:
            actual = type(fault).__name__
        return (failed(BYTERANGE, Reason.FORMAT_FAILURE, p.subject, actual=actual, law=law),)

    def stamp(self, p: _Prepared) -> Stamp | None:
        """A time-stamp over the file; its finding is kept for later."""
        if p.subfilter != DOCUMENT_TIME_STAMP or p.range is None or p.value is None:
            return None
        finding, stamp = pdf_signature.document_time_stamp(
            p.value,
            p.range.covered(self.data),
            end=p.range.end,
            subject=p.subject,
            trust=self.trust,
            at=self.at,
            supplied=self.supplied,
        )
        p.archive = (finding,)
        covers = next((f.outcome for f in p.findings if f.check == BYTERANGE), None)
        p.stamp = stamp if covers is Outcome.PASSED else None
        return p.stamp

    def signature(self, p: _Prepared, stamps: Sequence[Stamp]) -> Signature:
        if p.subfilter == DOCUMENT_TIME_STAMP:
            archive = p.archive or (indeterminate(LONG_TERM, Reason.FORMAT_FAILURE, p.subject),)
            stamp = p.stamp
            return Signature(
                p.name,
                (*p.findings, *archive, *self._changes(p)),
                p.range.end if p.range else 0,
                time=ProvenTime(stamp.latest, "TSA") if stamp else None,
                time_anchor=stamp.anchor if stamp else None,
                is_seal=False,
            )
        if p.range is None or p.value is None:
            return Signature(p.name, p.findings)
        try:
            found = pdf_signature.message(
                p.value,
                p.range.covered(self.data),
                name=p.name,
                subject=p.subject,
                subfilter=p.subfilter,
                end=p.range.end,
                stamps=stamps,
                trust=self.trust,
                at=self.at,
                supplied=self.supplied,
            )
        except cms.CmsUnsupported as fault:
            reason = Reason.SIG_CONSTRAINTS_FAILURE
            open_ = indeterminate(pdf_signature.CONSTRAINTS, reason, p.subject, actual=str(fault))
            return Signature(p.name, (*p.findings, open_, *self._changes(p)), p.range.end)
        except cms.CmsError as fault:
            if _is_national_seal(p.value):
                reason = Reason.UNSUPPORTED_FORMAT
                open_ = indeterminate(ENUMERATED, reason, p.subject, actual="GB/T 38540", notes=("SEAL_NOT_READ",))
                return Signature(p.name, (*p.findings, open_, *self._changes(p)), p.range.end)
            broken = failed(ENUMERATED, Reason.FORMAT_FAILURE, p.subject, actual=str(fault))
            return Signature(p.name, (*p.findings, broken), p.range.end)
        return replace(found, findings=(*p.findings, *found.findings, *self._changes(p)))

    def _changes(self, p: _Prepared) -> tuple[Finding, ...]:
        """SIG.MODIFIED, SIG.DOCMDP and SIG.VISUAL; without a range that covers its revision there is nothing to compare."""
        from . import pdf_reader

        covers = next((f.outcome for f in p.findings if f.check == BYTERANGE), None)
        if p.range is None or covers is not Outcome.PASSED:
            return ()
        reason, law = Reason.MODIFIED_AFTER_SIGNING, pdf_signature.LAW[MODIFIED]
        try:
            if self.reader.xrefs.hybrid_xrefs_present:
                raise pdf_reader.Spent("two tables of objects that may differ")
            level, permitted, docmdp = pdf_reader.changes(p.field)
        except pdf_reader.Spent as fault:
            return self._unknown_changes(p, Reason.RESOURCE_LIMIT, str(fault))
        except RecursionError:
            return self._unknown_changes(p, Reason.RESOURCE_LIMIT, "nested too deeply")
        except pdf_reader.FAULTS as fault:
            return self._unknown_changes(p, Reason.FORMAT_FAILURE, type(fault).__name__)
        if permitted:
            modified = passed(MODIFIED, p.subject, actual=level, law=law)
        else:
            modified = failed(MODIFIED, reason, p.subject, actual=level, law=law)
        if docmdp:
            allowed = passed(DOCMDP, p.subject, actual=level)
        else:
            allowed = failed(DOCMDP, reason, p.subject, actual=level)
        return modified, allowed, self._visual(p)

    def _unknown_changes(self, p: _Prepared, reason: Reason, actual: str) -> tuple[Finding, ...]:
        open_ = [indeterminate(check, reason, p.subject, actual=actual) for check in (MODIFIED, DOCMDP)]
        return *open_, self._visual(p)

    def _redrawn(self, p: _Prepared) -> bool:
        from . import pdf_reader

        try:
            return pdf_reader.redrawn(p.field)
        except (pdf_reader.Spent, *pdf_reader.FAULTS):
            return True  # what cannot be read is not known to be drawn alike

    def _visual(self, p: _Prepared) -> Finding:
        end = p.range.end if p.range else 0
        # Bytes behind the end mark are looked at in SIG.TRAILING; without objects among them they draw nothing.
        end = len(self.data) if not self.data[end:].strip(b"\r\n") else end
        found = self.gallery.compare(end)
        if found.outcome is Outcome.PASSED and self._redrawn(p):
            return indeterminate(VISUAL, Reason.MODIFIED_AFTER_SIGNING, p.subject, actual="NeedAppearances")
        pages = ", ".join(map(str, found.pages[:20])) or None
        notes = (f"LATER_STAMP:{', '.join(map(str, found.stamped[:20]))}",) if found.stamped else ()
        return Finding(VISUAL, found.outcome, found.reason, p.subject, actual=pages, notes=notes)
