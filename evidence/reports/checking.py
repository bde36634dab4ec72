"""Our own check of a sealed report: the gate before release, and what anybody can run later (spec signed-report §6 step 8).

    python -m evidence.reports.checking --anchors DIR REPORT.pdf

Public anchors, in one directory (`anchors`): roots/*.pem, crls/*.crl, seals/*.pem, people-certs/*.pem; nothing in it is secret and
nothing in the PDF is trusted. A root may stand above many certificates; only the seals and persons named there are the court's.
What was good when a time-stamp was put on it stays good when certificates end (`lasting`). Exit status of the command: 0 nothing wrong,
1 something wrong (each fault on a line), 64 usage.

Of the library that signs, only its reading of objects and its comparison of revisions is used, through the engine's bounds on both:
messages, certificates, lists and time-stamps are judged by the engine's own rooms.
"""

import argparse
import gc
import hashlib
import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import anchors as public
from . import lasting
from .lasting import Bench, Broken, Found, Store

SEAL, SM2_SEAL, CLERK, JUDGE = "CourtSeal", "CourtSealSM2", "Clerk", "Judge"
PERSONS = (CLERK, JUDGE)
SEALS = (SEAL, SM2_SEAL)
SIGNERS = (*SEALS, *PERSONS)
"""In the order of signing."""
ARCHIVES = tuple(f"DocTS{n}" for n in range(1, 11))
"""The fields that a report is rendered with; archive time-stamps are filled in this order, one more at each renewal."""
ARCHIVE = ARCHIVES[0]
BASIC, STAMPED, LONG_TERM = "PAdES-B-B", "PAdES-B-T", "PAdES-B-LTA"
"""Signature alone; with a trusted time-stamp; with all that shows it good, under an archive time-stamp."""
STORE_MAX = 256
"""Certificates, lists and answers each, in the security store of one report; ten renewals bring some dozens."""


@dataclass(frozen=True, slots=True)
class Checked:
    """`faults` is empty when nothing is wrong. The rest is what the file says, worth something only then."""

    faults: tuple[str, ...]
    sealed_by: str = ""
    sealed_at: datetime | None = None
    """By the time-stamp on the seal, not by the signer's own clock."""
    annex_sha256: str = ""
    signed_by: tuple[tuple[str, str], ...] = ()
    """Who else signed: field and subject of the certificate, in order."""
    outlived: tuple[str, ...] = ()
    """Archive time-stamps that prove nothing any more; others stand for them."""
    paths: tuple[tuple[bytes, ...], ...] = ()
    """DER of the certificates of each signature and time-stamp that was believed, leaf first, root last."""


def check(pdf: bytes, *, keys: Path, at: datetime | None = None, level: str = LONG_TERM) -> list[str]:
    """What is wrong with a sealed report; empty when nothing is. `keys` holds the public anchors (module docstring)."""
    return list(examine(pdf, anchors=keys, at=at, level=level).faults)


def examine(pdf: bytes, *, anchors: Path, at: datetime | None = None, level: str = LONG_TERM) -> Checked:
    """Never raises for what a file contains: a file that cannot be read to its end has a fault.

    at      the moment of the check; now when left out
    level   what the report must be; below PAdES-B-LTA only for one whose time-stamp or revocation data is still to come

    1. nothing is filled but the fields of a report, each with what belongs there: the e-seal, its SM2 twin if the court has one,
       clerk and judge if they sign, then the archive time-stamps in their order;
    2. each is intact, covers its revision and leads to the court's roots with revocation data, by the rules of `lasting`;
    3. the seals are seals of the court and the first certifies the document, a person is one of the court's persons and certifies
       nothing, and each has a trusted time: its own time-stamp, or an archive time-stamp over it;
    4. nothing was changed after any of them but that the later ones were added: not what it says of itself (title, author, dates) either,
       which the comparison of revisions leaves to whoever writes;
    5. the last covers the file to its last byte, so that nothing follows.
    """
    # The collector would look at every object of a long report again and again; they all stay until the end anyway.
    sweeping = gc.isenabled()
    gc.disable()
    try:
        return _examine(pdf, public.read(anchors), at or datetime.now(UTC), level, complete=level == LONG_TERM, compared=True)
    except Exception as fault:  # parsers raise what they like on hostile bytes; none of it is a pass
        return Checked((f"cannot be read: {type(fault).__name__}: {fault}"[:300],))
    finally:
        if sweeping:
            gc.enable()


def proofs(pdf: bytes, *, anchors: Path, at: datetime, level: str) -> Checked:
    """Steps 1 to 3, before a report is extended: does all that is in it hold at `at`, with revocation data, and by which paths?

    For bytes of our own that are checked again when they have been extended; raises what the parsers raise.
    """
    return _examine(pdf, public.read(anchors), at, level, complete=True, compared=False)


def _examine(pdf: bytes, anchors: public.Anchors, at: datetime, level: str, *, complete: bool, compared: bool) -> Checked:
    from evidence.verification.signatures import pdf_reader

    reader, strict = pdf_reader.opened(pdf)
    if not strict or reader.xrefs.hybrid_xrefs_present:
        return Checked(("not written as the format of PDF demands",))
    filled = pdf_reader.filled_fields(reader)
    fields = {name: pdf_reader.Field(reader, name, reference) for name, reference in filled}
    faults = list(_field_faults([name for name, _ in filled], pdf_reader.empty_fields(reader), fields, level))
    if faults:
        return Checked(tuple(faults))
    # 1. In the order in which they were made.
    made = sorted(fields.values(), key=lambda f: (f.signed_revision, int(f.byte_range[2]) + int(f.byte_range[3])))
    expected = [name for name in (*SIGNERS, *ARCHIVES) if name in fields]
    if [one.fq_name for one in made] != expected:
        faults.append(f"signed out of order: {', '.join(one.fq_name for one in made)}")
    faults += _end_faults(pdf, made[-1])
    bench = Bench(
        anchors,
        Store(
            tuple(pdf_reader.certificates(reader, limit=STORE_MAX)),
            tuple(pdf_reader.revocation_lists(reader, limit=STORE_MAX)),
            tuple(pdf_reader.ocsp_answers(reader, limit=STORE_MAX)),
        ),
        now=at,
        needs_lists=complete,
    )
    # 2. Archive time-stamps from the outermost to the innermost, then the signatures.
    archived: datetime | None = None
    unbelieved: list[tuple[str, Found]] = []
    paths: list[tuple[bytes, ...]] = []
    for name in reversed([n for n in ARCHIVES if n in fields]):
        stamp = _archive(pdf, fields[name], bench, at=archived or at)
        if stamp.fault:
            unbelieved.append((name, stamp))
        else:
            archived = stamp.latest
            paths.append(stamp.path)
    # One that has merely grown old is passed over where another stands for it; any other fault stays one.
    faults += [f"{name}: {stamp.fault}" for name, stamp in reversed(unbelieved) if not (stamp.outlived and archived)]
    found: dict[str, Found] = {}
    for name in SIGNERS:
        if name in fields:
            found[name], own, wrong = _signature(pdf, fields[name], bench, archived, level)
            faults += wrong
            paths += [one.path for one in (found[name], own) if one is not None and one.path]
    # 3. and 4.
    if compared:
        faults += [fault for name, one in fields.items() for fault in _change_faults(name, one, pdf_reader)]
        faults += _title_faults(reader, fields[SEAL].signed_revision)
    faults += [fault for name, one in fields.items() if name in SIGNERS for fault in _signer_faults(name, one, found[name], anchors)]
    return Checked(
        tuple(faults),
        sealed_by=_subject(found[SEAL]),
        sealed_at=found[SEAL].latest,
        annex_sha256=_annex_digest(pdf),
        signed_by=tuple((name, _subject(found[name])) for name in SIGNERS[1:] if name in found),
        outlived=tuple(f"{name}: {stamp.fault}" for name, stamp in unbelieved if stamp.outlived and archived),
        paths=tuple(paths),
    )


def _field_faults(filled: list[str], empty: list[str], fields: dict[str, Any], level: str) -> Iterable[str]:
    needed = {SEAL, ARCHIVE} if level == LONG_TERM else {SEAL}
    allowed = dict.fromkeys(SIGNERS, "/Sig")
    if level == LONG_TERM:
        allowed |= dict.fromkeys(ARCHIVES, "/DocTimeStamp")
    yield from (f"{name}: not filled" for name in (SEAL, ARCHIVE) if name in needed and name not in filled)
    # Its field is made for a seal that is then set (`keyring.has_sm2_seal`): empty, the seal was cut off.
    yield from (f"{name}: not filled" for name in empty if name == SM2_SEAL)
    yield from (f"{name}: a signature that does not belong to a report" for name in filled if name not in allowed)
    yield from (f"{name}: filled twice" for name in sorted({n for n in filled if filled.count(n) > 1}))
    for name, one in fields.items():
        if name in allowed and (held := str(one.sig_object.get("/Type", "/Sig"))) != allowed[name]:
            yield f"{name}: holds {held}"
    stamps = [name for name in ARCHIVES if name in filled]
    yield from (f"{name}: left out" for name in ARCHIVES[: len(stamps)] if name not in filled)


def _archive(pdf: bytes, field: Any, bench: Bench, *, at: datetime) -> Found:
    value, covered = _cut(pdf, field)
    try:
        return lasting.believed(lasting.stamped(value, covered), bench, at=at)
    except Broken as fault:
        return Found(f"{lasting.BROKEN} ({fault})")


def _signature(pdf: bytes, field: Any, bench: Bench, archived: datetime | None, level: str) -> tuple[Found, Found | None, list[str]]:
    name, (value, covered) = field.fq_name, _cut(pdf, field)
    try:
        found, own = lasting.signed(value, covered, bench, archived=archived)
    except Broken as fault:
        return Found(), None, [f"{name}: {lasting.BROKEN} ({fault})"]
    faults = [f"{name}: {found.fault}"] if found.fault else []
    # Its own time-stamp may have grown old under an archive time-stamp; one by a stranger is a fault in any case.
    if own is None:
        believed = archived is not None or level == BASIC
    else:
        believed = not own.fault or (own.outlived and archived is not None)
    if not believed:
        faults.append(f"{name}: no trusted time-stamp" + (f" ({own.fault})" if own else ""))
    return found, own, faults


def _cut(pdf: bytes, field: Any) -> tuple[bytes, bytes]:
    """(the message in the container, the bytes it is over)."""
    from evidence.verification.signatures import pdf_range

    place = pdf_range.read(field.byte_range, field.pkcs7_content, pdf)
    return pdf_range.value(field.pkcs7_content), place.covered(pdf)


def _signer_faults(name: str, one: Any, found: Found, anchors: public.Anchors) -> Iterable[str]:
    if found.certificate is not None and found.certificate not in (anchors.seals if name in SEALS else anchors.persons):
        yield f"{name}: not a seal of the court" if name in SEALS else f"{name}: not a person of the court"
    if name == SEAL and one.docmdp_level is None:
        yield f"{name}: does not certify the document"
    if name != SEAL and one.docmdp_level is not None:
        yield f"{name}: certifies the document, which only the seal may"


def _end_faults(pdf: bytes, last: Any) -> Iterable[str]:
    """No signature covers what follows the last one, nor its own container: the one must be empty, the other exact."""
    from asn1crypto import parser

    what = "archive time-stamp" if last.fq_name in ARCHIVES else "last signature"
    _, before, after, rest = (int(n) for n in last.byte_range)
    if after + rest != len(pdf):
        yield f"{last.fq_name}: {len(pdf) - after - rest} bytes follow the {what}"
    token = last.pkcs7_content[: parser.peek(last.pkcs7_content)]
    container = pdf[before:after]
    exact = b"<" + token.hex().encode().ljust(len(container) - 2, b"0") + b">"
    if container not in (exact, exact.upper()):
        yield f"{last.fq_name}: its container holds more than the {what}"


def _change_faults(name: str, one: Any, pdf_reader: Any) -> Iterable[str]:
    if not pdf_reader.covers_revision(one):
        yield f"{name}: does not cover its revision"
        return
    _, permitted, docmdp = pdf_reader.changes(one)
    # The later ones fill fields that were there from the start; the certification allows that and nothing else.
    if not permitted:
        yield f"{name}: modified after signing"
    elif not docmdp:
        yield f"{name}: changed beyond what the certification allows"


def _title_faults(reader: Any, since: int) -> Iterable[str]:
    sealed = _of_itself(reader.get_historical_resolver(since))
    if any(_of_itself(reader.get_historical_resolver(n)) != sealed for n in range(since + 1, reader.xrefs.total_revisions)):
        yield "its title or what else it says of itself was changed after it was sealed"


def _of_itself(revision: Any) -> list[bytes]:
    found = []
    for holder, key in ((revision.trailer_view, "/Info"), (revision.root, "/Metadata"), (revision.root, "/MarkInfo")):
        out = io.BytesIO()
        if key in holder:
            said = holder.raw_get(key)
            # Not by key, which in a trailer follows the reference to what stands there now.
            (revision.get_object(said.reference) if hasattr(said, "reference") else said).write_to_stream(out)
        found.append(out.getvalue())
    return found


def _subject(found: Found) -> str:
    from evidence.verification.keys.x509 import Certificate

    return Certificate(found.certificate).name if found.certificate else ""


def _annex_digest(pdf: bytes) -> str:
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as document:
        if "result.json" not in document.attachments:
            return ""
        return hashlib.sha256(document.attachments["result.json"].get_file().read_bytes()).hexdigest()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m evidence.reports.checking", description="Check the seal of a report, offline."
    )
    parser.add_argument("--anchors", type=Path, required=True, help="folder with roots/, crls/, seals/ and people-certs/")
    parser.add_argument("report", type=Path)
    options = parser.parse_args(arguments)
    try:
        pdf = options.report.read_bytes()
    except OSError as fault:
        print(f"{options.report}: {fault}", file=sys.stderr)
        return 64
    found = examine(pdf, anchors=options.anchors)
    print(f"file SHA-256   {hashlib.sha256(pdf).hexdigest()}")
    for label, value in (("sealed by", found.sealed_by), *found.signed_by, ("result.json", found.annex_sha256)):
        if value:
            print(f"{label:<14} {value}")
    if found.sealed_at:
        print(f"sealed at      {found.sealed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    for line in found.outlived:
        print(f"outlived       {line}")
    for line in found.faults:
        print(f"FAULT          {line}")
    if not found.faults:
        print("nothing wrong: unchanged since the court sealed it")
    return 1 if found.faults else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
