"""Certificates as printed text. The pages are made up from the labels that platforms, notaries and courts print."""

import hashlib
import json
import random
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from evidence.verification import Exhibit, Source, TrustStore, catalogue
from evidence.verification.certificates import printed
from evidence.verification.reasons import Reason
from evidence.verification.registry import UNKNOWN, Context, Format, Role
from evidence.verification.verdict import Bearing, Examination, Finding
from tests.evidence.verification.fisco3_exhibits import OTHER, PAGE
from tests.evidence.verification.platform_statements import BLOCK, SHA256, SM3, TX

FAILED, OPEN, PASSED = "FAILED", "INDETERMINATE", "PASSED"
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PDF = Format("pdf-certificate", Role.CERTIFICATE, "")

CHINESE = f"""区块链存证证书
存证编号：CZ-2026-0001
存证主体：张三
文件名：page.html    文件大小：1,234 字节
哈希算法：SHA-256
文件哈希值：{SHA256[:40]}
{SHA256[40:]}
上链时间：2026-03-01 09:30:00（北京时间）
交易哈希：0x{TX}
区块高度：1,204
区块哈希 {BLOCK}
天平链存证编号：TP-77
核验网址：https://check.example.cn/q?id=1
"""
ENGLISH = f"""Certificate of evidence

Certificate No.   ZX-99-1
File name   page.html
Hash value (SM3)   {SM3}
Transaction hash   {TX}
Block height   77
Recorded at   2026-03-01T01:30:00Z
"""
TABLE = f"""存证编号 CZ-2 存证时间 2026-03-01 09:30:00
文件名 page.html 文件大小 17
SHA256 {SHA256}
SM3 {SM3}
"""


def examined(text: str, *, page: bytes = PAGE, **files: bytes) -> Examination:
    certificate = Source.from_bytes("certificate.pdf", b"%PDF-")
    others = [Source.from_bytes(n, d) for n, d in {"page.html": page, **files}.items()]
    exhibit = Exhibit.of([certificate, *others])
    formats = MappingProxyType({s: PDF if s is certificate else UNKNOWN for s in exhibit.sources})
    context = Context(exhibit, TrustStore.empty(), AT, formats)
    found = printed.claims_from_text(text, source=certificate, context=context)
    for finding in found.findings:
        for language in catalogue.LANGUAGES:
            assert catalogue.answer(finding, language)
            assert all(catalogue.note(note, language) for note in finding.notes)
    return found


def of(found: Examination, check: str) -> list[Finding]:
    return [f for f in found.findings if f.check == check]


def answers(found: Examination, check: str) -> list[tuple[str, Reason | None]]:
    return [(f.outcome.value, f.reason) for f in of(found, check)]


def test_a_page_in_chinese() -> None:
    found = examined(CHINESE)
    (claim,) = found.claims
    assert (claim.certificate_no, claim.tx_id, claim.block_height) == ("CZ-2026-0001", TX, 1204)
    assert claim.block_hash == bytes.fromhex(BLOCK)
    assert claim.cross_chain == (("天平链", "TP-77"),)
    assert claim.from_text and claim.platform is None and claim.hosts == ("check.example.cn",)
    (file,) = claim.files
    assert (file.name, file.size, file.alg, file.digest.hex()) == ("page.html", 1234, "SHA-256", SHA256)
    assert claim.time is not None and claim.time.instant == datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    assert answers(found, "CERT.READ") == answers(found, "DIGEST.MATCH") == answers(found, "CERT.TIME") == [(PASSED, None)]
    for check in ("CERT.READ", "DIGEST.MATCH", "CERT.TIME"):
        assert of(found, check)[0].notes[0] == "READ_FROM_TEXT"
    assert [(w.grade.value, w.state.value, w.complete) for w in found.walks] == [("E", "ASSERTED", False)]
    assert found.not_proven == ("NOT_PROVEN.CERTIFICATE",)


def test_a_page_in_english() -> None:
    (claim,) = examined(ENGLISH).claims
    assert (claim.certificate_no, claim.tx_id, claim.block_height) == ("ZX-99-1", TX, 77)
    assert [(f.name, f.alg, f.digest.hex()) for f in claim.files] == [("page.html", "SM3", SM3)]


def test_a_table_without_colons() -> None:
    found = examined(TABLE)
    (claim,) = found.claims
    assert claim.certificate_no == "CZ-2"
    assert [(f.name, f.size, f.alg) for f in claim.files] == [("page.html", 17, "SHA-256"), ("page.html", 17, "SM3")]
    assert answers(found, "DIGEST.MATCH") == [(PASSED, None)] * 2
    assert answers(found, "CERT.TIME") == [(OPEN, Reason.TIME_ZONE_AMBIGUOUS)]


def test_several_files() -> None:
    second = hashlib.sha512(OTHER).hexdigest()
    text = (
        f"保全号：B-1\n文件名：page.html\n哈希值（SHA256）：{SHA256}\n"
        f"文件名：b.html\n哈希值（SHA-512）：{second[:64]}\n{second[64:]}\n"
    )
    found = examined(text, **{"b.html": OTHER})
    assert {(f.name, f.alg) for f in found.claims[0].files} == {("page.html", "SHA-256"), ("b.html", "SHA-512")}
    assert answers(found, "DIGEST.MATCH") == [(PASSED, None)] * 2


@pytest.mark.parametrize("step", [16, 32, 40, 50, 63, 64])
@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA-384", "SHA-512", None])
def test_a_digest_over_several_lines(step: int, algorithm: str | None) -> None:
    name = (algorithm or "SHA-256").replace("-", "").lower()
    value = hashlib.new(name, PAGE).hexdigest()
    lines = "\n".join(value[i : i + step] for i in range(0, len(value), step))
    named = f"哈希算法：{algorithm}\n" if algorithm else ""
    text = f"存证编号：1\n{named}文件哈希：{lines}\n区块高度：1204\n交易哈希：{TX}\n"
    (claim,) = examined(text).claims
    assert [f.digest.hex() for f in claim.files] == [value]
    assert claim.block_height == 1204


def test_another_file() -> None:
    found = examined(CHINESE, page=OTHER)
    assert answers(found, "DIGEST.MATCH") == [(FAILED, Reason.HASH_FAILURE)]


def test_two_values_under_one_label_are_left_open() -> None:
    """On a page nobody says which belongs to which: open, and the exhibit with it, but no contradiction."""
    found = examined(CHINESE + f"交易哈希：{'12' * 32}\n")
    conflict = next(f for f in of(found, "CERT.FIELDS"))
    assert (conflict.outcome.value, conflict.reason, conflict.bearing) == (OPEN, Reason.CERT_FIELDS_CONFLICT, Bearing.DECISIVE)
    assert not of(examined(CHINESE + CHINESE), "CERT.FIELDS")


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("区块高度：约一千", "区块高度"),
        ("区块高度：12.5", "区块高度"),
        ("交易哈希：见附件", "交易哈希"),
        ("区块哈希：abcd", "区块哈希"),
    ],
)
def test_what_cannot_be_read_is_listed_and_refutes_nothing(line: str, label: str) -> None:
    found = examined(f"存证编号：1\n文件哈希：{SHA256}\n{line}\n")
    (read,) = of(found, "CERT.READ")
    assert read.outcome.value == PASSED
    assert f"UNCLEAR_VALUES:{label}" in read.notes


def test_a_digest_too_short_for_its_algorithm() -> None:
    found = examined(f"存证编号：1\n交易哈希：{TX}\nSHA256：{SHA256[:40]}\n")
    (read,) = of(found, "CERT.READ")
    assert (read.outcome.value, read.reason) == (PASSED, None)
    assert any(n.startswith("UNCLEAR_VALUES") for n in read.notes)
    assert all(o != FAILED for o, _ in answers(found, "DIGEST.MATCH"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "合同\n甲方：张三\n乙方：李四\n文件名：合同.docx\n金额：1,000 元\n",
        f"下载页\nfile: a.zip\nsize: 17\nsha256: {SHA256}\n",
        "本页说明哈希值的计算方法，交易哈希是链上交易的编号，存证编号见证书。",
        "x" * 100_000,
        "存证编号：\n" * 50,
    ],
)
def test_what_is_no_certificate(text: str) -> None:
    found = examined(text)
    assert found == Examination()


def test_hidden_characters_change_nothing_and_are_named() -> None:
    turned = CHINESE.replace("CZ-2026", "CZ-\u202e2026").replace("交易", "交\u200b易")
    found = examined(turned)
    assert found.claims[0].certificate_no == "CZ-2026-0001" and found.claims[0].tx_id == TX
    assert any("U+200B, U+202E" in n for n in of(found, "CERT.READ")[0].notes)


def test_full_width_and_spaced_labels() -> None:
    wide = f"存 证 编 号：ＣＺ－１\n交易哈希　０ｘ{TX}\n文件哈希：{SHA256.upper()}\n"
    (claim,) = examined(wide).claims
    assert (claim.certificate_no, claim.tx_id) == ("CZ-1", TX)
    assert claim.files[0].digest.hex() == SHA256


def test_labels_of_other_things_are_not_taken() -> None:
    text = f"存证编号：1\n交易哈希：{TX}\n司法链交易哈希：{'34' * 32}\n父区块哈希：{'56' * 32}\n"
    (claim,) = examined(text).claims
    assert claim.tx_id == TX and claim.block_hash is None
    assert claim.cross_chain == (("司法链", "34" * 32),)


def test_seeded_changes_never_raise() -> None:
    rng = random.Random("printed")
    pieces = [*CHINESE, *ENGLISH, "\x00", "\u202e", "：", "\n", "0x", "存证编号", "哈希值", SHA256, "9" * 50, "(", "（SHA-256）", "\ud7ff"]
    for _ in range(300):
        text = rng.choice((CHINESE, ENGLISH, TABLE))
        for _ in range(rng.randrange(1, 12)):
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(pieces) + text[at + rng.randrange(3) :]
        found = examined(text)
        assert not any(w.complete for w in found.walks)
        for f in found.findings:
            assert all(c.isprintable() for said in (*f.notes, f.actual or "", f.expected or "") for c in said)


@pytest.mark.parametrize(
    "text",
    ["存证编号：1\n" * 20_000, "交易哈希：" + "ab " * 200_000, "文件哈希：" + "a" * 900_000, "(" * 500_000, "存 " * 300_000, "https://" + "a" * 900_000],
)
def test_long_texts_take_a_moment(text: str) -> None:
    import time

    begun = time.process_time()
    examined(text)
    assert time.process_time() - begun < 3


def test_beside_a_certificate_in_json() -> None:
    """Two statements of one record, one of them printed: the printed one does not accuse the file that the other speaks of."""
    value: dict[str, Any] = {"存证编号": "1", "文件哈希": SHA256, "交易哈希": TX}
    from evidence.verification.certificates import statement

    certificate = Source.from_bytes("certificate.pdf", b"%PDF-")
    page = Source.from_bytes("page.html", PAGE)
    exhibit = Exhibit.of([certificate, page])
    claims = statement.read(json.loads(json.dumps(value)), source="c.json").claims
    context = Context(
        exhibit, TrustStore.empty(), AT, MappingProxyType({certificate: PDF, page: UNKNOWN}), claims=claims
    )
    text = CHINESE.replace(SHA256[:40], "12" * 20).replace("page.html", "third.html")
    found = printed.claims_from_text(text, source=certificate, context=context)
    assert answers(found, "DIGEST.MATCH") == [(OPEN, Reason.SIGNED_DATA_NOT_FOUND)]
