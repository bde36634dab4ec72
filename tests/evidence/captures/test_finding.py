"""Find this sentence: the bytes that are named hold the words, whatever markup, blanks and widths stand between them."""

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Role
from evidence.captures import citing
from evidence.captures.capture import Capture, Facts, Kind, Place
from evidence.captures.finding import HITS_MAX, find, normal
from evidence.captures.kept import Proven, proven
from evidence.captures.reading import page_text
from tests import courtroom


def captured(payload: bytes, content_type: str = "text/html; charset=utf-8") -> Capture:
    found = page_text.read(payload, content_type=content_type, runs_max=40_000, text_max=1 << 21)
    return Capture("file", Kind.PAGE, Facts(), Place("a" * 64, "b" * 64, len(payload)), tuple(found.runs), encoding=found.encoding)


@pytest.mark.parametrize(
    ("page", "sentence", "raw"),
    [
        ("<p>前文涉案作品第一段。后文", "涉案作品第一段。", "涉案作品第一段。"),
        ("<p>涉案<b>作品</b>第一", "涉案作品第一", "涉案<b>作品</b>第一"),
        ("<p>涉案\n   作品 第一", "涉案作品第一", "涉案\n   作品 第一"),
        ("<p>涉 案", " 涉案 ", "涉 案"),
        ("<p>编号１２３Ａ号", "编号123a号", "编号１２３Ａ号"),
        ("<p>Tom &amp; Jerry's work", "tom & jerry's  WORK", "Tom &amp; Jerry's work"),
        ("<p>作\u200b品\ufeff一", "作品一", "作\u200b品\ufeff一"),
        ("<p>caf\u0065\u0301 au lait", "cafe\u0301 AU", "cafe\u0301 au"),
        ("<p>caf\u0065\u0301 au lait", "caf\u00e9 au", "cafe\u0301 au"),
        ("<p>第一行<br>第二行", "第一行第二行", "第一行<br>第二行"),
        ("<p>one line<br>two", "one line two", "one line<br>two"),
        ("<p>ﬁnal", "final", "ﬁnal"),
        ("<p>ＡＢＣ", "abc", "ＡＢＣ"),
    ],
)
def test_the_bytes_named_hold_the_words(page: str, sentence: str, raw: str) -> None:
    """To see it fail: count characters, or places of the compared form."""
    payload = page.encode()
    (hit,) = find(captured(payload), sentence)
    assert hit.exact and payload[hit.at : hit.at + hit.length].decode() == raw


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-8"])
def test_in_the_encoding_of_the_page(encoding: str) -> None:
    payload = "<p>前文涉案作品後文".encode(encoding)
    (hit,) = find(captured(payload, f"text/html; charset={encoding}"), "涉案作品")
    assert payload[hit.at : hit.at + hit.length].decode(encoding) == "涉案作品" and hit.exact


@pytest.mark.parametrize(
    ("page", "sentence"),
    [("<p>the rapist", "therapist"), ("<p>作品", "品作"), ("<script>作品</script>", "作品"), ("<p hidden>作品", "作品"), ("<p>a", ""), ("<p>a", "\u200b \n")],
)
def test_what_is_not_there_is_not_found(page: str, sentence: str) -> None:
    assert find(captured(page.encode()), sentence) == []


def test_a_word_that_is_everywhere_has_an_end() -> None:
    assert len(find(captured(b"<p>a" * 5000), "a")) == HITS_MAX + 1


def test_words_that_turn_the_direction_of_reading_are_spelt_out() -> None:
    (hit,) = find(captured("<p>好\u202e坏了".encode()), "好坏")
    file = type("File", (), {"name": "a\u202eb.html", "sha256": "a" * 64})()
    exhibit = type("Exhibit", (), {"label": "原告证据1"})()
    cited = citing.cite(exhibit, file, captured(b""), hit, None)
    assert "\u202e" not in cited.zh + cited.en and "〔U+202E〕" in cited.zh


def test_the_same_sentence_has_one_form() -> None:
    assert normal("作 品\n１２３  ABC d") == "作品123 abc d" == normal(" 作品123abc d").replace("abc", " abc")


# ── the pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.mark.django_db
def test_a_judge_gets_a_citation_with_what_is_proven_and_no_more() -> None:
    case = courtroom.case()
    judge, party = courtroom.person("judge"), courtroom.person("party")
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    exhibit = courtroom.hand_in(case, party)
    courtroom.read(exhibit)
    client = Client()
    client.force_login(judge)
    for path in (reverse("captures:find", args=[exhibit.public_id]), reverse("captures:find_in_case", args=[case.public_id])):
        before = client.get(path, {"q": "涉案 作品"}).content.decode()
        assert "该文件尚无核验结果" in before and "There is no verdict on this file yet." in before
        assert "没有找到这一句" in client.get(path, {"q": "别的话"}).content.decode()
        assert "最多 500 字" in client.get(path, {"q": " "}).content.decode()
        assert "最多 500 字" in client.get(path, {"q": "字" * 501}).content.decode()
    run = courtroom.run(exhibit, courtroom.consistent())
    after = client.get(path, {"q": "涉案作品"}).content.decode()
    file = exhibit.files.get()
    assert file.sha256 in after and "第 3 字节起 12 个字节" in after and "核验一致" in after
    stands = proven(run.verdict, file.sha256)
    assert isinstance(stands, Proven) and stands.not_after is not None and stands.anchor in after
    assert proven(run.verdict, "0" * 64) == Proven("CONSISTENT", stands.grade, 1, run.verdict.at, None, "", "")


@pytest.mark.django_db
def test_files_that_were_not_read_are_named() -> None:
    case = courtroom.case()
    judge = courtroom.person("judge")
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    exhibit = courtroom.hand_in(case, judge, files={"未读.html": b"x"})
    client = Client()
    client.force_login(judge)
    body = client.get(reverse("captures:find", args=[exhibit.public_id]), {"q": "话"}).content.decode()
    assert "不在查找范围内" in body and "未读.html" in body
