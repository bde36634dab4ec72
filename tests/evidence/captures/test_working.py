"""A file waits, is read in the jail, and what it shows lies in the vault: once for each file, whatever happens on the way."""

import io
import re
from pathlib import Path

import pytest
from django.db import connection
from PIL import Image

from evidence.captures import kept, queue, working
from evidence.captures.capture import READER, Kind, Reading, lines
from evidence.captures.models import FileReading
from evidence.exhibits.models import Exhibit
from evidence.runs.jail import Jail
from portal.vault import Vault
from tests import courtroom

pytestmark = pytest.mark.django_db

PAGE = "<!doctype html><title>作品</title><p>第一段<p hidden>藏<script>x</script>".encode()


def png(width: int = 30, height: int = 20) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def vault(tmp_path: Path, settings: object) -> Vault:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined]
    return Vault(tmp_path / "vault")


@pytest.fixture
def exhibit(vault: Vault) -> Exhibit:
    return courtroom.hand_in(courtroom.case(), courtroom.person("p"), files={"page.html": PAGE, "shot.png": png(), "again.html": PAGE})


def test_each_file_is_read_once_and_what_it_shows_is_kept(exhibit: Exhibit, vault: Vault) -> None:
    queue.request(exhibit)
    queue.request(exhibit)
    assert FileReading.objects.count() == 2, "the same bytes twice are one file"
    while working.work_once():
        pass
    rows = {r.sha256: r for r in FileReading.objects.all()}
    assert {r.state for r in rows.values()} == {"done"} and {r.reader for r in rows.values()} == {READER}
    page, picture = (
        Reading.from_bytes(vault.open(rows[exhibit.files.get(name=n).sha256].reading_sha256).read()) for n in ("page.html", "shot.png")
    )
    (capture,) = page.captures
    assert (capture.kind, capture.facts.title, lines(capture.text)) == (Kind.PAGE, "作品", ["第一段"])
    assert [PAGE[r.at : r.at + r.length].decode() for r in capture.text if r.length] == ["第一段"]
    assert capture.notes == ("HIDDEN_TEXT:1", "SAFE_SCRIPTS:1")
    (view,) = picture.captures[0].views
    assert Image.open(vault.open(view.sha256)).size == (30, 20)


def test_files_that_nobody_requested_are_taken_up(exhibit: Exhibit) -> None:
    """Of before this reader. To see it fail: leave the INSERT out of the sweep."""
    queue.sweep()
    assert FileReading.objects.filter(state="queued").count() == 2


def test_a_new_reader_reads_again_and_the_older_reading_stays(exhibit: Exhibit, vault: Vault) -> None:
    """What the older one found is shown until the newer is done, and stands afterwards as it was."""
    with pytest.MonkeyPatch.context() as earlier:
        earlier.setattr(queue, "READER", "mingjian-reader/1")
        queue.request(exhibit)
        while working.work_once():
            pass
    before = list(FileReading.objects.order_by("pk").values())
    assert {r["state"] for r in before} == {"done"} and {r["reader"] for r in before} == {"mingjian-reader/1"}
    assert [s.waiting for s in kept.of_files(exhibit.files.all())] == [False] * 3
    queue.sweep()
    assert FileReading.objects.filter(reader=READER, state="queued").count() == 2
    assert all(s.row.reader == "mingjian-reader/1" and s.captures for s in kept.of_files(exhibit.files.all()) if s.row)
    while working.work_once():
        pass
    assert all(s.row.reader == READER and s.captures for s in kept.of_files(exhibit.files.all()) if s.row)
    assert list(FileReading.objects.filter(reader="mingjian-reader/1").order_by("pk").values()) == before
    queue.sweep()
    assert FileReading.objects.count() == 4


def test_a_reader_that_is_stopped_parks_the_file_with_the_reason(exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch) -> None:
    queue.request(exhibit)
    with Jail(weak=True, entry="evidence.runs.probes:attempt") as jail:  # answers no reading
        monkeypatch.setattr(working, "_jail", lambda entry: jail)
        working.work_once()
    row = FileReading.objects.get(attempt=1)
    assert row.state == "parked" and row.fault.startswith("CRASH") and row.reading_sha256 == ""


def test_our_own_fault_is_another_attempt_and_has_an_end(exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    settings.PORTAL_ATTEMPTS_MAX = 2  # type: ignore[attr-defined]
    queue.request(exhibit)

    def broken(path: Path, *, sha256: str) -> str:
        raise OSError("the disk is gone")

    monkeypatch.setattr(working, "look", broken)
    for _ in range(4):
        working.work_once()
    assert not working.work_once()
    queue.sweep()
    assert {(r.state, r.attempt) for r in FileReading.objects.all()} == {("parked", 2)}
    assert all("disk" in r.fault for r in FileReading.objects.all())


def test_a_worker_that_lost_its_lease_writes_nothing(exhibit: Exhibit) -> None:
    queue.request(exhibit)
    late = queue.READINGS.claim()
    assert late is not None
    FileReading.objects.filter(pk=late.pk).update(lease_until="2020-01-01T00:00Z")
    now = queue.READINGS.claim()
    assert now is not None and (now.pk, now.attempt) == (late.pk, 2)
    assert not queue.READINGS.finish(late, reading_sha256="a" * 64, captures=1) and not queue.READINGS.give_back(late, fault="x")
    assert queue.READINGS.finish(now, reading_sha256="b" * 64, captures=1)


def test_a_reading_of_something_else_is_refused(vault: Vault) -> None:
    stored = vault.put_bytes(PAGE)
    assert working.look(vault.path(stored.sha256), sha256="0" * 64) == "CRASH: a reading of something else"


def test_the_jail_reads_pictures_and_printed_pages(vault: Vault, tmp_path: Path) -> None:
    """Pillow and PDFium under the system call filter; a picture beyond the pixels is said, not drawn."""
    pdf = io.BytesIO()
    Image.new("RGB", (200, 100), "blue").save(pdf, "PDF")
    webp, jpeg = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (50, 40), "green").save(webp, "WEBP")
    Image.new("RGB", (60, 40), "green").save(jpeg, "JPEG")
    huge = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(huge, "PNG")
    shown = {}
    for name, data in {"pdf": pdf, "webp": webp, "jpeg": jpeg, "huge": huge}.items():
        stored = vault.put_bytes(data.getvalue())
        found = working.look(vault.path(stored.sha256), sha256=stored.sha256)
        assert not isinstance(found, str), (name, found)
        shown[name] = found[0].captures[0]
    assert [len(shown[n].views) for n in ("pdf", "webp", "jpeg", "huge")] == [1, 1, 1, 0]
    assert shown["huge"].notes == ("IMAGE_MAX_PIXELS",)


def test_the_rows_stand(exhibit: Exhibit) -> None:
    """The database itself refuses. To see it fail: drop a trigger of the migration."""
    from tests.evidence.test_rows_kept import refused

    queue.request(exhibit)
    claim = queue.READINGS.claim()
    assert claim is not None
    assert refused("DELETE FROM captures_filereading")
    assert refused("UPDATE captures_filereading SET sha256 = 'x'")
    assert refused("UPDATE captures_filereading SET attempt = 4 WHERE state = 'running'")
    queue.READINGS.finish(claim, reading_sha256="a" * 64, captures=1)
    for change in ("reading_sha256 = 'b'", "state = 'queued'", "captures = 3", "fault = 'x'"):
        assert refused(f"UPDATE captures_filereading SET {change} WHERE state = 'done'"), change


def test_the_columns_of_the_guard_are_those_of_the_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'captures_filereading'")
        columns = {row[0] for row in cursor.fetchall()}
    text = Path(queue.__file__).with_name("migrations").joinpath("0001_initial.py").read_text()
    named = set(re.findall(r"'([a-z0-9_]+)'", text.split("record_keep_all_but(", 1)[1].split(";", 1)[0]))
    assert named < columns
