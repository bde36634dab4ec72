"""Forensic packages: every form of hash list, names and texts in GB 18030, the logs of a capture, and plain zips."""

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from evidence.verification import Verdict
from evidence.verification.codecs import inflate, xlsx
from evidence.verification.reasons import Reason
from evidence.verification.snapshots import hash_rows
from evidence.verification.snapshots.cleanliness import ITEMS, matrix
from evidence.verification.verdict import Bearing, Overall

from .snapshot_exhibits import FAILED, OPEN, PASSED, answer, asked, finding, notes, verified
from .test_zipstrict import Plan, built, deflated, plain

OK = (PASSED, None)
HASH = (FAILED, Reason.HASH_FAILURE)
LIST = "文件哈希清单.txt"

CHECK_LOG = """自清洁性检查日志
1. 系统时间同步: NTP 国家授时中心 偏差 9ms 通过
2. 操作系统: Debian 12 虚拟机快照 通过
3. 病毒木马扫描: 0 感染 通过
4. 进程列表检查: 无异常进程 通过
5. hosts 文件检查 通过
6. DNS 配置 通过
7. 网络代理检查: 未设置代理 通过
8. 路由跟踪 tracert example.com: 9 跳 通过
9. 浏览器: 缓存/Cookie/历史记录为空 通过
10. ping example.com 3/3 通过
"""
PAGE = """<!DOCTYPE html> <html><!--
 Page saved with SingleFile
 url: https://example.com/page
 saved date: Sun Nov 22 2026 15:35:25 GMT+0800 (China Standard Time)
--><title>x</title>"""
SHOT = b"\x89PNG\r\n\x1a\n" + bytes(200)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sm3(data: bytes) -> str:
    return hashlib.new("sm3", data).hexdigest()


def operations(**changes: Any) -> bytes:
    entries: list[dict[str, Any]] = [
        {"t": "2026-11-22T15:35:20+08:00", "op": "start"},
        {"t": "2026-11-22T15:35:22+08:00", "op": "navigate", "url": "https://example.com/page", "status": 200},
        {"t": "2026-11-22T15:35:24+08:00", "op": "screenshot", "sha256": sha256(SHOT), "file": "网页截图.png"},
    ]
    entries[2].update(changes)
    return json.dumps(entries, ensure_ascii=False, indent=1).encode()


def files() -> dict[str, bytes]:
    return {
        "网页源码.html": PAGE.encode(),
        "网页截图.png": SHOT,
        "自清洁检查日志.txt": CHECK_LOG.encode(),
        "取证操作日志.json": operations(),
    }


def table(members: Mapping[str, bytes], *, separator: str = "\t") -> str:
    rows = [["文件名", "SHA-256", "SM3", "字节数"]]
    rows += [[n, sha256(d), sm3(d), str(len(d))] for n, d in members.items()]
    return "".join(separator.join(r) + "\n" for r in rows)


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 22, 15, 36, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def package(
    members: Mapping[str, bytes] | None = None, *, list_: bytes | None = None, list_name: str = LIST, **more: bytes
) -> bytes:
    members = files() if members is None else members
    list_ = table(members).encode() if list_ is None else list_
    return zipped({**members, **more, list_name: list_})


def examine(data: bytes, *others: tuple[str, bytes], **options: Any) -> Verdict:
    return verified(("取证包.zip", data), *others, **options)


# ── what passes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_package_that_agrees_with_its_list_passes_and_proves_nothing() -> None:
    verdict = examine(package())
    assert all(f.outcome is PASSED for f in verdict.findings), [f for f in verdict.findings if f.reason]
    assert asked(verdict) >= {
        "CNP.CONTAINER", "CNP.HASH_LIST", "CNP.HASHES", "CNP.UNLISTED", "CNP.CLEANLINESS", "CNP.OPERATIONS",
        "CNP.TIME_ORDER",
    }  # fmt: skip
    assert (verdict.overall, verdict.grade.value, verdict.walks) == (Overall.INDETERMINATE, "E", ())
    assert verdict.sources[0].format == "forensic-package"
    assert "INTEGRITY_INTACT" in notes(verdict, "CNP.CONTAINER")


def test_names_and_list_in_gb18030() -> None:
    members = files()
    plans = [Plan(n.encode("gb18030"), d) for n, d in members.items()]
    plans.append(Plan(LIST.encode("gb18030"), table(members).encode("gb18030")))
    verdict = examine(built(*plans))
    assert answer(verdict, "CNP.HASHES") == answer(verdict, "CNP.UNLISTED") == answer(verdict, "CNP.CLEANLINESS") == OK
    assert "LIST_ENCODING:gb18030" in notes(verdict, "CNP.HASH_LIST")
    assert "LEGACY_NAME_ENCODING:网页源码.html" in notes(verdict, "ZIP.NAMES")


def workbook(rows: list[list[str]], *, strings: bool = True, prolog: str = "") -> bytes:
    """A minimal xlsx, numbers as numbers, texts shared or inline."""
    shared: list[str] = []

    def cell(row: int, column: int, text: str) -> str:
        where = f"{chr(65 + column)}{row + 1}"
        if text.isdigit() and len(text) < 10:
            return f'<c r="{where}"><v>{text}</v></c>'
        if strings:
            shared.append(text)
            return f'<c r="{where}" t="s"><v>{len(shared) - 1}</v></c>'
        return f'<c r="{where}" t="inlineStr"><is><t>{text}</t></is></c>'

    body = "".join(
        f'<row r="{r + 1}">' + "".join(cell(r, c, t) for c, t in enumerate(row) if t) + "</row>" for r, row in enumerate(rows)
    )
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    items = "".join(f"<si><r><t>{t[:3]}</t></r><r><t>{t[3:]}</t></r><rPh><t>kana</t></rPh></si>" for t in shared)
    return zipped(
        {
            "[Content_Types].xml": b"<Types/>",
            "xl/worksheets/sheet1.xml": f"{prolog}<worksheet {space}><sheetData>{body}</sheetData></worksheet>".encode(),
            **({"xl/sharedStrings.xml": f"<sst {space}>{items}</sst>".encode()} if strings else {}),
        }
    )


def forms() -> dict[str, tuple[str, bytes]]:
    m = files()
    rows = [line.split("\t") for line in table(m).splitlines()]
    hashes = {n: sha256(d) for n, d in m.items()}
    return {
        "tab with a byte-order mark": (LIST, b"\xef\xbb\xbf" + table(m).encode()),
        "comma": ("哈希清单.csv", table(m, separator=",").encode()),
        "comma with quotes": ("hash.csv", "".join(f'"{n}","{h}"\r\n' for n, h in hashes.items()).encode()),
        "tsv": ("hashes.tsv", table(m).encode()),
        "no headings": (LIST, "".join(f"{n}\t{h}\n" for n, h in hashes.items()).encode()),
        "numbered, no headings": (LIST, "".join(f"{i}\t{n}\t{h}\n" for i, (n, h) in enumerate(hashes.items())).encode()),
        "SM3 without a heading": (LIST, "".join(f"{n}\t{sm3(d)}\n" for n, d in m.items()).encode()),
        "sha256sum": ("SHA256SUMS.txt", "".join(f"{h}  {n}\n" for n, h in hashes.items()).encode()),
        "sha256sum, binary": ("checksum.sha256", "".join(f"{h} *{n}\n" for n, h in hashes.items()).encode()),
        "BSD": ("checksum.txt", "".join(f"SHA256 ({n}) = {h}\n" for n, h in hashes.items()).encode()),
        "blocks": (
            "摘要值.txt",
            "".join(f"文件名：{n}\n文件大小：{len(m[n])}\nSHA256：{h.upper()}\n\n" for n, h in hashes.items()).encode(),
        ),
        "JSON list": (
            "manifest.json",
            json.dumps([{"文件名": n, "大小": len(m[n]), "sha256": h} for n, h in hashes.items()]).encode(),
        ),
        "JSON object with a list": (
            "hash.json",
            json.dumps({"version": 1, "files": [{"name": n, "hash": h} for n, h in hashes.items()]}).encode(),
        ),
        "JSON by name": ("hash.json", json.dumps(hashes).encode()),
        "JSON by name, digests below": (
            "hash.json",
            json.dumps({n: {"sha256": h, "sm3": sm3(m[n]), "size": len(m[n])} for n, h in hashes.items()}).encode(),
        ),
        "digest with its label": ("hash.json", json.dumps({n: {"hash": f"sha256:{h}"} for n, h in hashes.items()}).encode()),
        "xlsx, shared strings": ("文件哈希.xlsx", workbook(rows)),
        "xlsx, inline strings": ("文件哈希.xlsx", workbook(rows, strings=False)),
        "named like nothing": ("列表.txt", table(m).encode()),
    }


@pytest.mark.parametrize("form", forms())
def test_every_form_of_list_is_read_and_a_changed_file_found(form: str) -> None:
    name, list_ = forms()[form]
    verdict = examine(package(list_=list_, list_name=name))
    assert answer(verdict, "CNP.HASH_LIST") == answer(verdict, "CNP.HASHES") == answer(verdict, "CNP.UNLISTED") == OK
    assert "MEMBERS_MATCHED:4" in notes(verdict, "CNP.HASHES")
    changed = {**files(), "网页截图.png": SHOT[:-1] + b"\1"}
    assert answer(examine(package(changed, list_=list_, list_name=name)), "CNP.HASHES") == HASH


# ── what does not ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_changed_a_missing_and_an_unlisted_file() -> None:
    list_ = table(files()).encode()
    changed = examine(package({**files(), "网页源码.html": b"<html>other</html>"}, list_=list_))
    assert answer(changed, "CNP.HASHES") == HASH and changed.overall is Overall.INCONSISTENT
    assert "MEMBER:网页源码.html" in notes(changed, "CNP.HASHES")
    missing = examine(package({n: d for n, d in files().items() if n != "网页截图.png"}, list_=list_))
    assert answer(missing, "CNP.HASHES") == (FAILED, Reason.RESOURCE_MISSING)
    assert "INTEGRITY_INCOMPLETE" in notes(missing, "CNP.CONTAINER")
    extra = examine(package({**files(), "补充说明.exe": b"MZ"}, list_=list_))
    found = finding(extra, "CNP.UNLISTED")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.UNLISTED_MEMBER, Bearing.REFUTING)
    assert answer(extra, "CNP.HASHES") == OK and extra.overall is Overall.INDETERMINATE


def test_every_listed_value_counts() -> None:
    right = table(files())
    size = str(len(SHOT))
    for old, new in ((sha256(SHOT), "0" * 64), (sm3(SHOT), "0" * 64), (f"\t{size}\n", f"\t{size}0\n")):
        assert right.count(old) == 1
        verdict = examine(package(list_=right.replace(old, new).encode()))
        assert answer(verdict, "CNP.HASHES") == HASH
    swapped = right.replace("SHA-256\tSM3", "SM3\tSHA-256")
    assert answer(examine(package(list_=swapped.encode())), "CNP.HASHES") == HASH


def test_md5_alone_is_weak_and_beside_sha256_it_must_still_be_right() -> None:
    def list_with(*names: str, md5: str | None = None) -> bytes:
        rows = ["\t".join(["文件名", *names])]
        for n, d in files().items():
            values = [(md5 if a == "md5" and md5 else hashlib.new(a, d).hexdigest()) for a in names]
            rows.append("\t".join([n, *values]))
        return "\n".join(rows).encode()

    for weak in ("md5", "sha1"):
        found = finding(examine(package(list_=list_with(weak))), "CNP.HASHES")
        assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.CRYPTO_CONSTRAINTS_FAILURE, Bearing.DECISIVE)
    assert answer(examine(package(list_=list_with("md5", "sha256"))), "CNP.HASHES") == OK
    assert answer(examine(package(list_=list_with("md5", "sha256", md5="0" * 32))), "CNP.HASHES") == HASH
    for strong in ("sha384", "sha512"):
        assert answer(examine(package(list_=list_with(strong))), "CNP.HASHES") == OK


def test_rows_that_contradict_each_other() -> None:
    twice = table(files()) + f"网页截图.png\t{'0' * 64}\t{'0' * 64}\t1\n"
    verdict = examine(package(list_=twice.encode()))
    assert answer(verdict, "CNP.HASH_LIST") == (FAILED, Reason.FORMAT_FAILURE)
    assert "MEMBER:网页截图.png" in notes(verdict, "CNP.HASH_LIST")
    repeated = table(files()) + table(files()).splitlines()[1] + "\n"
    assert answer(examine(package(list_=repeated.encode())), "CNP.HASH_LIST") == OK


def test_names_are_compared_exactly_then_after_nfc() -> None:
    decomposed = {"re\u0301sume\u0301.txt": b"x"}
    listed = f"résumé.txt\t{sha256(b'x')}\n".encode()
    assert answer(examine(package(decomposed, list_=listed)), "CNP.HASHES") == OK
    other = f"Résumé.txt\t{sha256(b'x')}\n".encode()
    assert answer(examine(package(decomposed, list_=other)), "CNP.HASHES") == (FAILED, Reason.RESOURCE_MISSING)


@pytest.mark.parametrize(
    ("name", "list_"),
    [
        (LIST, b"nothing of a list in here\n"),
        (LIST, b"\x81"),
        ("hash.json", b"{"),
        ("hash.json", b'{"a": NaN}'),
        ("hash.json", b"[" * 200 + b"]" * 200),
        ("hash.xlsx", b"PK\3\4 not a workbook"),
        ("hash.xlsx", workbook([["文件名", "SHA-256"], ["a", "0" * 64]], prolog="<!DOCTYPE x [<!ENTITY a 'b'>]>")),
        ("hash.xlsx", zipped({"xl/worksheets/sheet1.xml": b"<worksheet>"})),
        ("hash.xlsx", zipped({"xl/other.xml": b"<x/>"})),
        ("hash.xlsx", zipped({"xl/worksheets/sheet1.xml": b"<a>" * 100 + b"</a>" * 100})),
    ],
)
def test_lists_that_cannot_be_read_leave_the_question_open(name: str, list_: bytes) -> None:
    verdict = examine(package(list_=list_, list_name=name))
    assert answer(verdict, "CNP.HASH_LIST") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert "CNP.HASHES" not in asked(verdict) and verdict.overall is Overall.INDETERMINATE


def test_lists_beyond_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    def limited(list_: bytes, name: str = LIST) -> None:
        found = finding(examine(package(list_=list_, list_name=name)), "CNP.HASH_LIST")
        assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.RESOURCE_LIMIT, Bearing.DECISIVE)

    limited(table(files()).encode() + b"x" * (hash_rows.LINE_MAX + 1))
    monkeypatch.setattr(hash_rows, "ROWS_MAX", 2)
    limited(table(files()).encode())
    monkeypatch.undo()
    monkeypatch.setattr(hash_rows, "LIST_MAX", 100)
    limited(table(files()).encode())
    monkeypatch.undo()
    monkeypatch.setattr(xlsx, "ROWS_MAX", 2)
    limited(forms()["xlsx, shared strings"][1], "hash.xlsx")
    monkeypatch.undo()
    monkeypatch.setattr(xlsx, "PART_MAX", 100)
    limited(forms()["xlsx, shared strings"][1], "hash.xlsx")


# ── the certificate's digest of the whole package ─────────────────────────────────────────────────────────────────────


def certificate(**digests: str) -> tuple[str, bytes]:
    """A platform certificate in JSON that names the package."""
    listed = [{"fileName": "取证包.zip", "hashType": a, "fileHash": h} for a, h in digests.items()]
    document = {"platform": "x", "certNo": "1", "txHash": "0x" + "ab" * 32, "blockHeight": 5, "files": listed}
    return "证书.json", json.dumps(document).encode()


def test_the_digest_of_the_whole_package_is_compared_with_the_certificate() -> None:
    data = package()
    right = examine(data, certificate(SM3=sm3(data)))
    assert answer(right, "CNP.PACKAGE_DIGEST") == OK
    wrong = examine(data, certificate(SHA256=sha256(b"another package")))
    assert answer(wrong, "CNP.PACKAGE_DIGEST") == HASH and wrong.overall is Overall.INCONSISTENT
    assert "CNP.PACKAGE_DIGEST" not in asked(examine(data))


# ── the logs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_log(text: str) -> Verdict:
    members = {**files(), "自清洁检查日志.txt": text.encode()}
    return examine(package(members))


def test_all_ten_items_of_the_cleanliness_check_with_their_lines() -> None:
    found = finding(examine(package()), "CNP.CLEANLINESS")
    assert (found.outcome, found.actual, found.bearing) == (PASSED, "10", Bearing.ADVISORY)
    assert list(found.notes) == [f"CLEAN_{item}:{line}" for line, (item, _) in enumerate(ITEMS, start=2)]


@pytest.mark.parametrize("number", range(10))
def test_an_item_that_the_log_does_not_mention(number: int) -> None:
    lines = CHECK_LOG.splitlines()
    item = ITEMS[number][0]
    found = finding(with_log("\n".join(line for i, line in enumerate(lines) if i != number + 1)), "CNP.CLEANLINESS")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.CLEANLINESS_ITEM_ABSENT, Bearing.ADVISORY)
    assert f"CLEAN_{item}_ABSENT" in found.notes


def test_latin_words_count_as_whole_words_and_full_width_letters_as_letters() -> None:
    assert "PING" not in matrix(["mapping and shipping"]).found
    assert matrix(["ＰＩＮＧ example.com"]).found == {"PING": 1}
    assert matrix(["清除 cookies", "Cookie 已清除"]).found == {"BROWSER": 2}
    assert matrix(["hosts.txt 文件"]).found == {"HOSTS": 1}
    assert matrix([]).found == {} and len(matrix([]).absent) == 10


def test_abnormal_results_are_quoted_and_normal_ones_not() -> None:
    assert matrix(CHECK_LOG.splitlines()).abnormal == ()
    for line in ("进程检查: 发现异常进程", "病毒扫描 未通过", "DNS check FAILED", "时间同步 检查失败"):
        assert matrix(["ok", line]).abnormal == ((2, line),)
    for line in ("无异常", "未发现异常", "没有异常", "0 failed_count"):
        assert matrix([line]).abnormal == ()
    noted = finding(with_log(CHECK_LOG + "11. 结论: 存在异常\n"), "CNP.CLEANLINESS")
    assert noted.outcome is PASSED and "ABNORMAL_LINE:12 11. 结论: 存在异常" in noted.notes


def test_logs_that_are_absent_refute_nothing() -> None:
    members = {n: d for n, d in files().items() if "日志" not in n}
    verdict = examine(package(members))
    for check in ("CNP.CLEANLINESS", "CNP.OPERATIONS", "CNP.TIME_ORDER"):
        found = finding(verdict, check)
        assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.SIGNED_DATA_NOT_FOUND, Bearing.ADVISORY)
    plain_files = examine(package({"a.txt": b"x"}))
    assert not {"CNP.CLEANLINESS", "CNP.OPERATIONS", "CNP.TIME_ORDER"} & asked(plain_files)


def with_operations(data: bytes) -> Verdict:
    return examine(package({**files(), "取证操作日志.json": data}))


def test_a_logged_digest_that_contradicts_the_file_it_names() -> None:
    verdict = with_operations(operations(sha256="0" * 64))
    assert answer(verdict, "CNP.OPERATIONS") == HASH and verdict.overall is Overall.INCONSISTENT
    # Without a name it fits no file: a difference to explain, not a contradiction.
    stray = with_operations(operations(sha256="0" * 64, file=None))
    assert answer(stray, "CNP.OPERATIONS") == (OPEN, Reason.FACTS_CONFLICT)
    by_sm3 = with_operations(operations(sha256=sm3(SHOT)))
    assert answer(by_sm3, "CNP.OPERATIONS") == OK


def test_addresses_in_log_and_page_that_differ() -> None:
    verdict = with_operations(operations().replace(b"https://example.com/page", b"https://example.com/other"))
    assert answer(verdict, "CNP.OPERATIONS") == (OPEN, Reason.FACTS_CONFLICT)
    assert any("https://example.com/page" in n for n in notes(verdict, "CNP.OPERATIONS"))


def test_logs_in_lines_of_json_and_in_plain_text() -> None:
    lines = b"\n".join(json.dumps(e, ensure_ascii=False).encode() for e in json.loads(operations()))
    text = f"2026-11-22 15:35:22 +08:00 打开 https://example.com/page\n2026-11-22 15:35:24 +08:00 截图 {sha256(SHOT)}\n"
    for data in (lines, text.encode("gb18030")):
        verdict = with_operations(data)
        assert answer(verdict, "CNP.OPERATIONS") == answer(verdict, "CNP.TIME_ORDER") == OK


@pytest.mark.parametrize("log", [b"[1, null, true, [2]]", b"{}", b"[]", b'"x"', b"1", b'{"a": [1, "x"]}', b'{"t": 5}\n{"t": []}'])
def test_logs_of_any_shape_are_passed_over(log: bytes) -> None:
    assert with_operations(log).overall is Overall.INDETERMINATE


def test_times_without_zone_equal_faces_and_wrong_order() -> None:
    ambiguous = (OPEN, Reason.TIME_ZONE_AMBIGUOUS)
    bare = operations().replace(b"+08:00", b"")
    assert answer(with_operations(bare), "CNP.TIME_ORDER") == ambiguous
    # The same clock face under two zones: one of the two labels is wrong by hours.
    same_face = operations(t="2026-11-22T15:35:25+00:00")
    assert answer(with_operations(same_face), "CNP.TIME_ORDER") == ambiguous
    backwards = operations(t="2026-11-22T15:35:00+08:00")
    found = finding(with_operations(backwards), "CNP.TIME_ORDER")
    assert (found.outcome, found.reason, found.bearing) == (OPEN, Reason.TIMESTAMP_ORDER_FAILURE, Bearing.ADVISORY)


# ── containers ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_zip_is_not_inconsistent_for_lacking_a_list() -> None:
    verdict = examine(zipped({"照片.jpg": b"\xff\xd8", "说明.txt": "说明".encode()}))
    assert answer(verdict, "CNP.HASH_LIST") == (OPEN, Reason.PROOF_NOT_SUPPLIED)
    assert verdict.overall is Overall.INDETERMINATE
    assert all(f.bearing is not Bearing.DECISIVE for f in verdict.findings)


def test_archives_inside_are_hashed_and_never_opened() -> None:
    inner = zipped({LIST: b"x"})
    verdict = examine(zipped({"inner.zip": inner}))
    assert answer(verdict, "CNP.HASH_LIST") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert "NESTED_ARCHIVE:inner.zip" in notes(verdict, "ZIP.DATA")
    listed = examine(package({"inner.zip": inner}))
    assert answer(listed, "CNP.HASHES") == OK


def test_office_documents_books_and_programs_are_not_packages() -> None:
    for name in ("[Content_Types].xml", "mimetype", "AndroidManifest.xml", "META-INF/MANIFEST.MF"):
        assert examine(zipped({name: b"x", "word/document.xml": b"y"})).sources[0].format == "unknown"
        # … unless they carry a hash list, so that nobody evades the comparison by adding such a member.
        assert examine(package({name: b"x"})).sources[0].format == "forensic-package"


def test_unsound_containers_fail_before_anything_inside_speaks() -> None:
    members = [Plan(n.encode(), d, flags=0x800) for n, d in files().items()]
    list_ = Plan(LIST.encode(), table(files()).encode(), flags=0x800)
    for data in (
        built(*members, list_, between=b"hidden"),
        built(*members, list_, plain(LIST.encode(), flags=0x800)),
        built(*members, list_, tail=b"x"),
    ):
        verdict = examine(data)
        assert answer(verdict, "CNP.CONTAINER") == (FAILED, Reason.FORMAT_FAILURE)
        assert asked(verdict) <= {"CNP.CONTAINER", "ZIP.STRUCTURE", "ZIP.NAMES", "ZIP.DATA", "ZIP.LIMITS"}


def test_encrypted_packages_cannot_be_examined() -> None:
    verdict = examine(built(Plan(b"a.txt", b"x", flags=1)))
    assert answer(verdict, "CNP.CONTAINER") == (OPEN, Reason.UNSUPPORTED_FORMAT)
    assert verdict.overall is Overall.INDETERMINATE


def test_members_that_are_not_as_declared_or_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(examine(built(deflated(size=10))), "ZIP.DATA") == (FAILED, Reason.FORMAT_FAILURE)
    bomb = examine(package({**files(), "录屏.bin": bytes(64 << 20)}))
    assert answer(bomb, "ZIP.LIMITS") == answer(bomb, "CNP.HASHES") == (OPEN, Reason.RESOURCE_LIMIT)
    monkeypatch.setattr(inflate, "MEMBER_MAX", 100)
    assert answer(examine(package()), "CNP.CONTAINER") == (OPEN, Reason.RESOURCE_LIMIT)


def test_no_mutation_makes_the_engine_stumble() -> None:
    data = package()
    chance = random.Random(20261122)
    for bit in chance.sample(range(8 * len(data)), 500):
        mutated = bytearray(data)
        mutated[bit // 8] ^= 1 << bit % 8
        verdict = examine(bytes(mutated), runs=1)
        assert verdict.overall is not Overall.CONSISTENT
    for _ in range(300):
        list_ = bytearray(table(files()).encode())
        list_[chance.randrange(len(list_))] = chance.randrange(256)
        examine(package(list_=bytes(list_)), runs=1)
