"""PDF objects through pyHanko, within bounds: what an examination may cost is counted, not timed, so that it ends at the same
point on every machine.

Imported only when a PDF is there: pyHanko alone takes half a second. Nothing of it that validates is used, only its reading of
objects and revisions and its comparison of revisions (pyhanko.sign.diff_analysis): it asks no clock and opens no connection.
"""

import itertools
import logging
import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.decode_limits import (
    DEFAULT_PURPOSE_LIMITS,
    DecodeLimits,
    DecodePurpose,
    DocumentDecodeBudget,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.misc import PdfDecodeLimitError, PdfError, PdfReadError
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult, ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, extract_contents
from pyhanko.sign.validation.status import SignatureCoverageLevel

from . import pdf_paths, pdf_tokens

# What the library logs about a party's file is no message to the operator.
for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

LOOKUPS_MAX = 250_000
"""Objects looked up for one file, in whatever revision. A report of 57 pages with an archive time-stamp takes 17,000, at 70 µs each; the
library's search for paths to an object is exponential in files that are made for it."""
ENTRIES_MAX = 200_000
"""Objects of the file, and entries of its cross-reference tables, at 13 µs each. A book of 5,000 pages has about 100,000."""
DECODED = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=48 << 20),
    per_purpose={**DEFAULT_PURPOSE_LIMITS, DecodePurpose.XREF_STREAM: StreamDecodeLimits(max_output_size=1 << 20)},
    document_budget=DocumentDecodeBudget(base_allowance=96 << 20, max_ratio=20),
)
"""What inflating may cost here: the library's own limits for files of strangers are four times as wide."""
REVISIONS_MAX = 100
"""Signing adds one to three revisions for each signature."""
END_BYTES = 1 << 18
"""How far from its end the end mark is looked for, since the library goes back byte by byte. A few bytes are usual."""
FIELDS_MAX = 50
"""Filled signature fields; contracts signed page by page by two parties have about forty."""

FAULTS = (
    PdfError,
    SignatureValidationError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What the library raises on bytes that are no sound PDF. `Spent` is not among them."""

LIMITS = (PdfDecodeLimitError, RecursionError)
"""Those of them that mean: too much, not wrong."""

Spent = pdf_paths.Spent
"""A bound was reached; the message names it."""

_LIBRARY: Any = PdfFileReader
_HISTORY: Any = HistoricalResolver
"""The library's own methods, which it leaves without types."""


class Reader(PdfFileReader):
    """`PdfFileReader` that counts what it looks up and reads the index of an object stream once, not once for each object in
    it (the library's own way takes minutes for 57 pages)."""

    def __init__(self, data: bytes, *, strict: bool) -> None:
        self.looked_up = 0
        self.walker = pdf_paths.Walker(self._resolved)
        self._historical: dict[tuple[pdf_paths.Key, Any], Any] = {}
        self._changed: dict[pdf_paths.Key, int | None] = {}
        self._seen: dict[tuple[pdf_paths.Key, int], tuple[Any, Any]] = {}
        self._indexes: dict[int, tuple[bytes, dict[int, tuple[int, int, int]]] | None] = {}
        super().__init__(BytesIO(data), strict=strict, decode_limits=DECODED)
        if self.xrefs.total_revisions > REVISIONS_MAX:
            raise Spent(f"more than {REVISIONS_MAX} revisions")

    def spend(self) -> None:
        self.looked_up += 1
        if self.looked_up > LOOKUPS_MAX:
            raise Spent(f"more than {LOOKUPS_MAX} objects looked up")

    def get_object(self, *arguments: Any, **options: Any) -> Any:
        self.spend()
        return _LIBRARY.get_object(self, *arguments, **options)

    def get_historical_resolver(self, revision: int) -> HistoricalResolver:
        cache = self._historical_resolver_cache
        if revision not in cache:
            cache[revision] = Revision(self, revision)
        return cache[revision]

    def _resolved(self, key: pdf_paths.Key, revision: int) -> tuple[Any, Any]:
        """What `HistoricalResolver.get_object` finds, not copied: the object of that revision, and what tells it from others."""
        known = self._seen.get((key, revision))
        if known is None:
            known = self._seen[key, revision] = self._read(key, revision)
        return known

    def _read(self, key: pdf_paths.Key, revision: int) -> tuple[Any, Any]:
        reference = generic.Reference(*key, self)
        if key not in self._changed:
            try:
                self._changed[key] = self.xrefs.get_last_change(reference)
            except KeyError:
                self._changed[key] = None
        last_change = self._changed[key]
        if last_change is not None and last_change <= revision:
            return self.get_object(reference, transparent_decrypt=False), key
        mark = key, self.xrefs.get_historical_ref(reference, revision)
        if mark not in self._historical:
            self._historical[mark] = self.get_object(reference, revision, transparent_decrypt=False)
        return self._historical[mark], mark

    def _get_object_from_stream(self, idnum: int, stmnum: int, idx: int) -> Any:
        """Same answer as the library's, from a kept index; on anything unusual the library decides."""
        if stmnum not in self._indexes:
            self._indexes[stmnum] = self._index(stmnum)
        index = self._indexes[stmnum]
        place = index[1].get(idnum) if index else None
        if index is None or place is None or place[0] != idx:
            return _LIBRARY._get_object_from_stream(self, idnum, stmnum, idx)
        usual = pdf_tokens.read(index[0], place[1], place[2], idnum, self)
        if usual is not None:
            return usual
        stream = BytesIO(index[0])
        stream.seek(place[1])
        try:
            found = generic.read_object(stream, generic.Reference(idnum, 0, self))
        except FAULTS:  # the library names the fault in its own words
            return _LIBRARY._get_object_from_stream(self, idnum, stmnum, idx)
        if isinstance(found, (generic.StreamObject, generic.IndirectObject)):
            return _LIBRARY._get_object_from_stream(self, idnum, stmnum, idx)
        return found

    def _index(self, stmnum: int) -> tuple[bytes, dict[int, tuple[int, int, int]]] | None:
        stream = generic.Reference(stmnum, 0, self).get_object()
        if not isinstance(stream, generic.StreamObject) or _entry(stream, "/Type") != "/ObjStm":
            return None
        data = stream.read_data(DecodePurpose.OBJECT_STREAM)
        first, count = int(stream["/First"]), int(stream["/N"])
        header = data[: max(0, first)].split()
        # A vertical tab parts words here, and not in PDF (ISO 32000-2 table 1).
        if count > ENTRIES_MAX or len(header) != 2 * count or not all(word.isdigit() for word in header) or b"\x0b" in data[:first]:
            return None
        numbers = [int(word) for word in header]
        starts = [first + offset for offset in numbers[1::2]]
        ends = dict(itertools.pairwise(sorted({*starts, len(data)})))
        places: dict[int, tuple[int, int, int]] = {}
        for position in range(count):
            start = starts[position]
            places.setdefault(numbers[2 * position], (position, start, ends.get(start, len(data))))
        return data, places


class Revision(HistoricalResolver):
    """A revision whose look-ups count like all others."""

    reader: Reader
    _numbers: set[int] | None = None

    def get_object(self, *arguments: Any, **options: Any) -> Any:
        self.reader.spend()
        return super().get_object(*arguments, **options)

    def is_ref_unassignable(self, ref: generic.Reference) -> bool:
        """The library's answer is that the number lies beyond the table. It is taken all the same when the revision refers to it: what is
        put there later is then seen from what was signed, and no addition that nothing leads to."""
        if not super().is_ref_unassignable(ref):
            return False
        if self._numbers is None:
            if self.reader.encrypted:
                _HISTORY._load_reverse_xref_cache(self)
                self._numbers = {known.idnum for known in self._indirect_object_access_cache or ()}
            else:
                self._numbers = self.reader.walker.numbers(self.trailer_view, self.revision)
        return ref.idnum not in self._numbers

    def _load_reverse_xref_cache(self) -> None:
        if self._indirect_object_access_cache is not None:
            return
        if self.reader.encrypted:  # its objects are only decrypted inside their revision
            _HISTORY._load_reverse_xref_cache(self)
        else:
            ways: Any = self.reader.walker.ways(self.trailer_view, self.revision)
            self._indirect_object_access_cache = ways


class Field(EmbeddedPdfSignature):
    """A filled signature field: the library's reading of its range, revision and permissions, without its reading of CMS."""

    def __init__(self, reader: Reader, name: str, reference: Any) -> None:
        self.reader = reader
        self.fq_name = name
        self.sig_field = reference.get_object()
        value = self.sig_field.raw_get("/V")
        self.sig_object = value.get_object()
        if not isinstance(self.sig_object, generic.DictionaryObject):
            raise PdfReadError("the signature is no dictionary")
        self.byte_range = _entry(self.sig_object, "/ByteRange")
        self.pkcs7_content = extract_contents(self.sig_object)
        # A signature inside its field's own object is as old as the field.
        holder = value if isinstance(value, generic.IndirectObject) else reference
        self.signed_revision = reader.xrefs.get_last_change(holder.reference)
        self.coverage: Any = None
        self._docmdp = self._fieldmdp = None
        self._docmdp_queried = self._fieldmdp_queried = False

    @property
    def subfilter(self) -> str:
        return str(_entry(self.sig_object, "/SubFilter") or "")


def opened(data: bytes) -> tuple[Reader, bool]:
    """(reader, whether the file keeps strictly to its format). Raises FAULTS when it cannot be read at all, or Spent."""
    _count(data)
    end = data.rfind(b"%%EOF")
    if end < len(data) - END_BYTES or data.rfind(b"startxref", 0, max(end, 0)) < end - END_BYTES:
        raise PdfReadError("no end mark at the end of the file")
    try:
        return _usable(Reader(data, strict=True)), True
    except FAULTS:
        return _usable(Reader(data, strict=False)), False


_INDEX = re.compile(rb"/Index\s*\[([\d\s]{0,4096})\]")
_SIZE = re.compile(rb"/Size\s+(\d{1,12})(?!\d)")
DICTIONARY_BYTES = 400
"""Bytes around the name of a table's type in which its size is looked for."""


def _count(data: bytes) -> None:
    """Objects and table entries as the bytes declare them: the library would read each before it is asked for any."""
    counts = [data.count(b" obj"), data.count(b" 00000 n"), data.count(b"/XRef") * (ENTRIES_MAX // (4 * REVISIONS_MAX))]
    if max(counts) <= ENTRIES_MAX:
        for found in re.finditer(rb"/XRef", data):
            around = data[max(0, found.start() - DICTIONARY_BYTES) : found.end() + DICTIONARY_BYTES]
            counts += [int(n) for n in _SIZE.findall(around)]
        counts.append(sum(int(n) for pairs in _INDEX.findall(data) for n in pairs.split()[1::2] if len(n) < 13))
    if max(counts) > ENTRIES_MAX:
        raise Spent(f"more than {ENTRIES_MAX} objects")


def _usable(reader: Reader) -> Reader:
    """A file that only restricts what readers may do is opened with the empty password, as every reader does."""
    if reader.encrypted and reader.decrypt("").status is AuthStatus.FAILED:
        raise PdfReadError("the file needs a password")
    if not isinstance(reader.root, generic.DictionaryObject):
        raise PdfReadError("no catalogue")
    return reader


def filled_fields(reader: Reader) -> list[tuple[str, Any]]:
    """(name, reference) of every filled signature field of the last revision, in the order of the form. Raises FAULTS."""
    found: list[tuple[str, Any]] = []
    for name, _, reference in enumerate_sig_fields(reader, filled_status=True):
        if len(found) == FIELDS_MAX:
            raise Spent(f"more than {FIELDS_MAX} signature fields")
        found.append((str(name), reference))
    return found


def empty_fields(reader: Reader) -> list[str]:
    """Names of the signature fields of the last revision that are not filled. Raises FAULTS."""
    return [str(name) for name, _, _ in enumerate_sig_fields(reader, filled_status=False)]


def last_table_end(reader: Reader) -> int:
    """Where the last of the tables of objects ends in the file. Raises FAULTS."""
    count = reader.xrefs.total_revisions
    return max(int(reader.xrefs.get_xref_container_info(n).end_location) for n in range(count))


def covers_revision(field: Field) -> bool:
    """The range reaches to the end of a whole revision (or of the file). Raises FAULTS."""
    coverage = field.evaluate_signature_coverage()
    field.coverage = coverage
    return bool(coverage >= SignatureCoverageLevel.ENTIRE_REVISION)


def changes(field: Field) -> tuple[str, bool, bool]:
    """(kind of the changes after signing, whether they are of a permitted kind, whether the signer's own permissions hold).

    Call after `covers_revision` said yes. Raises FAULTS and Spent.
    """
    found = field.evaluate_modifications(DEFAULT_DIFF_POLICY)
    if not isinstance(found, DiffResult):
        return "OTHER", False, False
    level = found.modification_level
    permitted = level in (ModificationLevel.NONE, ModificationLevel.LTA_UPDATES, ModificationLevel.FORM_FILLING)
    # The library asks of a new field where it stands, not what it does.
    if permitted and not _actions(field, last=True) <= _actions(field, last=False):
        return "OTHER", False, False
    docmdp = field.docmdp_level
    return level.name, permitted, permitted and (docmdp is None or level.value <= docmdp.value)


def redrawn(field: Field) -> bool:
    """Since signing, programs were asked to draw the fields of the form anew from their values: each shows then what it likes. Raises FAULTS."""
    before, after = (bool(_entry(form, "/NeedAppearances")) for form in (_form(field, last=False), _form(field, last=True)))
    return after and not before and any(kind != "/Sig" for _, _, kind in _fields(field, last=True))


def _form(field: Field, *, last: bool) -> Any:
    reader = field.reader
    revision = reader.xrefs.total_revisions - 1 if last else field.signed_revision
    return _entry(reader.get_historical_resolver(revision).root, "/AcroForm")


def _fields(field: Field, *, last: bool) -> Iterator[tuple[int, Any, str]]:
    """(number, dictionary, kind) of each field and widget of the form, in the revision that was signed or in the last one."""
    pending = [(one, "") for one in _entry(_form(field, last=last), "/Fields")]
    seen: set[int] = set()
    while pending:
        reference, kind = pending.pop()
        number = getattr(reference, "idnum", None)
        if number is None or number in seen:
            continue
        seen.add(number)
        found = reference.get_object()
        kind = str(_entry(found, "/FT") or kind)
        yield number, found, kind
        pending += [(one, kind) for one in _entry(found, "/Kids")]


def _actions(field: Field, *, last: bool) -> set[tuple[int, str]]:
    return {(number, key) for number, found, _ in _fields(field, last=last) for key in ("/A", "/AA") if key in found}


def active_content(reader: Reader) -> list[str]:
    """What of the catalogue acts by itself or carries files, by its key. Raises FAULTS."""
    root = reader.root
    found = [key[1:] for key in ("/OpenAction", "/AA") if key in root]
    names, form = _entry(root, "/Names"), _entry(root, "/AcroForm")
    found += [key[1:] for key in ("/JavaScript", "/EmbeddedFiles") if key in names]
    return [*found, "XFA"] if "/XFA" in form else found


def revocation_lists(reader: Reader, *, limit: int) -> list[bytes]:
    """DER of the lists in the document security store (ISO 32000-2 §12.8.4.3); unreadable ones are left out."""
    return _streams(reader, "/CRLs", DecodePurpose.CRL, limit)


def ocsp_answers(reader: Reader, *, limit: int) -> list[bytes]:
    """DER of the OCSP responses in the document security store."""
    return _streams(reader, "/OCSPs", DecodePurpose.OCSP_RESPONSE, limit)


def certificates(reader: Reader, *, limit: int) -> list[bytes]:
    """DER of the certificates in the document security store."""
    return _streams(reader, "/Certs", DecodePurpose.CERTIFICATE, limit)


def _streams(reader: Reader, key: str, purpose: DecodePurpose, limit: int) -> list[bytes]:
    found: list[bytes] = []
    try:
        for reference in list(_entry(_entry(reader.root, "/DSS"), key))[:limit]:
            found.append(bytes(reference.get_object().read_data(purpose)))
    except FAULTS:
        return found
    return found


def _entry(dictionary: Any, key: str) -> Any:
    """The entry itself, wherever it is kept (`get` would give the reference to it); empty when there is none."""
    return dictionary[key] if key in dictionary else {}
