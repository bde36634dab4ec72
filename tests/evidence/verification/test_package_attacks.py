"""Forensic packages made to be believed: lists beside lists, names that mean other files, workbooks and logs that cost or hide."""

import hashlib  # noqa: I001  (one block of names, not a line each)
import json
import time
import tracemalloc
from collections.abc import Mapping
from datetime import timedelta

import pytest

from evidence.verification import Verdict
from evidence.verification.codecs import inflate, xlsx
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import capture, capture_log, cleanliness, hash_rows, hashlist
from evidence.verification.verdict import Bearing, Outcome, Overall

from .snapshot_exhibits import answer, asked, finding, findings, notes
from .test_forensic_package import CAPTURED, stamped
from .test_hashlist import (
    CHECK_LOG, FAILED, HASH, LIST, OK, OPEN, PASSED, SHOT, certificate, examine, files, operations, package, sha256, sm3,
    with_operations, zipped,
)  # fmt: skip
from .test_zipstrict import Plan, built

MISSING = (FAILED, Reason.RESOURCE_MISSING)
A, B = b"one file", b"another file"


def listed(members: Mapping[str, bytes], *rows: str, name: str = LIST, encoding: str = "utf-8") -> Verdict:
    return examine(zipped({**members, name: "\r\n".join(["文件名\tSHA-256", *rows]).encode(encoding)}))


# ── which files a list means ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["./a.png", ".\\a.png", "a.png", "././a.png"])
def test_names_as_tools_write_them(name: str) -> None:
    assert answer(listed({"a.png": A}, f"{name}\t{sha256(A)}"), "CNP.HASHES") == OK
    assert answer(listed({"a.png": A}, f"{name}\t{sha256(B)}"), "CNP.HASHES") == HASH


def test_names_beside_the_list_in_a_folder() -> None:
    """A folder that was zipped whole: the list names what lies beside it."""
    members = {"取证包/图/a.png": A, "取证包/b.png": B}
    rows = (f"图\\a.png\t{sha256(A)}", f"b.png\t{sha256(B)}")
    verdict = listed(members, *rows, name=f"取证包/{LIST}")
    assert answer(verdict, "CNP.HASHES") == answer(verdict, "CNP.UNLISTED") == OK
    assert answer(listed(members, rows[0], f"b.png\t{sha256(A)}", name=f"取证包/{LIST}"), "CNP.HASHES") == HASH


@pytest.mark.parametrize("path", ["C:\\Users\\x\\取证\\图\\a.png", "/home/x/图/a.png", "D:/图/a.png"])
def test_whole_paths_of_the_machine_that_wrote_the_list(path: str) -> None:
    verdict = listed({"图/a.png": A}, f"{path}\t{sha256(A)}")
    assert answer(verdict, "CNP.HASHES") == answer(verdict, "CNP.UNLISTED") == OK
    assert any(n.startswith("NAMED_BY_PATH:") for n in notes(verdict, "CNP.HASHES"))
    # Of another file with such an end nothing is said but that the listed one is not there.
    assert answer(listed({"图/a.png": B}, f"{path}\t{sha256(A)}"), "CNP.HASHES") == MISSING


@pytest.mark.parametrize(
    "name", ["other/a.png", "../a.png", "..\\..\\a.png", "/x/../a.png", "a.png/", "A.PNG", "a.png ", "/", "C:", "C:\\", "..", ""]
)
def test_names_of_files_that_are_not_in_the_package(name: str) -> None:
    verdict = listed({"a.png": A, "b.png": B}, f"{name}\t{sha256(A)}", f"b.png\t{sha256(B)}")
    if name.strip() in ("", "a.png"):  # a blank around a cell is no part of it
        assert answer(verdict, "CNP.HASHES") == OK
    else:
        assert answer(verdict, "CNP.HASHES") == MISSING


def test_a_whole_path_takes_no_file_that_another_row_names() -> None:
    verdict = listed({"a.png": A}, f"a.png\t{sha256(A)}", f"C:\\lost\\a.png\t{sha256(A)}")
    assert answer(verdict, "CNP.HASHES") == MISSING


def test_a_list_that_names_itself() -> None:
    """`sha256sum * > list` states the digest of the still empty file: no contradiction of the evidence, and said."""
    for own in (sha256(b""), "0" * 64):
        verdict = listed({"a.png": A}, f"a.png\t{sha256(A)}", f"{LIST}\t{own}")
        assert answer(verdict, "CNP.HASHES") == answer(verdict, "CNP.HASH_LIST") == OK
        assert f"LIST_NAMES_ITSELF:{LIST}" in notes(verdict, "CNP.HASH_LIST")


def test_one_file_listed_twice_with_other_digests() -> None:
    for second in (f"a.png\t{sha256(B)}", f"./a.png\t{sha256(B)}", f".\\a.png\t{sha256(B)}"):
        verdict = listed({"a.png": A}, f"a.png\t{sha256(A)}", second)
        assert verdict.overall is Overall.INCONSISTENT, second
        assert answer(verdict, "CNP.HASHES") == HASH


def test_rows_without_a_digest_are_counted_and_their_files_unlisted() -> None:
    verdict = listed({"a.png": A, "b.png": B}, f"a.png\t{sha256(A)}", f"b.png\t{sha256(B)[:-1]}", "合计\t")
    assert "ROWS_UNREAD:1" in notes(verdict, "CNP.HASH_LIST")
    assert answer(verdict, "CNP.UNLISTED") == (OPEN, Reason.UNLISTED_MEMBER)


# ── more than one list ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_list_that_says_otherwise_is_not_passed_over() -> None:
    right, wrong = (f"a.png\t{sha256(x)}\n".encode() for x in (A, B))
    for order in (("a_hash.txt", "b_hash.txt"), ("b_hash.txt", "a_hash.txt")):
        verdict = examine(zipped({"a.png": A, order[0]: right, order[1]: wrong}))
        assert verdict.overall is Overall.INCONSISTENT
        assert answer(verdict, "CNP.HASHES") == HASH
        assert answer(verdict, "CNP.HASH_LIST") == (FAILED, Reason.FORMAT_FAILURE)


def test_a_list_of_each_algorithm_is_one_list() -> None:
    md5 = hashlib.md5(A, usedforsecurity=False).hexdigest()
    members = {"a.png": A, "md5.txt": f"{md5}  a.png\n".encode(), "sha256.txt": f"{sha256(A)}  a.png\n".encode()}
    verdict = examine(zipped(members))
    assert answer(verdict, "CNP.HASHES") == answer(verdict, "CNP.UNLISTED") == OK, "the stronger digest counts"
    assert "LIST_ALSO:sha256.txt" in notes(verdict, "CNP.HASH_LIST")
    assert answer(examine(zipped({**members, "md5.txt": ("0" * 32 + "  a.png\n").encode()})), "CNP.HASHES") == HASH


def test_a_list_of_the_captured_site_is_not_the_package_s() -> None:
    """A saved site may hold a manifest of its own; it says nothing of the package."""
    site = json.dumps({"main.js": sha256(b"js"), "main.css": sha256(b"css"), "x.js": sha256(b"x")}).encode()
    verdict = examine(zipped({"a.png": A, "asset-manifest.json": site, LIST: f"a.png\t{sha256(A)}\n".encode()}))
    assert answer(verdict, "CNP.HASHES") == answer(verdict, "CNP.HASH_LIST") == OK
    assert "LIST_UNREAD:asset-manifest.json" in notes(verdict, "CNP.HASH_LIST")


def test_more_lists_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlist, "CANDIDATES_MAX", 1)
    right = f"a.png\t{sha256(A)}\n".encode()
    found = finding(examine(zipped({"a.png": A, "a_hash.txt": right, "b_hash.txt": right})), "CNP.HASH_LIST")
    assert (found.reason, found.bearing) == (Reason.RESOURCE_LIMIT, Bearing.DECISIVE)


# ── texts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("encoding", "shown"), [("utf-16", "utf-16"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030"), ("utf-8", "utf-8")])
def test_encodings_of_a_list(encoding: str, shown: str) -> None:
    """UTF-16 with its mark is what Excel and Notepad call Unicode text."""
    verdict = listed({"图.png": A}, f"图.png\t{sha256(A)}", encoding=encoding)
    assert answer(verdict, "CNP.HASHES") == OK
    assert f"LIST_ENCODING:{shown}" in notes(verdict, "CNP.HASH_LIST")


@pytest.mark.parametrize("data", [b"\xff\xfea", b"\xfe\xff\xd8\x00", b"\x80\x80", '\ufeff{"a.png": "00"}'.encode("utf-16-le")])
def test_texts_that_cannot_be_read(data: bytes) -> None:
    found = finding(examine(zipped({"a.png": A, LIST: data})), "CNP.HASH_LIST")
    assert (found.outcome, found.reason) == (OPEN, Reason.UNSUPPORTED_FORMAT)


def test_line_ends_of_three_systems_in_one_list() -> None:
    members = {f"{n}.png": b"%d" % n for n in range(4)}
    rows = [f"{n}\t{sha256(d)}" for n, d in members.items()]
    mixed = rows[0] + "\r\n" + rows[1] + "\n" + rows[2] + "\r" + rows[3]
    verdict = examine(zipped({**members, LIST: mixed.encode()}))
    assert "MEMBERS_MATCHED:4" in notes(verdict, "CNP.HASHES")


@pytest.mark.parametrize("odd", ["\u2028", "\x0b", "\x0c", "\x85", "\x1c"])
def test_characters_that_only_some_programs_take_for_a_line_end(odd: str) -> None:
    """A row may not come into being by a character inside a name; nor may the line numbers of a log move."""
    forged = f"文件名\tSHA-256\nnote{odd}a.png\t{sha256(B)}\nb.png\t{sha256(B)}\na.png\t{sha256(A)}\n"
    rows = hash_rows.read(LIST, forged.encode(), inflate.Budget()).rows
    assert [r.name for r in rows if r.name == "a.png"] == ["a.png"]
    assert capture_log.lines_of(f"one{odd}still one\r\ntwo\rthree\n\nfive\n") == [f"one{odd}still one", "two", "three", "", "five"]


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A0", "@SUM(1)", "+1", "-1", "\t=1"])
def test_names_that_a_spreadsheet_would_run_are_text(name: str) -> None:
    data = ",".join(['"' + name.replace('"', '""') + '"', sha256(A)]).encode()
    rows = hash_rows.read("hash.csv", data, inflate.Budget()).rows
    assert [r.name for r in rows] == [name.strip()]


def test_names_with_hidden_characters_are_made_legible() -> None:
    verdict = listed({"a.png": A, "b.png": B}, f"a.png\t{sha256(A)}", f"b\u202egnp.exe\t{sha256(B)}", f"b.png\t{sha256(B)}")
    assert "MISSING:b\\u202egnp.exe" in notes(verdict, "CNP.HASHES")
    bidi = built(Plan("b\u202egnp.exe".encode(), B, flags=0x800), Plan(LIST.encode(), b"x", flags=0x800))
    assert answer(examine(bidi), "ZIP.NAMES") == (FAILED, Reason.FORMAT_FAILURE)


# ── workbooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def book(**parts: str) -> bytes:
    return zipped({"[Content_Types].xml": b"<Types/>", **{f"xl/{n.replace('__', '/')}.xml": t.encode() for n, t in parts.items()}})


def sheet(*rows: str) -> str:
    return f"<worksheet {SPACE}><sheetData>" + "".join(f"<row>{r}</row>" for r in rows) + "</sheetData></worksheet>"


def cell(text: str, *, where: str = "", inner: str = "") -> str:
    return f'<c{where} t="str">{inner}<v>{text}</v></c>'


def with_book(data: bytes) -> Verdict:
    return examine(zipped({"a.png": A, "hash.xlsx": data}))


def test_every_sheet_is_read_whichever_a_program_shows() -> None:
    """Sheet 1 may be hidden, and sheet 2 the one that people read."""
    right, wrong = (sheet(cell("文件名") + cell("SHA-256"), cell("a.png") + cell(sha256(x))) for x in (A, B))
    assert answer(with_book(book(worksheets__sheet1=right)), "CNP.HASHES") == OK
    assert answer(with_book(book(worksheets__sheet7=right)), "CNP.HASHES") == OK
    both = with_book(book(worksheets__sheet1=right, worksheets__sheet2=wrong))
    assert answer(both, "CNP.HASHES") == HASH and answer(both, "CNP.HASH_LIST") == (FAILED, Reason.FORMAT_FAILURE)


def test_headings_of_one_sheet_are_not_those_of_the_next() -> None:
    first = sheet(cell("SM3") + cell("文件名"), cell(sm3(A)) + cell("a.png"))
    second = sheet(cell("文件名") + cell("SHA-256"), cell("a.png") + cell(sha256(A)))
    assert answer(with_book(book(worksheets__sheet1=first, worksheets__sheet2=second)), "CNP.HASHES") == OK


def test_a_formula_counts_by_what_is_stored_and_is_never_computed() -> None:
    stored = cell(sha256(A), inner="<f>HYPERLINK(&quot;http://evil.example&quot;)</f>")
    assert answer(with_book(book(worksheets__sheet1=sheet(cell("a.png") + stored))), "CNP.HASHES") == OK


def test_reading_aids_are_no_part_of_a_name() -> None:
    rich = '<c t="inlineStr"><is><r><t>a.</t></r><r><t>png</t></r><rPh sb="0" eb="1"><t>kana</t></rPh></is></c>'
    assert answer(with_book(book(worksheets__sheet1=sheet(rich + cell(sha256(A))))), "CNP.HASHES") == OK


@pytest.mark.parametrize("kind", ["d", "n", "b", "e"])
def test_dates_numbers_truths_and_errors_are_no_digests(kind: str) -> None:
    other = f'<c t="{kind}"><v>46348.5</v></c>'
    assert answer(with_book(book(worksheets__sheet1=sheet(cell("a.png") + other + cell(sha256(A))))), "CNP.HASHES") == OK


@pytest.mark.parametrize(
    "sheets",
    [
        {"worksheets__sheet1": sheet(cell("a.png", where=' r="A1"') + cell("b.png", where=' r="A1"'))},
        {"worksheets__sheet1": "<!DOCTYPE x SYSTEM 'file:///etc/passwd'>" + sheet()},
        {"worksheets__sheet1": "<!DOCTYPE x [<!ENTITY a SYSTEM 'http://evil.example/'>]><x>&a;</x>"},
        {"worksheets__sheet1": sheet(), "sharedStrings": "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><x>&b;</x>"},
        {"worksheets__sheet1": "<a>" * 65 + "</a>" * 65},
        {"worksheets__sheet1": "<x>&undefined;</x>"},
        {"worksheets__sheet1": "\x00"},
        {"styles": "<x/>"},
    ],
)
def test_workbooks_that_are_not_read(sheets: dict[str, str]) -> None:
    found = finding(with_book(book(**sheets)), "CNP.HASH_LIST")
    assert (found.outcome, found.reason) == (OPEN, Reason.UNSUPPORTED_FORMAT)


@pytest.mark.parametrize("index", ["-1", "99999999999", "1.5", "x", "", "٣"])
def test_a_shared_string_that_is_none(index: str) -> None:
    sheets = {"worksheets__sheet1": sheet(f'<c t="s"><v>{index}</v></c>' + cell(sha256(A))), "sharedStrings": f"<sst {SPACE}><si><t>a.png</t></si></sst>"}
    assert with_book(book(**sheets)).overall is not Overall.CONSISTENT


@pytest.mark.parametrize(
    "data",
    [
        book(worksheets__sheet1=sheet(cell("x" * 40_000))),
        book(worksheets__sheet1=sheet(*['<c t="s"><v>0</v></c>' * 60] * 2_000), sharedStrings=f"<sst {SPACE}><si><t>{'x' * 32_000}</t></si></sst>"),
        book(**{f"worksheets__sheet{n}": sheet() for n in range(40)}),
        book(worksheets__sheet1=sheet(*[""] * 60_000)),
        book(worksheets__sheet1=sheet("x" * (5 << 20))),
    ],
)
def test_workbooks_that_cost_too_much(data: bytes) -> None:
    """A shared string of 32,000 characters in 120,000 cells is 4 GB of text in 3 MB of XML."""
    began = time.process_time()
    tracemalloc.start()
    with pytest.raises(inflate.LimitReached):
        xlsx.sheets(data, inflate.Budget())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 120 << 20 and time.process_time() - began < 15


# ── the certificate ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_digest_without_an_algorithm_that_is_no_reading_of_the_package() -> None:
    data = package()
    name, document = certificate(SHA256=sha256(b"another package"))
    bare = json.loads(document)
    del bare["files"][0]["hashType"]
    verdict = examine(data, (name, json.dumps(bare).encode()))
    assert verdict.overall is Overall.INCONSISTENT
    assert answer(verdict, "CNP.PACKAGE_DIGEST") == HASH


# ── logs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def log_of(lines: int) -> bytes:
    return b"2026-11-22T15:35:20+08:00 step\n" * lines


def test_a_log_of_a_million_lines_is_said_to_be_too_long() -> None:
    began = time.process_time()
    verdict = with_operations(log_of(1_000_000))
    for check in ("CNP.OPERATIONS", "CNP.TIME_ORDER"):
        found = finding(verdict, check)
        assert (found.outcome, found.reason, found.actual) == (OPEN, Reason.RESOURCE_LIMIT, "LOG_MAX"), check
    assert time.process_time() - began < 20


def test_what_stands_behind_the_bounds_of_a_log_is_never_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """To see it fail: read the first lines and say nothing of the rest."""
    late = log_of(50) + b"2026-11-22T23:35:20+08:00 later\n"
    monkeypatch.setattr(capture_log, "ENTRIES_MAX", 50)
    verdict = with_operations(late)
    assert {finding(verdict, c).actual for c in ("CNP.OPERATIONS", "CNP.TIME_ORDER")} == {"ENTRIES_MAX"}
    monkeypatch.undo()
    monkeypatch.setattr(capture_log, "LINE_MAX", 20)
    assert finding(with_operations(late), "CNP.OPERATIONS").actual == "LINE_MAX"
    monkeypatch.undo()
    monkeypatch.setattr(capture, "LOG_MAX", 20)
    assert finding(with_operations(late), "CNP.CLEANLINESS").reason is Reason.RESOURCE_LIMIT


def test_both_logs_of_a_computer_and_a_telephone() -> None:
    half = CHECK_LOG.splitlines()
    members = {**files(), "自清洁检查日志.txt": "\n".join(half[:6]).encode(), "手机自清洁日志.txt": "\n".join(half[6:]).encode()}
    found = findings(examine(package(members)), "CNP.CLEANLINESS")
    assert [f.actual for f in found] == ["5", "5"] and len({f.subject for f in found}) == 2
    second = operations(sha256="0" * 64)
    assert answer(examine(package({**files(), "手机操作日志.json": second})), "CNP.OPERATIONS") == HASH
    assert answer(examine(package({**files(), "手机操作日志.json": operations()})), "CNP.TIME_ORDER") == OK


def test_a_log_that_is_both_is_in_order_with_itself() -> None:
    members = {n: d for n, d in files().items() if "日志" not in n}
    both = CHECK_LOG + "2026-11-22T15:35:20+08:00 开始\n2026-11-22T15:35:22+08:00 打开 https://example.com/page\n"
    verdict = examine(package({**members, "自清洁与操作日志.txt": both.encode()}))
    assert answer(verdict, "CNP.TIME_ORDER") == OK


@pytest.mark.parametrize("key", ["txHash", "transaction_hash", "tx", "blockHash", "交易哈希", "prev_hash", "上一条哈希"])
def test_hashes_of_a_chain_are_no_digests_of_files(key: str) -> None:
    """To see it fail: compare every 64 digits beside a name with the file."""
    entries = json.loads(operations())
    entries[2][key] = "ab" * 32
    verdict = with_operations(json.dumps(entries, ensure_ascii=False).encode())
    assert answer(verdict, "CNP.OPERATIONS") == OK
    text = f"2026-11-22 15:35:22 +08:00 打开 https://example.com/page\n2026-11-22 15:35:24 +08:00 {key}: {'ab' * 32}\n"
    assert answer(with_operations(text.encode()), "CNP.OPERATIONS") == OK


def test_a_text_file_in_a_log_is_no_transaction() -> None:
    text = f"2026-11-22 15:35:22 +08:00 https://example.com/page\n2026-11-22 15:35:24 +08:00 自述.txt {'ab' * 32}\n"
    assert answer(with_operations(text.encode()), "CNP.OPERATIONS") == (OPEN, Reason.FACTS_CONFLICT)


def test_every_list_of_a_log_is_read() -> None:
    document = {"steps": json.loads(operations())[:2], "files": [{"file": "网页截图.png", "sha256": "0" * 64}]}
    assert answer(with_operations(json.dumps(document, ensure_ascii=False).encode()), "CNP.OPERATIONS") == HASH


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22 15:35:24 -1500 bytes", None),
        ("2026-11-22 15:35:24 +9999", None),
        ("2026-11-22 15:35:24 +0800", "07:35:24"),
        ("2026-11-22 15:35:24 +08:00", "07:35:24"),
        ("2026-11-22T15:35:24-03:30", "19:05:24"),
        ("2026-11-22 15:35:24 +08001", None),
        ("2026-11-22 15:35:24 +08:00:15", None),
        ("2026-11-22T07:35:24Z", "07:35:24"),
        ("2026-11-22T07:35:24Zulu", None),
        ("2026-11-22 15:35:24 CST", None),
        ("2026-11-22 15:35:24 北京时间", "07:35:24"),
        ("2026年11月22日 15时35分24秒 北京时间", "07:35:24"),
        ("2026-11-22 03:35:24 PM", None),
        ("2026-11-22 15:35:24 +2500", None),
        ("12026-11-22 15:35:24Z", "nothing"),
    ],
)
def test_zones_of_a_log_are_those_that_exist(text: str, moment: str | None) -> None:
    log = capture_log.read_log("x", text)
    if moment == "nothing":
        assert log.times == []
    else:
        (time_,) = log.times
        assert (time_.instant.strftime("%H:%M:%S") if time_.instant else None) == moment


def test_a_number_behind_a_time_makes_no_package_inconsistent() -> None:
    """-1500 read as a zone would put the log 23 hours later than its time-stamp."""
    text = "2026-11-22 15:35:22 -1500 bytes https://example.com/page\n"
    verdict = stamped(package({**files(), "取证操作日志.json": text.encode()}), CAPTURED + timedelta(minutes=1))
    assert verdict.overall is Overall.CONSISTENT


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("TIME", "时间同步|NTP|国家授时中心|标准时间"),
        ("SYSTEM", "操作系统|虚拟机|快照|镜像"),
        ("VIRUS", "病毒|木马|杀毒|antivirus|ClamAV"),
        ("PROCESS", "进程|任务管理器|tasklist"),
        ("HOSTS", "hosts"),
        ("DNS", "DNS|ipconfig|ifconfig|网络配置"),
        ("PROXY", "代理|proxy"),
        ("ROUTE", "tracert|traceroute|路由跟踪"),
        ("BROWSER", "缓存|Cookie|历史记录|自动填充"),
        ("PING", "ping"),
    ],
)
def test_the_key_words_of_the_specification(item: str, words: str) -> None:
    for word in words.split("|"):
        assert cleanliness.matrix(["", f"3. {word} 检查"]).found == {item: 2}, word
        if word.isascii():
            assert cleanliness.matrix([f"x{word}y"]).found == {}, "Latin words count whole"


def test_a_log_in_gb18030_and_in_utf_16() -> None:
    for encoding in ("gb18030", "utf-16"):
        members = {**files(), "自清洁检查日志.txt": CHECK_LOG.encode(encoding)}
        assert finding(examine(package(members)), "CNP.CLEANLINESS").actual == "10"


def test_a_log_of_controls_is_quoted_legibly() -> None:
    members = {**files(), "自清洁检查日志.txt": (CHECK_LOG + "存在异常\x1b[31m\u202e" + "长" * 5000).encode()}
    (said,) = [n for n in notes(examine(package(members)), "CNP.CLEANLINESS") if n.startswith("ABNORMAL_LINE:")]
    assert said.isprintable() and len(said) < 250


def test_names_and_shapes_are_asked_of_every_package() -> None:
    verdict = examine(package({**files(), "录屏.mp4": SHOT}))
    assert PASSED is Outcome.PASSED and asked(verdict) >= {"CNP.HASHES", "CNP.CLEANLINESS", "CNP.OPERATIONS", "CNP.TIME_ORDER"}
    assert "CNP.STAMPS" not in asked(verdict), "a recording without any token in the package is not asked for one"


def test_a_check_that_came_after_the_capture_is_out_of_order() -> None:
    """To see it fail: look at each log by itself."""
    late = CHECK_LOG + "2026-11-22T15:40:00+08:00 检查完毕\n"
    found = finding(examine(package({**files(), "自清洁检查日志.txt": late.encode()})), "CNP.TIME_ORDER")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.TIMESTAMP_ORDER_FAILURE, Bearing.ADVISORY)
    early = CHECK_LOG + "2026-11-22T15:30:00+08:00 检查完毕\n"
    assert answer(examine(package({**files(), "自清洁检查日志.txt": early.encode()})), "CNP.TIME_ORDER") == OK
    without = {n: d for n, d in files().items() if n != "取证操作日志.json"}
    page_only = finding(examine(package({**without, "自清洁检查日志.txt": late.encode()})), "CNP.TIME_ORDER")
    assert page_only.reason is Reason.TIMESTAMP_ORDER_FAILURE


def test_lines_of_json_with_one_that_is_none_are_a_text() -> None:
    lines = "\n".join(json.dumps(e, ensure_ascii=False) for e in json.loads(operations(sha256="0" * 64)))
    assert answer(with_operations(lines.encode()), "CNP.OPERATIONS") == HASH
    # As text the digest stands beside no name that is read: a difference to explain.
    assert answer(with_operations(f"{lines}\nend".encode()), "CNP.OPERATIONS") == (OPEN, Reason.FACTS_CONFLICT)


def test_an_unreadable_log_and_a_page_that_nobody_saved() -> None:
    members = {**files(), "网页源码.html": b"<!doctype html><p>plain", "取证操作日志.json": b"\x80\x80"}
    verdict = examine(package(members))
    assert answer(verdict, "CNP.OPERATIONS")[0] is OPEN
    assert finding(examine(package({**files(), "自清洁检查日志.txt": b"\x80\x80"})), "CNP.CLEANLINESS").reason is Reason.UNSUPPORTED_FORMAT
    odd = files()["网页源码.html"].replace(b"Nov 22 2026", b"Nov 99 2026").replace(b"GMT+0800", b"GMT+9900")
    assert examine(package({**files(), "网页源码.html": odd})).overall is Overall.INDETERMINATE


def test_a_certificate_that_records_the_package_before_its_capture_is_out_of_order() -> None:
    data = package()
    name, document = certificate(SHA256=sha256(data))
    for when, expected in (("2026-11-22T15:30:00+08:00", (OPEN, Reason.TIMESTAMP_ORDER_FAILURE)), ("2026-11-22T15:40:00+08:00", OK)):
        dated = {**json.loads(document), "timestamp": when}
        assert answer(examine(data, (name, json.dumps(dated).encode())), "CNP.TIME_ORDER") == expected


def test_what_is_named_like_a_log_and_is_no_text_is_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    film = package({**{n: d for n, d in files().items() if n != "取证操作日志.json"}, "操作日志录屏.mp4": operations(sha256="0" * 64)})
    assert answer(examine(film), "CNP.OPERATIONS") == (OPEN, Reason.SIGNED_DATA_NOT_FOUND)
    monkeypatch.setattr(capture, "LOGS_MAX", 1)
    many = package({**files(), "手机自清洁日志.txt": CHECK_LOG.encode()})
    assert [f.actual for f in findings(examine(many), "CNP.CLEANLINESS")] == ["10", "LOGS_MAX"]
    second = package({**files(), "手机操作日志.json": operations()})
    assert finding(examine(second), "CNP.OPERATIONS").actual == "LOGS_MAX", "what is not read is said"


def test_a_certificate_with_a_broken_digest_alone_binds_nothing() -> None:
    data = package()
    for broken in ("MD5", "SHA1"):
        value = hashlib.new(broken.lower(), data, usedforsecurity=False).hexdigest()
        verdict = examine(data, certificate(**{broken: value}))
        assert answer(verdict, "CNP.PACKAGE_DIGEST") == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE)
        assert verdict.overall is not Overall.CONSISTENT
