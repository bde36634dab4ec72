"""What kind of file is it, by its content: the magic at its start and, where that costs only a few seeks, its structure to
the last byte (spec snapshots §12).

Nothing is inflated, decoded or run here: archives stay closed, and every walk has a bound. What the bytes *mean* is the
verification engine's question, in its jail; intake only wants to say at once "this is not what its name says", "this
is torn", "this needs a password", while the person still has the original at hand.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from evidence.verification.codecs import strict_json

from . import structures
from .structures import HEAD, Flaw, at, directory, ends_as_zip, entries

JSON_MAX = 1 << 20
"""A certificate or proof is kilobytes; larger JSON is named by its first character alone, so that no reader's memory
multiplies it here."""
WARC_GLIMPSE = 64
"""Bytes inflated of a gzip, only to see whether they begin "WARC/"."""


@dataclass(frozen=True, slots=True)
class Recognised:
    media_type: str
    flaws: tuple[Flaw, ...] = ()


OTHER = "application/octet-stream"
PROGRAMS = {
    "application/vnd.microsoft.portable-executable",
    "application/x-elf",
    "application/x-mach-binary",
    "application/x-dex",
    "application/java-vm",
    "application/vnd.android.package-archive",
    "application/java-archive",
    "text/x-shellscript",
}
EXTENSIONS: dict[str, frozenset[str]] = {
    extension: frozenset(types.split())
    for extensions, types in (
        ("pdf", "application/pdf"),
        ("ofd", "application/ofd"),
        ("png", "image/png"),
        ("jpg jpeg", "image/jpeg"),
        ("gif", "image/gif"),
        ("webp", "image/webp"),
        ("heic heif", "image/heic"),
        ("tif tiff", "image/tiff"),
        ("bmp", "image/bmp"),
        ("mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("m4a", "audio/mp4"),
        ("mp3", "audio/mpeg"),
        ("wav", "audio/wav"),
        ("zip", "application/zip"),
        ("wacz", "application/wacz"),
        ("warc", "application/warc"),
        ("gz", "application/gzip application/warc+gzip"),
        ("json har", "application/json"),
        ("xml", "application/xml image/svg+xml"),
        ("svg", "image/svg+xml"),
        ("html htm", "text/html"),
        ("mhtml mht", "multipart/related"),
        ("eml", "message/rfc822 multipart/related"),
        ("txt", "text/plain text/csv"),
        ("csv", "text/csv text/plain"),
        ("doc xls ppt msg", "application/x-ole-storage"),
        (
            "docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document application/x-ole-storage",
        ),
        (
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet application/x-ole-storage",
        ),
        (
            "pptx",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation application/x-ole-storage",
        ),
        ("tsr", "application/timestamp-reply application/pkcs7-mime"),
        ("tsq", "application/timestamp-query"),
        ("p7s p7b p7m", "application/pkcs7-mime application/x-pem-file"),
        ("cer crt", "application/pkix-cert application/x-pem-file"),
        (
            "der",
            "application/pkix-cert application/pkcs7-mime application/timestamp-reply application/timestamp-query",
        ),
        ("pem", "application/x-pem-file"),
        ("ots", "application/vnd.opentimestamps.v1"),
    )
    for extension in extensions.split()
}
"""What a name promises. A name not listed promises nothing."""


def recognise(file: BinaryIO, *, size: int) -> Recognised:
    """The kind of a seekable file of `size` bytes (at least 1) and what its structure shows. Never raises for content."""
    head = at(file, 0, HEAD)
    media_type, walk = _by_magic(head, file, size)
    flaws = list(walk(file, size) if walk else ())
    if walk is not structures.archive and ends_as_zip(file, size):
        flaws.append(Flaw.ALSO_ZIP)
    if media_type != "application/pdf" and b"%PDF-" in head[:1024]:
        flaws.append(Flaw.ALSO_PDF)
    return Recognised(media_type, tuple(dict.fromkeys(flaws)))


Walk = Callable[[BinaryIO, int], "Iterator[Flaw]"]


def _by_magic(head: bytes, file: BinaryIO, size: int) -> tuple[str, Walk | None]:
    for offset, magic, media_type, walk in MAGIC:
        if head.startswith(magic, offset):
            return media_type, walk
    if head.startswith(b"MZ") and b"\0" in head[:64]:  # two letters alone may begin a text
        return "application/vnd.microsoft.portable-executable", None
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return _zip_kind(file, size), structures.archive
    if head.startswith(b"RIFF") and head[8:12] in RIFF_KINDS:
        return RIFF_KINDS[head[8:12]], structures.riff
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide"}:
        return _box_kind(head), structures.boxes
    if head.startswith(b"\x1f\x8b\x08"):
        return _gzip_kind(head), None
    if (kind := _der_kind(head, size)) is not None:
        return kind, None
    return _text_kind(head, file, size) or OTHER, None


def _zip_kind(file: BinaryIO, size: int) -> str:
    found = directory(file, size)
    names = {name for _flags, name in entries(found.block)} if found else set()
    for wanted, media_type in ZIP_KINDS:
        if wanted <= names:
            return media_type
    return "application/zip"


ZIP_KINDS: tuple[tuple[frozenset[bytes], str], ...] = (
    (frozenset({b"datapackage.json"}), "application/wacz"),
    (frozenset({b"OFD.xml"}), "application/ofd"),
    (
        frozenset({b"[Content_Types].xml", b"word/document.xml"}),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        frozenset({b"[Content_Types].xml", b"xl/workbook.xml"}),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    (
        frozenset({b"[Content_Types].xml", b"ppt/presentation.xml"}),
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    (frozenset({b"AndroidManifest.xml"}), "application/vnd.android.package-archive"),
    (frozenset({b"META-INF/MANIFEST.MF"}), "application/java-archive"),
)


# ── kinds told by their start alone ───────────────────────────────────────────────────────────────────────────────────

RIFF_KINDS = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}


def _box_kind(head: bytes) -> str:
    """By the brands of the file type box; a film from before that box existed is QuickTime's."""
    if head[4:8] != b"ftyp":
        return "video/quicktime"
    length = min(int.from_bytes(head[:4], "big"), 1024)
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, length, 4))]
    for wanted, media_type in BRANDS:
        if brands[0] in wanted:
            return media_type
    if any(brand in BRANDS[0][0] for brand in brands):
        return BRANDS[0][1]
    return "video/mp4"


BRANDS: tuple[tuple[frozenset[bytes], str], ...] = (
    (frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")), "image/heic"),
    (frozenset((b"avif", b"avis")), "image/avif"),
    (frozenset((b"qt  ",)), "video/quicktime"),
    (frozenset((b"M4A ", b"M4B ")), "audio/mp4"),
    (frozenset((b"3gp4", b"3gp5", b"3gp6", b"3g2a")), "video/3gpp"),
)


def _gzip_kind(head: bytes) -> str:
    try:
        start = zlib.decompressobj(wbits=31).decompress(head, WARC_GLIMPSE)
    except zlib.error:
        start = b""
    return "application/warc+gzip" if start.startswith(b"WARC/") else "application/gzip"


def _der_kind(head: bytes, size: int) -> str | None:
    """A DER SEQUENCE that ends with the file: time-stamp query or reply, CMS, certificate, or something else in DER."""
    if head[:1] != b"\x30" or len(head) < 2:
        return None
    first = head[1]
    octets = first & 0x7F if first & 0x80 else 0
    if octets > 8 or first == 0x80:
        return None
    length = int.from_bytes(head[2 : 2 + octets], "big") if octets else first
    start = 2 + octets
    if start + length != size:
        return None
    body = head[start : start + 64]
    if body.startswith(bytes.fromhex("06092a864886f70d010702")) or body.startswith(
        bytes.fromhex("060a2a811ccf550601040202")
    ):
        return "application/pkcs7-mime"  # signedData of RFC 5652, and of GM/T 0010
    if body.startswith(b"\x02\x01\x01\x30"):
        return "application/timestamp-query"
    inner = _contents(body)
    if inner.startswith(b"\x02\x01") and inner[2:3] <= b"\x05":
        return "application/timestamp-reply"
    if _contents(body).startswith((b"\xa0\x03\x02\x01", b"\x02")):
        return "application/pkix-cert"
    return "application/x-der"


def _contents(element: bytes) -> bytes:
    """What stands inside a SEQUENCE; b"" when it is none."""
    if element[:1] != b"\x30" or len(element) < 2:
        return b""
    return element[2 + (element[1] & 0x7F if element[1] & 0x80 else 0) :]


def _text_kind(head: bytes, file: BinaryIO, size: int) -> str | None:
    text = _as_text(head, whole=size <= HEAD)
    if text is None:
        return None
    start = text.lstrip("\ufeff \t\r\n")
    lower = start[:2048].lower()
    if start[:1] in {"{", "["} and not head.startswith(b"\xef\xbb\xbf"):
        return "application/json" if size > JSON_MAX or _strict_json(at(file, 0, size)) else "text/plain"
    if start.startswith("WARC/"):
        return "application/warc"
    if start.startswith("-----BEGIN "):
        return "application/x-pem-file"
    if start.startswith("#!"):
        return "text/x-shellscript"
    if lower.startswith(("<!doctype html", "<html")):
        return "text/html"
    if lower.startswith(("<?xml", "<svg", "<!doctype")):
        return "text/html" if "<html" in lower else "image/svg+xml" if "<svg" in lower else "application/xml"
    if lower.startswith(
        ("from:", "mime-version:", "received:", "return-path:", "message-id:", "subject:", "date:")
    ):
        return "multipart/related" if "multipart/related" in lower else "message/rfc822"
    lines = text.splitlines()[:5]
    if len(lines) > 1 and lines[0].count(",") > 0 and len({line.count(",") for line in lines[:-1]}) == 1:
        return "text/csv"
    return "text/plain"


def _as_text(head: bytes, *, whole: bool) -> str | None:
    """Decoded as UTF-8, UTF-16 with its mark, or GB 18030; None when it is no text. A cut last character is forgiven."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        codings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in head:
        return None
    else:
        codings = ("utf-8", "gb18030")
    for coding in codings:
        for cut in (0,) if whole else range(4):
            try:
                text = head[: len(head) - cut].decode(coding)
            except UnicodeDecodeError:
                continue
            if not any(c < " " and c not in "\t\n\r\f\x1b" for c in text):
                return text
    return None


def _strict_json(data: bytes) -> bool:
    try:
        strict_json.loads(data)
    except strict_json.JsonError:
        return False
    return True


MAGIC: tuple[tuple[int, bytes, str, Walk | None], ...] = (
    (0, b"%PDF-", "application/pdf", structures.pdf),
    (0, b"\x89PNG\r\n\x1a\n", "image/png", structures.png),
    (0, b"\xff\xd8\xff", "image/jpeg", structures.jpeg),
    (0, b"GIF87a", "image/gif", None),
    (0, b"GIF89a", "image/gif", None),
    (0, b"II*\0", "image/tiff", None),
    (0, b"MM\0*", "image/tiff", None),
    (0, b"\x00OpenTimestamps\x00\x00Proof\x00", "application/vnd.opentimestamps.v1", None),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage", None),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", None),
    (0, b"Rar!\x1a\x07", "application/vnd.rar", None),
    (257, b"ustar", "application/x-tar", None),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd", None),
    (0, b"ID3", "audio/mpeg", None),
    (0, b"\xff\xfb", "audio/mpeg", None),
    (0, b"\xff\xf1", "audio/aac", None),
    (0, b"#!AMR", "audio/amr", None),
    (0, b"OggS", "audio/ogg", None),
    (0, b"fLaC", "audio/flac", None),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska", None),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3", None),
    (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap", None),
    (0, b"\x0a\x0d\x0d\x0a", "application/x-pcapng", None),
    (0, b"\x7fELF", "application/x-elf", None),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary", None),
    (0, b"\xca\xfe\xba\xbe", "application/java-vm", None),
    (0, b"dex\n", "application/x-dex", None),
)
"""(offset, magic, media type, walk to the end)."""
