"""Files of every kind intake knows, built byte by byte or by libraries that intake does not use."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib

from PIL import Image


def png() -> bytes:
    return _image("PNG")


def jpeg(*, exif: bool = False) -> bytes:
    image = Image.effect_noise((64, 64), 80).convert("RGB")
    out = io.BytesIO()
    more = {}
    if exif:
        tags = Image.Exif()
        tags[0x010F] = "Camera"
        more["exif"] = tags
    image.save(out, "JPEG", **more)
    return out.getvalue()


def progressive_jpeg() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((96, 96), 80).save(out, "JPEG", progressive=True)
    return out.getvalue()


def webp() -> bytes:
    return _image("WEBP")


def gif() -> bytes:
    return _image("GIF")


def _image(kind: str) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((32, 32), 60).convert("RGB").save(out, kind)
    return out.getvalue()


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def mp4(brand: bytes = b"isom") -> bytes:
    return (
        box(b"ftyp", brand + b"\0\0\0\1" + brand) + box(b"mdat", b"\x17" * 5000) + box(b"moov", b"\0" * 200)
    )


def heic() -> bytes:
    return box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(b"meta", b"\0" * 64) + box(b"mdat", b"\x33" * 2000)


def pdf(*, trailer: bytes = b"/Size 1 /Root 1 0 R", after: bytes = b"\n") -> bytes:
    body = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    table = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< " + trailer + b" >>\nstartxref\n"
    return body + table + str(len(body)).encode() + b"\n%%EOF" + after


def archive(members: dict[str, bytes], *, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0)), data, zipfile.ZIP_DEFLATED)
        made.comment = comment
    return out.getvalue()


def wacz() -> bytes:
    return archive(
        {"datapackage.json": b"{}", "archive/data.warc.gz": warc_gz(), "pages/pages.jsonl": b"{}\n"}
    )


def encrypted_zip() -> bytes:
    """Bit 0 of the general purpose flags set in local and central header, as a traditional password sets it."""
    data = bytearray(archive({"page.html": b"<html></html>" * 20}))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def warc() -> bytes:
    return b"WARC/1.1\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"


def warc_gz() -> bytes:
    return gzip.compress(warc(), mtime=0)


def wav() -> bytes:
    data = b"\0" * 1000
    chunk = (
        b"fmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
        + b"data"
        + struct.pack("<I", len(data))
        + data
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WAVE" + chunk


def der(tag: int, content: bytes) -> bytes:
    if len(content) < 128:
        return bytes((tag, len(content))) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(content).to_bytes(size, "big") + content


SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
SIGNED_DATA_GM = bytes.fromhex("060a2a811ccf550601040202")


def cms(oid: bytes = SIGNED_DATA) -> bytes:
    return der(0x30, oid + der(0xA0, der(0x30, b"\x02\x01\x01" + b"\0" * 300)))


def timestamp_reply() -> bytes:
    return der(0x30, der(0x30, b"\x02\x01\x00") + cms())


def timestamp_query() -> bytes:
    return der(
        0x30,
        b"\x02\x01\x01"
        + der(0x30, der(0x30, b"\x06\x09`\x86H\x01e\x03\x04\x02\x01\x05\x00") + der(4, b"\1" * 32)),
    )


def certificate() -> bytes:
    return der(
        0x30,
        der(0x30, b"\xa0\x03\x02\x01\x02" + b"\x02\x01\x05" + b"\0" * 200)
        + der(0x30, b"")
        + der(3, b"\0" * 72),
    )


MHTML = b'From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\ttype="text/html"; boundary="x"\r\n\r\n--x--\r\n'

# name -> (bytes, media type, extension it usually has)
KINDS: dict[str, tuple[bytes, str, str]] = {
    "pdf": (pdf(), "application/pdf", "pdf"),
    "png": (png(), "image/png", "png"),
    "jpeg": (jpeg(), "image/jpeg", "jpg"),
    "jpeg progressive": (progressive_jpeg(), "image/jpeg", "jpeg"),
    "gif": (gif(), "image/gif", "gif"),
    "webp": (webp(), "image/webp", "webp"),
    "heic": (heic(), "image/heic", "heic"),
    "mp4": (mp4(), "video/mp4", "mp4"),
    "mov": (mp4(b"qt  "), "video/quicktime", "mov"),
    "m4a": (mp4(b"M4A "), "audio/mp4", "m4a"),
    "wav": (wav(), "audio/wav", "wav"),
    "zip": (archive({"a.txt": b"a"}), "application/zip", "zip"),
    "zip with comment": (archive({"a.txt": b"a"}, comment=b"PK-free comment"), "application/zip", "zip"),
    "wacz": (wacz(), "application/wacz", "wacz"),
    "warc": (warc(), "application/warc", "warc"),
    "warc.gz": (warc_gz(), "application/warc+gzip", "gz"),
    "gz": (gzip.compress(b"something else"), "application/gzip", "gz"),
    "xlsx": (
        archive({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    "docx": (
        archive({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    "ofd": (archive({"OFD.xml": b"<x/>"}), "application/ofd", "ofd"),
    "json": (b'{"a": [1, 2.5, "\xe6\x98\x8e"]}', "application/json", "json"),
    "csv": ("编号,时间,金额\n1,2026-03-01,5\n2,2026-03-02,6\n".encode(), "text/csv", "csv"),
    "csv GB 18030": ("编号,时间\n甲,乙\n丙,丁\n".encode("gb18030"), "text/csv", "csv"),
    "txt": ("网页内容说明".encode(), "text/plain", "txt"),
    "txt UTF-16": ("\ufeff聊天记录导出".encode("utf-16-le"), "text/plain", "txt"),
    "html": (b"\xef\xbb\xbf  <!DOCTYPE html>\n<html><body>x</body></html>", "text/html", "html"),
    "mhtml": (MHTML, "multipart/related", "mhtml"),
    "eml": (b"From: a@example.org\r\nSubject: x\r\n\r\nbody", "message/rfc822", "eml"),
    "xml": (b'<?xml version="1.0"?><record/>', "application/xml", "xml"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", "svg"),
    "tsr": (timestamp_reply(), "application/timestamp-reply", "tsr"),
    "tsq": (timestamp_query(), "application/timestamp-query", "tsq"),
    "p7s": (cms(), "application/pkcs7-mime", "p7s"),
    "p7s SM2": (cms(SIGNED_DATA_GM), "application/pkcs7-mime", "p7s"),
    "cer": (certificate(), "application/pkix-cert", "cer"),
    "pem": (
        b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "application/x-pem-file",
        "pem",
    ),
    "ots": (
        b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01",
        "application/vnd.opentimestamps.v1",
        "ots",
    ),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "application/x-ole-storage", "doc"),
    "protobuf": (b"\n\x05hello\x12\x10" + bytes(range(16)), "application/octet-stream", "bin"),
    "exe": (b"MZ\x90\0" + b"\0" * 100, "application/vnd.microsoft.portable-executable", "exe"),
    "sh": (b"#!/bin/sh\necho\n", "text/x-shellscript", "sh"),
    "apk": (
        archive({"AndroidManifest.xml": b"x", "classes.dex": b"x"}),
        "application/vnd.android.package-archive",
        "apk",
    ),
}

WITH_STRUCTURE = (
    "pdf",
    "png",
    "jpeg",
    "jpeg progressive",
    "webp",
    "wav",
    "heic",
    "mp4",
    "mov",
    "zip",
    "wacz",
)
"""Kinds whose end intake walks to: a cut file shows."""

BOMB = zlib.compress(b"\0" * (1 << 24), 9)
