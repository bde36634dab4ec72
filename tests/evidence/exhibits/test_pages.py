"""The judge's page and the party's: what stands first, what is not said, what goes on by itself."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, Membership, Party, Role, Side
from evidence.exhibits import views
from evidence.exhibits.models import Exhibit
from evidence.runs.models import Run
from portal.people.models import User
from tests import courtroom

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def vault_dir(tmp_path: object, settings: object) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]


@pytest.fixture
def case() -> Case:
    return courtroom.case(123)


@pytest.fixture
def judge(case: Case) -> User:
    judge = courtroom.person("judge")
    courtroom.join(judge, case, Role.PRESIDING_JUDGE)
    return judge


@pytest.fixture
def party(case: Case) -> User:
    party = courtroom.person("party")
    courtroom.join(party, case, Role.LITIGANT, Side.PLAINTIFF)
    return party


@pytest.fixture
def exhibit(case: Case, party: User) -> Exhibit:
    return courtroom.hand_in(case, party)


def visit(user: User, exhibit: Exhibit, name: str = "exhibit", **extra: object) -> str:
    client = Client(**extra)  # type: ignore[arg-type]
    client.force_login(user)
    response = client.get(reverse(f"exhibits:{name}", args=[exhibit.public_id]))
    assert response.status_code == 200
    return response.content.decode()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def headings(html: str) -> list[str]:
    return [words(h).strip() for h in re.findall(r"<h2[^>]*>(.*?)</h2>", html, re.S)]


# ── the judge ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_answer_first_then_the_walk_then_the_limits_before_the_details(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, courtroom.consistent())
    page = visit(judge, exhibit)
    assert headings(page) == ["核验一致", "证明路径", "时间", "本结论不说明", "五个方面", "您可以", "逐项核对", "文件展示的内容 仅为展示，不是核验结论", "提交人的说明 原文照录，系统未核验", "上链前的情况 提交人一方的陈述，原文照录，系统未核验", "文件", "历次核验"]
    assert page.index("核验一致") < page.index("mj-drawing") < page.index("finding-1\"")
    assert page.count("<h1") == 1


@pytest.mark.parametrize("name", ["consistent", "inconsistent", "indeterminate", "without_proof"])
def test_links_on_the_page_lead_somewhere_on_it(judge: User, exhibit: Exhibit, name: str) -> None:
    courtroom.run(exhibit, getattr(courtroom, name)())
    page = visit(judge, exhibit)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    described = {i for value in re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', page) for i in value.split()}
    assert described <= set(ids)


def test_the_demonstration_s_trust_is_named_beside_the_verdict(judge: User, exhibit: Exhibit, settings: object) -> None:
    """Also where the portal itself is no demonstration. To see it fail: leave the label out of `_verdict_part.html`."""
    settings.PORTAL_DEMO = False  # type: ignore[attr-defined]
    courtroom.run(exhibit, courtroom.consistent())
    assert "DEMONSTRATION" not in visit(judge, exhibit)
    shown = courtroom.consistent()
    courtroom.run(exhibit, replace(shown, trust={**shown.trust, "label": "demonstration"}))
    page = visit(judge, exhibit)
    verdict = page.split('class="mj-verdict ')[1].split("</section>")[0]
    assert "DEMONSTRATION" in verdict and page.count("DEMONSTRATION") == 2


def test_runs_that_disagree_are_flagged(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, courtroom.inconsistent())
    assert "历次核验的结论不同" not in visit(judge, exhibit)
    courtroom.run(exhibit, courtroom.consistent())
    assert "历次核验的结论不同" in visit(judge, exhibit)


def test_a_late_exhibit_says_why_it_is_late_in_the_submitter_s_words(case: Case, judge: User, party: User) -> None:
    late = courtroom.hand_in(case, party, late_reason="<b>证据在案外人手中</b>")
    courtroom.run(late, courtroom.consistent())
    page = visit(judge, late)
    assert "&lt;b&gt;证据在案外人手中&lt;/b&gt;" in page and "逾期提交" in page


def test_everything_a_party_wrote_is_shown_as_text(case: Case, judge: User, party: User) -> None:
    hostile = '<img src=x onerror=alert(1)>"\'>'
    Party.objects.filter(case=case).update(name=hostile)
    made = courtroom.hand_in(case, party, name=hostile, purpose=hostile, origin=hostile, files={hostile: b"x"})
    courtroom.run(made, courtroom.block.examine({hostile: b"x"}, courtroom.block.trust(None)))
    for user in (judge, party):
        page = visit(user, made)
        assert "<img" not in page and "&lt;img src=x onerror=alert(1)&gt;" in page


def test_the_history_names_engine_trust_and_who_asked(judge: User, exhibit: Exhibit) -> None:
    run = courtroom.run(exhibit, courtroom.consistent(), requested_by=judge)
    history = visit(judge, exhibit).split('id="history"')[1]
    assert run.verdict.engine in history and run.verdict.trust_sha256[:16] in history and judge.full_name in history


def test_files_show_their_digests_and_whether_the_device_knew_them(judge: User, exhibit: Exhibit) -> None:
    text = visit(judge, exhibit)
    for file in exhibit.files.all():
        assert file.sha256 in text and file.sm3 in text
    assert "上传前已在提交人的设备上计算摘要" in text


# ── verify again ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_verify_again_is_a_new_run_and_only_one_at_a_time(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, courtroom.inconsistent())
    client = Client()
    client.force_login(judge)
    address = reverse("exhibits:verify", args=[exhibit.public_id])
    for _ in range(2):
        assert client.post(address)["Location"] == reverse("exhibits:exhibit", args=[exhibit.public_id])
    runs = list(Run.objects.filter(exhibit=exhibit).order_by("number").values_list("number", "state", "requested_by"))
    assert runs == [(1, "done", None), (2, "queued", judge.pk)]
    assert client.get(address).status_code == 405
    page = visit(judge, exhibit)
    assert "核验不一致" in page and "正在重新核验" in page and "重新核验</button>" not in page


def test_a_parked_run_says_it_is_not_the_evidence_and_may_be_tried_again(judge: User, party: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, state=Run.State.PARKED, attempt=5, fault="worker killed")
    page = visit(judge, exhibit)
    assert "这次核验没有完成" in page and "这说明不了证据的任何情况" in page and "worker killed" in page and "再试一次</button>" in page
    page = visit(party, exhibit)
    assert "不说明您的材料有问题" in page and "worker killed" not in page and "<form action=\"" + reverse("exhibits:verify", args=[exhibit.public_id]) not in page


# ── progress ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def poll(user: User, exhibit: Exhibit, **query: str) -> tuple[str, dict[str, str]]:
    client = Client(headers={"hx-request": "true"})
    client.force_login(user)
    response = client.get(reverse("exhibits:progress", args=[exhibit.public_id]), query)
    assert response.status_code == 200
    return response.content.decode(), dict(response.headers)


def test_progress_is_followed_to_its_end_and_then_never_asked_again(judge: User, exhibit: Exhibit) -> None:
    before = courtroom.run(courtroom.hand_in(exhibit.case, exhibit.submitted_by), state=Run.State.QUEUED)
    run = courtroom.run(exhibit, state=Run.State.QUEUED)
    page = visit(judge, exhibit)
    assert "前面还有 1 件" in page and "hx-get" in page and "<noscript>" in page
    part, headers = poll(judge, exhibit, n="1")
    assert "hx-get" in part and "HX-Retarget" not in headers and "<html" not in part
    Run.objects.filter(pk=before.pk).update(state="cancelled")
    Run.objects.filter(pk=run.pk).update(state="running", stage="verifying")
    assert "正在逐项核对" in poll(judge, exhibit, n="2")[0]
    courtroom.conclude(run, courtroom.consistent())
    part, headers = poll(judge, exhibit, n="3")
    assert headers["HX-Retarget"] == "#result" and "核验一致" in part
    assert part.count("hx-get") == part.count('hx-select="#captures-part"'), "the verdict is asked for once more; what the file shows has its own time"
    assert 'id="said"' in part and "核验已结束：核验一致" in part


def test_only_a_page_that_has_asked_again_says_that_it_updates_itself(judge: User, exhibit: Exhibit) -> None:
    """Without script it never does: it offers a link. To see it fail: say it on the page as it is first sent."""
    courtroom.run(exhibit, state=Run.State.QUEUED)
    first, client = visit(judge, exhibit), Client(headers={"HX-Request": "true"})
    client.force_login(judge)
    later = client.get(reverse("exhibits:progress", args=[exhibit.public_id]), {"n": 1}).content.decode()
    assert "自动更新" not in first and "您可以离开，稍后再回来。" in first and "<noscript>" in first
    assert "本页会自动更新。" in later


def test_how_much_of_a_large_file_was_read_is_shown_in_figures(judge: User, party: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, state=Run.State.RUNNING, stage="records", stage_file="a<b>.wacz", bytes_done=210 << 20, bytes_total=500 << 20)
    for user in (judge, party):
        page = visit(user, exhibit)
        assert "正在逐条核对网页存档里的记录。" in page
        assert "a&lt;b&gt;.wacz" in page and "已读 210.0" in page and "共 500.0" in page
        assert f'value="{210 << 20}" max="{500 << 20}"' in page
    part, _ = poll(judge, exhibit, n="2", was="runningrecords0")
    assert "210.0" in part and 'id="said"' not in part, "figures are not read aloud"
    Run.objects.update(bytes_done=None, bytes_total=None, stage_file="", stage="storing")
    assert "<progress" not in visit(judge, exhibit)


def test_only_news_is_spoken_aloud(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, state=Run.State.RUNNING, stage="verifying")
    part, _ = poll(judge, exhibit, n="1", was="queued0")
    assert 'id="said"' in part
    part, _ = poll(judge, exhibit, n="2", was="runningverifying0")
    assert 'id="said"' not in part


def test_the_page_asks_less_and_less_often(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, state=Run.State.RUNNING)
    waits = [int(re.findall(r"load delay:(\d+)s", poll(judge, exhibit, n=str(n))[0])[0]) for n in (0, 14, 15, 40, 100, 9999)]
    assert waits == [2, 2, 5, 15, views.POLL_SLOWEST, views.POLL_SLOWEST]
    for odd in ("-1", "x", "", "²", "1" * 30):
        assert "load delay:2s" in poll(judge, exhibit, n=odd)[0]


def test_without_script_the_address_leads_back_to_the_page(judge: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, state=Run.State.RUNNING)
    client = Client()
    client.force_login(judge)
    response = client.get(reverse("exhibits:progress", args=[exhibit.public_id]))
    assert response["Location"] == reverse("exhibits:exhibit", args=[exhibit.public_id])


# ── the party ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_party_gets_plain_words_what_next_and_no_findings(party: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, courtroom.inconsistent())
    page = visit(party, exhibit)
    text = words(page)
    assert "至少一项必需检查得出相反结果" in text and "怎么办" in headings(page)
    assert "finding-" not in page and "mj-drawing" not in page and "重新核验" not in text and "出具核验报告" not in text


def test_details_open_to_a_party_with_release(party: User, exhibit: Exhibit) -> None:
    courtroom.run(exhibit, courtroom.consistent(), released=True)
    page = visit(party, exhibit)
    assert "mj-drawing" in page and "finding-1" in page and "重新核验</button>" not in page


def test_a_newer_run_not_yet_released_does_not_open_with_the_older_one(case: Case, exhibit: Exhibit) -> None:
    """The other side sees the released run only. To see it fail: take the newest run whoever asks."""
    other = courtroom.person("other")
    courtroom.join(other, case, Role.LITIGANT, Side.DEFENDANT)
    Exhibit.objects.filter(pk=exhibit.pk).update(exchanged=True)
    courtroom.run(exhibit, courtroom.consistent(), released=True)
    courtroom.run(exhibit, courtroom.inconsistent())
    page = visit(other, exhibit)
    assert "核验一致" in page and "核验不一致" not in page


def test_the_other_side_learns_only_that_nothing_is_open_yet(case: Case, exhibit: Exhibit) -> None:
    other = courtroom.person("other")
    courtroom.join(other, case, Role.LITIGANT, Side.DEFENDANT)
    Exhibit.objects.filter(pk=exhibit.pk).update(exchanged=True)
    courtroom.run(exhibit, courtroom.consistent())
    text = words(visit(other, exhibit))
    assert "核验结果还没有向您开放" in text and "核验一致" not in text and "走到哪一步" not in text


def test_the_end_of_a_mandate_closes_the_page_between_two_clicks(case: Case, exhibit: Exhibit) -> None:
    agent = courtroom.person("agent")
    membership = courtroom.join(agent, case, Role.AGENT, Side.PLAINTIFF, days=1)
    courtroom.run(exhibit, state=Run.State.RUNNING)
    assert "hx-get" in visit(agent, exhibit)
    Membership.objects.filter(pk=membership.pk).update(valid_to=timezone.now() - timedelta(seconds=1))
    client = Client(headers={"hx-request": "true"})
    client.force_login(agent)
    assert client.get(reverse("exhibits:progress", args=[exhibit.public_id])).status_code == 404
