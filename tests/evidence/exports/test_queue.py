"""The work: nothing twice, a killed worker, a full disk, rights that end, the end of an archive's time."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, Membership, Role
from evidence.exports import archive, making, queue, working
from evidence.exports.models import Export
from evidence.reports.models import Report
from portal.ledger.models import Entry
from portal.vault import StoreFull
from tests import courtroom

from .desk import Desk


def files() -> list[str]:
    return sorted(p.name for p in archive.directory().iterdir())


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def acts(code: str) -> int:
    return sum(f'"{code}"'.encode() in bytes(leaf) for leaf in Entry.objects.values_list("leaf", flat=True))


def lapse(export: Export) -> None:
    """The worker is gone: its lease is over."""
    Export.objects.filter(pk=export.pk).update(lease_until="2000-01-01T00:00:00Z")


# ── nothing twice ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_order_while_one_is_pending_is_that_one(desk: Desk) -> None:
    one, two = desk.exhibit(), desk.exhibit()
    report = desk.reported(one)
    first = desk.order(one, two)
    assert desk.order(two, one) == first and desk.order(one, two, reports=[report]) == first
    assert desk.order(one) != first
    queue.EXPORTS.claim()
    assert desk.order(one, two) == first
    assert Report.objects.count() == 1 and Report.objects.get().state == "signed"


def test_another_person_orders_an_export_of_its_own(desk: Desk) -> None:
    one, other = desk.exhibit(), courtroom.person("other")
    courtroom.join(other, desk.case, Role.PRESIDING_JUDGE)
    assert desk.order(one) != desk.order(one, by=other)


def test_the_database_refuses_a_second_pending_one(desk: Desk) -> None:
    made = desk.order(desk.exhibit())
    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.create(case=desk.case, ordered_by=desk.clerk, contents_sha256=made.contents_sha256)


def test_only_a_page_that_has_asked_again_says_that_it_updates_itself(desk: Desk) -> None:
    """Without script it never does. To see it fail: say it on the page as it is first sent."""
    made, client = desk.order(desk.exhibit()), client_of(desk.clerk)
    first = client.get(reverse("exports:export", args=[made.public_id])).content.decode()
    later = client.get(reverse("exports:state", args=[made.public_id]), headers={"HX-Request": "true"}).content.decode()
    assert "自动更新" not in first and "刷新查看进度" in first and "本页会自动更新。" in later


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "我的案件"), ("en", "My cases")])
def test_the_way_back_is_called_what_it_leads_to(desk: Desk, language: str, words: str) -> None:
    """Crumbs of exports and of reports; the first is the list of cases, not a case. To see it fail: call it 案件, Case."""
    report = desk.reported(desk.exhibit())
    for name, key in (("exports:of_case", desk.case.public_id), ("reports:report", report.public_id)):
        page = client_of(desk.clerk).get(reverse(name, args=[key]), headers={"accept-language": language}).content.decode()
        assert f'<a class="govuk-breadcrumbs__link" href="/">{words}</a>' in page


def test_bounds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    exhibits = [desk.exhibit() for _ in range(4)]
    for e in exhibits[: queue.PENDING_MAX]:
        desk.order(e)
    for expected, bound, chosen in (("pending", None, exhibits[3:]), ("nothing", None, []), ("too_many", "EXHIBITS_MAX", exhibits)):
        if bound:
            monkeypatch.setattr(queue, bound, 3)
        with pytest.raises(queue.ExportRefused) as refused:
            desk.order(*chosen)
        assert refused.value.reason == expected


# ── a worker that dies, and a disk that is full ───────────────────────────────────────────────────────────────────────


def test_what_a_killed_worker_left_is_made_again_and_tidied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """To see it fail: let the second attempt write under the first one's name."""
    one = desk.exhibit()
    desk.reported(one)
    made = desk.order(one)

    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(making.archive, "publish", kill)
        patch.setattr("pathlib.Path.unlink", lambda *a, **k: None)  # a process that is killed cleans nothing up
        with pytest.raises(Killed):
            working.work_once()
    assert [n.split(".", 1)[1] for n in files()] == ["1.bundle.part", "1.part"]
    assert not working.work_once(), "its lease still runs"
    lapse(made)
    assert working.work_once()
    made.refresh_from_db()
    assert (made.state, made.attempt) == ("done", 2)
    queue.sweep()
    assert files() == [f"{made.public_id}.2.zip"]


def test_a_worker_that_lost_its_lease_writes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = desk.order(desk.exhibit())
    plain, first = making.make, Export(pk=made.pk, attempt=1)

    def slow(export: Export, **options: Any) -> tuple[str, int]:
        done = plain(export, **options)
        lapse(export)
        queue.EXPORTS.claim()
        return done

    monkeypatch.setattr(making, "make", slow)
    working.work_once()
    made.refresh_from_db()
    assert (made.state, made.attempt, made.sha256, files()) == ("running", 2, "", [])
    assert not queue.finish(first, sha256="0" * 64, size=1)


def test_it_is_given_up_after_so_many_attempts(desk: Desk, settings: Any) -> None:
    made = desk.order(desk.exhibit())
    for _ in range(settings.PORTAL_ATTEMPTS_MAX):
        queue.EXPORTS.claim()
        lapse(made)
    assert queue.EXPORTS.claim() is None
    queue.sweep()
    made.refresh_from_db()
    assert (made.state, made.fault) == ("parked", "CRASH")


def test_our_own_fault_is_tried_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = desk.order(desk.exhibit())
    with monkeypatch.context() as patch:
        patch.setattr(making.listing, "as_csv", lambda rows: 1 / 0)
        working.work_once()
    made.refresh_from_db()
    assert made.state == "queued" and made.fault.startswith("ZeroDivisionError") and files() == []
    working.work_once()
    made.refresh_from_db()
    assert (made.state, made.fault) == ("done", "")


def test_a_full_disk_is_said_and_nothing_is_left(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first byte, and in the middle of one. To see it fail: let OSError through."""
    one = desk.exhibit()
    desk.reported(one)

    def enospc(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for where, what in (("demand_room", lambda size: (_ for _ in ()).throw(StoreFull("x"))), ("publish", enospc)):
        with monkeypatch.context() as patch:
            patch.setattr(archive, where, what)
            made = desk.made(one)
        assert (made.state, made.fault_code, files()) == ("parked", "NO_SPACE", [])
    with monkeypatch.context() as patch:
        patch.setattr(archive, "RESERVE_BYTES", 1 << 62)
        assert desk.made(one).fault_code == "NO_SPACE"


def test_too_large_and_missing_are_said(desk: Desk, settings: Any, tmp_path: Any) -> None:
    one = desk.exhibit(files={"big.bin": b"x" * 100})
    desk.reported(one)
    settings.PORTAL_EXPORT_MAX = 99
    assert desk.made(one).fault_code == "TOO_LARGE"
    settings.PORTAL_EXPORT_MAX = 100
    sha256 = one.files.get().sha256
    (tmp_path / "vault" / "sha256" / sha256[:2] / sha256[2:4] / sha256).unlink()
    made = desk.made(one)
    assert (made.state, made.fault_code, files()) == ("parked", "MISSING", [])


# ── rights, again at each download ────────────────────────────────────────────────────────────────────────────────────


def test_the_download(desk: Desk) -> None:
    """By whoever ordered it, in the book, also in ranges; a resumed one is one."""
    one = desk.exhibit()
    desk.reported(one)
    made, client = desk.made(one), client_of(desk.clerk)
    address = reverse("exports:download", args=[made.public_id])
    whole = client.get(address)
    body = b"".join(whole.streaming_content)
    assert len(body) == made.size and "filename*=utf-8''" in whole["Content-Disposition"] and "no-store" in whole["Cache-Control"]
    part = client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, body[10:20])
    assert client.get(address, headers={"Range": f"bytes={made.size}-"}).status_code == 416
    assert acts("export.download") == 1
    other = courtroom.person("other")
    courtroom.join(other, desk.case, Role.PRESIDING_JUDGE)
    assert client_of(other).get(address).status_code == 404
    assert client_of(other).get(reverse("exports:export", args=[made.public_id])).status_code == 200
    assert client_of(desk.party).get(reverse("exports:export", args=[made.public_id])).status_code == 404


def test_a_case_that_was_sealed_since_refuses_the_old_archive(desk: Desk) -> None:
    """And a new one holds digests. To see it fail: ask for rights only when it is ordered."""
    one = desk.exhibit(files={"a.txt": b"very secret"})
    desk.reported(one)
    made, client = desk.made(one), client_of(desk.clerk)
    Case.objects.filter(pk=desk.case.pk).update(sealed=True)
    refused = client.get(reverse("exports:download", args=[made.public_id]), follow=True)
    page = refused.content.decode()
    assert "不能再下载" in page and "重新导出" in page and b"very secret" not in refused.content
    client.post(reverse("exports:again", args=[made.public_id]))
    working.work_once()
    new = Export.objects.first()
    assert new != made and new.state == "done"
    assert b"very secret" not in archive.path(new.public_id, new.attempt).read_bytes()
    assert client.get(reverse("exports:download", args=[new.public_id])).status_code == 200


def test_whoever_left_the_case_gets_nothing(desk: Desk) -> None:
    made = desk.made(desk.exhibit())
    Membership.objects.get(user=desk.clerk).end(at=timezone.now())
    for name in ("export", "state", "download"):
        assert client_of(desk.clerk).get(reverse(f"exports:{name}", args=[made.public_id])).status_code == 404


def test_the_end_of_a_membership_closes_the_archive(desk: Desk) -> None:
    one = desk.exhibit()
    desk.reported(one)
    made = desk.made(one)
    assert working.rights.closed_since(desk.clerk, made) == ""
    Membership.objects.get(user=desk.clerk).end(at=timezone.now())
    assert working.rights.closed_since(desk.clerk, made) == "case"


def test_rights_that_end_before_the_work_stop_it(desk: Desk) -> None:
    one = desk.exhibit()
    desk.reported(one)
    ordered = desk.order(one)
    Case.objects.filter(pk=desk.case.pk).update(sealed=True)
    working.work_once()
    ordered.refresh_from_db()
    assert (ordered.state, ordered.fault, files()) == ("parked", "RIGHTS: content", [])


def test_a_party_and_an_expert_may_not_order(desk: Desk) -> None:
    expert = courtroom.person("expert")
    courtroom.join(expert, desk.case, Role.EXPERT)
    for user in (desk.party, expert):
        with pytest.raises(queue.ExportRefused, match="rights"):
            desk.order(desk.exhibit(), by=user)


# ── the end of its time ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_archive_is_removed_after_its_time_and_the_row_stays(desk: Desk, settings: Any) -> None:
    settings.PORTAL_EXPORT_DAYS = -1
    old = desk.made(desk.exhibit())
    client, address = client_of(desk.clerk), reverse("exports:download", args=[old.public_id])
    assert client.get(address).status_code == 302, "not even before the sweep"
    settings.PORTAL_EXPORT_DAYS = 7
    new = desk.made(desk.exhibit())
    queue.sweep()
    old.refresh_from_db()
    assert old.state == "expired" and len(old.sha256) == 64 and files() == [f"{new.public_id}.1.zip"]
    assert client.get(address, follow=True).status_code == 200 and acts("export.expire") == 1


def test_strange_files_in_the_directory_are_left_alone(desk: Desk) -> None:
    (archive.directory() / "note.txt").write_text("x")
    queue.sweep()
    assert files() == ["note.txt"]


# ── the row ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exports_export SET ordered_by_id = ordered_by_id + 1",
        "UPDATE exports_export SET state = 'queued'",
        "UPDATE exports_export SET sha256 = repeat('0', 64)",
        "UPDATE exports_export SET expires_at = now() + interval '1 year'",
        "DELETE FROM exports_export",
        "UPDATE exports_exportedexhibit SET content = NOT content",
        "DELETE FROM exports_exportedexhibit",
        "INSERT INTO exports_exportedexhibit (export_id, exhibit_id, listed, content) SELECT export_id, exhibit_id + 1, true, true FROM exports_exportedexhibit",
        "DELETE FROM exports_exportedreport",
        "UPDATE exports_exportedreport SET revision_id = revision_id + 1",
    ],
)
def test_the_database_keeps_what_was_made(desk: Desk, statement: str) -> None:
    one = desk.exhibit()
    desk.reported(one)
    desk.made(one)
    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert refused.value.__cause__.sqlstate == "23001"  # type: ignore[union-attr]
