"""IP against DNS in the logs of a forensic package (spec snapshots §14): a question, never a contradiction."""

import json
import time

import pytest

from evidence.verification.reasons import Reason
from evidence.verification.snapshots import name_lookups
from evidence.verification.verdict import Outcome

from .snapshot_exhibits import answer, notes
from .test_hashlist import CHECK_LOG, OPEN, examine, files, package

DNS = "6. DNS 配置: 114.114.114.114; 解析 example.com -> 93.184.216.34 通过"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (DNS, [("example.com", "93.184.216.34")]),
        ("PING Example.COM (93.184.216.34) 56(84) bytes of data.", [("example.com", "93.184.216.34")]),
        ("正在 Ping example.com [93.184.216.34] 具有 32 字节的数据", [("example.com", "93.184.216.34")]),
        ("example.com has address 93.184.216.34", [("example.com", "93.184.216.34")]),
        ("www.a-b.example.cn 解析为 192.0.2.7", [("www.a-b.example.cn", "192.0.2.7")]),
        ("example.com -> 999.1.1.1", []),
        ("example.com -> 093.184.216.34", []),
        ("version 1.2 -> 10.0.0.1", []),
        ("mail@example.com -> 192.0.2.1", []),
        ("example.com -> 192.0.2.1.5", []),
        ("ping example.com 3/3 通过", []),
        ("", []),
    ],
)
def test_lookups(line: str, found: list[tuple[str, str]]) -> None:
    assert list(name_lookups.resolved(line)) == found


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"url": "https://example.com/a", "ip": "93.184.216.34"}, [("example.com", "93.184.216.34")]),
        ({"url": "https://example.com:8443/a", "server_ip": "2001:DB8::1"}, [("example.com", "2001:db8::1")]),
        ({"网址": "https://example.com/", "服务器IP": "192.0.2.1"}, [("example.com", "192.0.2.1")]),
        ({"url": "http://127.0.0.1:8766/", "ip": "127.0.0.1"}, []),
        ({"url": "https://example.com/", "ip": "192.0.2.1", "remote_ip": "192.0.2.2"}, []),
        ({"url": "https://[", "ip": "192.0.2.1"}, []),
        ({"url": "https://example.com/", "ip": 7}, []),
        ({"url": "https://example.com/", "zip": "192.0.2.1"}, []),
        ("访问 https://example.com/x 服务器 192.0.2.1 状态 200", [("example.com", "192.0.2.1")]),
        ("访问 https://192.0.2.9/x 服务器 192.0.2.1", []),
        ("https://a.example/ https://b.example/ 192.0.2.1", []),
        (["https://example.com/", "192.0.2.1"], []),
        (None, []),
    ],
)
def test_visits(entry: object, found: list[tuple[str, str]]) -> None:
    assert list(name_lookups.spoken_to(entry)) == found


def with_visit(ip: str, *, url: str = "http://example.com/", log: str = CHECK_LOG) -> bytes:
    entries = [{"t": "2026-11-22T07:35:20+08:00", "op": "navigate", "url": url, "ip": ip}]
    page = files()["网页源码.html"].decode().replace("http://127.0.0.1:8766/index.html", url)
    members = {**files(), "取证操作日志.json": json.dumps(entries).encode(), "自清洁检查日志.txt": log.encode(), "网页源码.html": page.encode()}
    return package(members)


def test_a_server_that_the_name_was_not_resolved_to_is_asked_about() -> None:
    """To see it fail: compare the address with all addresses in the log."""
    log = CHECK_LOG + "\n" + DNS + "\n其他: other.example -> 192.0.2.66\n"
    assert not any("192.0.2.66" in n or "93.184" in n for n in notes(examine(with_visit("93.184.216.34", log=log)), "CNP.OPERATIONS"))
    verdict = examine(with_visit("192.0.2.66", log=log))
    assert answer(verdict, "CNP.OPERATIONS") == (OPEN, Reason.FACTS_CONFLICT)
    assert "CONFLICT:example.com 192.0.2.66, DNS 93.184.216.34" in notes(verdict, "CNP.OPERATIONS")
    assert all(f.outcome is not Outcome.FAILED for f in verdict.findings)


def test_no_lookup_no_question() -> None:
    log = "\n".join(line for line in CHECK_LOG.splitlines() if "DNS" not in line)
    verdict = examine(with_visit("192.0.2.66", log=log))
    assert not any("192.0.2.66" in n for n in notes(verdict, "CNP.OPERATIONS"))


@pytest.mark.parametrize("line", ["a." * 30_000, "a-" * 30_000, "example.com -> " * 4_000, "1.1.1.1 " * 8_000, "https://" + "a" * 60_000, "a.b " * 15_000])
def test_hostile_lines_take_no_time(line: str) -> None:
    start = time.process_time()
    list(name_lookups.resolved(line)), list(name_lookups.spoken_to(line))
    assert time.process_time() - start < 1


def test_a_log_of_a_thousand_names_is_bounded() -> None:
    kept: dict[str, set[str]] = {}
    name_lookups.keep(((f"h{n}.example", "192.0.2.1") for n in range(5_000)), kept)
    name_lookups.keep((("h1.example", f"10.0.{n // 256}.{n % 256}") for n in range(5_000)), kept)
    assert len(kept) == name_lookups.NAMES_MAX == len(kept["h1.example"])
