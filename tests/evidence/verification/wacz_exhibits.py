"""WACZ packages for tests: by py-wacz, and member by member so that any part can be wrong."""

import contextlib
import gzip
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wacz.main import main as py_wacz

from .snapshot_exhibits import HTTP, members, record, sha256

ARCHIVE = "archive/data.warc.gz"
CREATED = "2026-11-22T07:35:30Z"
URL = "https://example.com/"


def by_py_wacz(archive: bytes, *options: str, name: str = "data.warc.gz", pages: Sequence[str] = (URL,)) -> bytes:
    """What `wacz create` of Webrecorder writes around an archive."""
    with tempfile.TemporaryDirectory() as folder:
        source, list_, output = (Path(folder) / n for n in (name, "pages.jsonl", "out.wacz"))
        source.write_bytes(archive)
        lines = [{"format": "json-pages-1.0", "id": "pages", "title": "All pages"}]
        lines += [{"id": str(n), "url": u, "ts": "2026-11-22T07:35:24Z", "title": "t"} for n, u in enumerate(pages)]
        list_.write_text("".join(json.dumps(line) + "\n" for line in lines))
        arguments = ["create", "-f", str(source), "-o", str(output), "-p", str(list_), *options]
        with contextlib.redirect_stdout(io.StringIO()):
            if py_wacz(arguments) not in (0, None):
                raise RuntimeError("wacz create failed")
        return output.read_bytes()


def content(archive: bytes | None = None) -> dict[str, bytes]:
    """The members of a small package, without manifest: one archive of two records, index, block index, page list."""
    archive = archive if archive is not None else members(record(), record(HTTP + b"\r\n2", number=2, uri=URL + "2"))
    first = members(record())
    line = {
        "url": URL,
        "offset": 0,
        "length": len(first),
        "recordDigest": sha256(archive[: len(first)]),
        "filename": "data.warc.gz",
    }
    index = gzip.compress(f"com,example)/ 20261122073524 {json.dumps(line)}\n".encode(), mtime=0)
    block = {"offset": 0, "length": len(index), "digest": sha256(index)}
    meta = '!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}\n'
    return {
        ARCHIVE: archive,
        "indexes/index.cdx.gz": index,
        "indexes/index.idx": (meta + f"com,example)/ 20261122073524 {json.dumps(block)}\n").encode(),
        "pages/pages.jsonl": b'{"format": "json-pages-1.0"}\n' + json.dumps({"url": URL, "title": "t"}).encode() + b"\n",
    }


def resources(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"name": p.rpartition("/")[2], "path": p, "hash": sha256(d), "bytes": len(d)} for p, d in files.items()
    ]


def manifest(files: Mapping[str, bytes], **changes: Any) -> bytes:
    document = {
        "profile": "data-package",
        "resources": resources(files),
        "created": CREATED,
        "wacz_version": "1.1.1",
        "software": "tests",
    }
    document.update(changes)
    return json.dumps({k: v for k, v in document.items() if v is not None}).encode()


def package(
    files: Mapping[str, bytes] | None = None, *, about: bytes | None = None, digest: bytes | None = b"", **changes: Any
) -> bytes:
    """A stored zip of `files`, their manifest (`about`, else made with `changes`) and the digest file (b"": unsigned)."""
    files = content() if files is None else files
    about = manifest(files, **changes) if about is None else about
    everything = {**files, "datapackage.json": about}
    if digest is not None:
        unsigned = json.dumps({"path": "datapackage.json", "hash": sha256(about)}).encode()
        everything["datapackage-digest.json"] = digest or unsigned
    return zipped(everything)


def zipped(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 22, 7, 36, 0)), data, method)
    return out.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {n: archive.read(n) for n in archive.namelist()}


def doubled(data: bytes) -> str:
    """What js-wacz records: SHA-256 with every chunk of 64 KiB fed twice."""
    h = hashlib.sha256()
    for at in range(0, len(data), 65_536):
        h.update(data[at : at + 65_536])
        h.update(data[at : at + 65_536])
    return "sha256:" + h.hexdigest()


