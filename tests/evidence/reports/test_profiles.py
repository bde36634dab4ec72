"""The forms for courts elsewhere and the law quoted: their structure as the law has it, nothing filled in, nothing changed unseen."""

import hashlib
import json
from pathlib import Path

import pytest

from evidence.reports import profiles, standing
from evidence.reports.models import Report

ROOM = Path(profiles.__file__).parent


def words(part: profiles.Part) -> str:
    return " ".join(p.text or p.tick for line in part.paragraphs for p in line)


def ticks(part: profiles.Part) -> list[str]:
    return [p.tick for line in part.paragraphs for p in line if p.tick]


def test_each_form_a_report_can_be_ordered_with_is_there() -> None:
    assert set(profiles.profiles()) == set(Report.Profile.values) - {Report.Profile.ETSI}


@pytest.mark.parametrize("form", list(profiles.profiles().values()), ids=lambda f: f.id)
def test_nothing_is_filled_in_and_each_piece_is_one_thing(form: profiles.Profile) -> None:
    pieces = [p for part in form.parts for line in part.paragraphs for p in line]
    assert all(bool(p.text) + bool(p.tick) + bool(p.blank) == 1 for p in pieces)
    assert not any(mark in (p.text + p.tick) for p in pieces for mark in "☑☒✓✔_")
    assert form.heading.zh and form.heading.en and "核对" in form.note.zh and "compare" in form.note.en
    assert all(p.source and p.text for p in form.provisions)


def test_the_indian_certificate_has_the_two_parts_of_the_schedule() -> None:
    a, b = profiles.profiles()["bsa63"].parts
    assert profiles.profiles()["bsa63"].verbatim
    assert (a.title, b.title) == ("PART A (To be filled by the Party)", "PART B (To be filled by the Expert)")
    devices = ["Computer / Storage Media", "DVR", "Mobile", "Flash Drive", "CD/DVD", "Server", "Cloud", "Other"]
    algorithms = ["SHA1:", "SHA256:", "MD5:", "Other "]
    assert ticks(a) == [*devices, "Owned", "Maintained", "Managed", "Operated", *algorithms]
    assert ticks(b) == [*devices, *algorithms], "the expert says nothing of control"
    for part in (a, b):
        said = words(part)
        for needed in ("do hereby solemnly affirm and sincerely state and submit as follows:—", "Make & Model: ", "IMEI/UIN/UID/MAC/Cloud ID ", "HASH value/s", "Time (IST): "):
            assert needed in said
    assert "under the lawful control" in words(a) and "under the lawful control" not in words(b)
    assert "(Name and signature)" in words(a) and "(Name, designation and signature)" in words(b)


def test_the_american_certification_leaves_room_for_both_rules_and_both_places_of_signing() -> None:
    form = profiles.profiles()["fre902"]
    said = " ".join(words(p) for p in form.parts)
    assert [p.name for p in form.provisions] == ["Fed. R. Evid. 902(13)", "Fed. R. Evid. 902(14)", "Fed. R. Evid. 902(11)", "28 U.S.C. § 1746"]
    assert not form.verbatim, "the Rules prescribe no form"
    for needed in ("902(13)", "902(14)", "902(11)", "902(12)", "under the laws of the United States of America", "Reasonable written notice", "not in conclusory terms"):
        assert needed in said


def test_the_quoted_law_is_what_was_compared() -> None:
    """Articles compared character by character with the stored text are held by their digests. To see it fail: change one character."""
    data = json.loads((ROOM / "law_texts.json").read_bytes())
    held = [(law["law"]["zh"], a["article"]) for law in data["laws"] for a in law["articles"]]
    for law in data["laws"]:
        for article in law["articles"]:
            assert hashlib.sha256("\n".join(article["text"]).encode()).hexdigest() == article["sha256"]
    assert [a for name, a in held if name == "人民法院在线诉讼规则"] == ["16", "17", "18", "19"]
    assert {(q.law.zh, q.article) for q in standing.quoted()} == set(held) and all(q.source for q in standing.quoted())


def test_every_article_of_the_rule_matrix_is_quoted() -> None:
    from evidence.reports import law

    quoted = {(q.law.zh, q.article) for q in standing.quoted()}
    assert {(r.law.zh, r.article.split("(")[0].split()[0]) for r in law.rows()} <= quoted
