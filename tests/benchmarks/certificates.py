"""How long do ten thousand certificates take? Read and compared with the files, beside reading the same bytes as JSON.

An exhibit holds fifty files, so that the ten thousand are records of ten replies (百度超级链 lists its records so); and one printed
certificate after another. Not a test.
"""

import hashlib
import json
import time
from datetime import UTC, datetime

from evidence.verification import Exhibit, Source, TrustStore, verify
from evidence.verification.certificates import platform_json, printed
from evidence.verification.codecs import strict_json
from evidence.verification.registry import Context, Format, Role

AT = datetime(2026, 11, 22, tzinfo=UTC)
PAGES = [b"page %d" % n for n in range(20)]
REPLIES, RECORDS = 10, 1000
PRINTED = 1000
CERTIFICATE = Format("platform-certificate", Role.CERTIFICATE, "certificates.platform_json")
CONTENT = Format("unknown", Role.CONTENT, "")


def measure() -> list[str]:
    replies = [reply(n) for n in range(REPLIES)]
    size = sum(map(len, replies))
    begun = time.perf_counter()
    for data in replies:
        json.loads(data)
    peer = time.perf_counter() - begun
    begun = time.perf_counter()
    for data in replies:
        strict_json.loads(data)
    strict = time.perf_counter() - begun

    sources = [Source.from_bytes(f"reply-{n}.json", data) for n, data in enumerate(replies)]
    pages = [Source.from_bytes(f"page-{n}.html", data) for n, data in enumerate(PAGES)]
    exhibit = Exhibit.of([*sources, *pages])
    formats = {s: CERTIFICATE if s in sources else CONTENT for s in exhibit.sources}
    context = Context(exhibit, TrustStore.empty(), AT, formats)
    begun = time.perf_counter()
    found = platform_json.examine(context.of("platform-certificate"), context)
    read = time.perf_counter() - begun
    begun = time.perf_counter()
    verdict = verify(exhibit, TrustStore.empty(), AT)
    whole = time.perf_counter() - begun
    matched = sum(f.check == "DIGEST.MATCH" and f.reason is None for f in found.findings)
    if len(found.claims) < REPLIES * RECORDS or matched != REPLIES * RECORDS:
        raise SystemExit("not every certificate was read and compared")

    text = page_text()
    begun = time.perf_counter()
    for _ in range(PRINTED):
        printed.claims_from_text(text, source=pages[0], context=context)
    on_paper = time.perf_counter() - begun
    exhibit.close()
    return [
        f"{REPLIES * RECORDS} certificates ({size / 1e6:.1f} MB of JSON) read and compared with {len(PAGES)} files: {read:.2f} s "
        f"= {read / (REPLIES * RECORDS) * 1e6:.0f} µs each; json.loads alone {peer:.2f} s, the strict reader {strict:.2f} s",
        f"  the whole verdict with its {len(verdict.findings)} findings: {whole:.2f} s",
        f"{PRINTED} printed certificates: {on_paper:.2f} s = {on_paper / PRINTED * 1000:.2f} ms each",
    ]


def reply(number: int) -> bytes:
    return json.dumps({"code": 0, "data": [record(number * RECORDS + n) for n in range(RECORDS)]}).encode()


def record(number: int) -> dict[str, object]:
    page = PAGES[number % len(PAGES)]
    return {
        "txid": hashlib.sha256(b"tx %d" % number).hexdigest(),
        "file_hash": hashlib.new("sm3", page).hexdigest(),
        "blockid": hashlib.sha256(b"block %d" % number).hexdigest(),
        "create_time": 1772328600000 + number,
        "cross_data": {"bh_txid": f"b{number}"},
    }


def page_text() -> str:
    return (
        f"区块链存证证书\n存证编号：CZ-1\n文件名：page-0.html\n哈希算法：SHA-256\n文件哈希：{hashlib.sha256(PAGES[0]).hexdigest()}\n"
        f"交易哈希：{'ab' * 32}\n区块高度：1204\n上链时间：2026-03-01 09:30:00（北京时间）\n"
    )
