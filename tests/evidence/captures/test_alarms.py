"""What a web archive says of its server against the lookups in it, and the line of it on the page of an exhibit."""

from pathlib import Path

import pytest
from django.urls import reverse

from cases.models import Role
from evidence.captures import alarms, card
from evidence.captures.capture import Capture, Facts, Kind, Place
from evidence.verification.snapshots import name_lookups
from tests import courtroom
from tests.evidence.captures.test_kinds import reading

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>x</title><p>page</p>"
DNS = b"20261122073520\nwww.example.com.\t300\tIN\tCNAME\tcdn.example.net.\ncdn.example.net. 60 IN A 192.0.2.1\ncdn.example.net. 60 IN AAAA 2001:DB8::1\n"


def record(url: str, body: bytes, kind: str, *more: str) -> bytes:
    head = ["WARC/1.1", "WARC-Type: response", f"WARC-Target-URI: {url}", "WARC-Date: 2026-11-22T07:35:24Z", "WARC-Record-ID: <urn:uuid:1>"]
    head += [f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body + b"\r\n\r\n"


def archive(ip: str, *, host: str = "www.example.com", dns: str = "dns:www.example.com", lookup_last: bool = False) -> bytes:
    page = record(f"https://{host}/", HTML, "application/http; msgtype=response", f"WARC-IP-Address: {ip}")
    lookup = record(dns, DNS, "text/dns", "WARC-IP-Address: 9.9.9.9")
    return page + lookup if lookup_last else lookup + page


@pytest.mark.parametrize("lookup_last", [False, True])
@pytest.mark.parametrize(
    ("ip", "host", "asked"),
    [
        ("192.0.2.1", "www.example.com", False),
        ("2001:db8:0::1", "WWW.example.com", False),
        ("192.0.2.66", "www.example.com", True),
        ("9.9.9.9", "www.example.com", True),
        ("192.0.2.66", "other.example.com", False),
        ("not an address", "www.example.com", False),
    ],
)
def test_the_server_of_a_record_against_the_lookups_of_its_archive(tmp_path: Path, ip: str, host: str, asked: bool, lookup_last: bool) -> None:
    (found,) = reading(tmp_path, "a.warc", archive(ip, host=host, lookup_last=lookup_last)).captures
    assert ("IP_NOT_IN_DNS" in found.notes) is asked
    told = alarms.of_captures([found])
    assert [(a.code, ip in a.text) for a in told] == ([("FACTS_CONFLICT", True)] if asked else [])
    assert all(card.note(n) for n in found.notes)


@pytest.mark.parametrize("block", [b"", b"\xff" * 70_000, b"a b IN A 999.1.1.1", b"a 1 IN TXT 192.0.2.1", b"IN A " * 20_000])
def test_odd_lookups_answer_nothing(block: bytes) -> None:
    assert list(name_lookups.answers(block)) == []


@pytest.mark.django_db
def test_the_line_stands_on_the_page_of_the_exhibit(client, tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    judge, case = courtroom.person("judge"), courtroom.case()
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    exhibit = courtroom.hand_in(case, judge)
    file = exhibit.files.get()
    facts = Facts(url="https://a.example/\u202e<b>", ip="192.0.2.66")
    courtroom.read(exhibit, Capture("file", Kind.PAGE, facts, Place(file.sha256, file.sha256, 1), notes=("IP_NOT_IN_DNS",)))
    client.force_login(judge)
    said = client.get(reverse("exhibits:exhibit", args=[exhibit.public_id])).content.decode()
    assert "192.0.2.66 不在同一文件的域名解析记录里" in said and "FACTS_CONFLICT" in said
    assert "\u202e" not in said and "<b>" not in said
