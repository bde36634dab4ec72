"""A pair waits, is compared in the jail, and the result lies in the vault: once for each pair, whichever side is called left."""

import io
import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from evidence.captures.capture import Capture, Facts, Kind, Place, Reading, Run
from evidence.captures.comparison import queue, working
from evidence.captures.comparison.models import ComparedPair
from evidence.captures.comparison.queue import Item, Pair, pair
from evidence.captures.comparison.result import Kind as PartKind
from evidence.captures.comparison.result import PictureResult, TextResult
from evidence.runs.jail import Jail
from portal.vault import Vault

pytestmark = pytest.mark.django_db


def reading(*lines: str) -> bytes:
    runs = [r for n, line in enumerate(lines) for r in (Run(line, n, len(line.encode())), Run("\v", n, 0))]
    place = Place("a" * 64, "b" * 64, 1)
    return Reading((Capture("file", Kind.PAGE, Facts(), place), Capture("file.1", Kind.PAGE, Facts(), place, tuple(runs)))).to_bytes()


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def vault(tmp_path: Path, settings: object) -> Vault:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined]
    return Vault(tmp_path / "vault")


def texts(vault: Vault, left: bytes, right: bytes) -> tuple[Pair, bool]:
    return pair("texts", *(Item(vault.put_bytes(data).sha256, 2) for data in (left, right)))


def compared(found: Pair) -> ComparedPair:
    queue.wanted([found])
    while working.work_once():
        pass
    return queue.wanted([found])[found]


def test_a_pair_is_compared_once_and_the_result_is_kept(vault: Vault) -> None:
    found, turned = texts(vault, reading("同一行", "只在左"), reading("同一行", "完全另外的话"))
    again, other = texts(vault, reading("同一行", "完全另外的话"), reading("同一行", "只在左"))
    assert (again, other) == (found, not turned)
    row = compared(found)
    assert (row.state, row.attempt, row.fault) == ("done", 1, "") and ComparedPair.objects.count() == 1
    result = TextResult.from_bytes(vault.open(row.result_sha256).read())
    seen = result.mirrored() if turned else result
    assert [(p.kind, p.left, p.right, p.count) for p in seen.parts] == [(PartKind.SAME, 0, 0, 1), (PartKind.LEFT, 1, 1, 1), (PartKind.RIGHT, 2, 1, 1)]


def test_the_jail_compares_the_heaviest_that_a_reading_holds(vault: Vault) -> None:
    """40,000 lines, 2 MB; pictures of 1,400 × 16,000. To see it fail: give the jail half the memory."""
    dice = random.Random(7)
    many = [[f"{dice.getrandbits(160):x}"[:24] for _ in range(19_999)] for _ in range(2)]
    found, _turned = texts(vault, reading(*many[0]), reading(*many[1]))
    assert compared(found).state == "done"
    pictures = []
    for n in range(2):
        picture = Image.new("RGB", (1_400, 16_000), "white")
        for _ in range(500):
            x, y = dice.randrange(1_300), dice.randrange(15_900)
            ImageDraw.Draw(picture).rectangle((x, y, x + 90, y + 40), fill=(n, dice.randrange(256), dice.randrange(256)))
        pictures.append(Item(vault.put_bytes(png(picture)).sha256))
    found, _turned = pair("pictures", *pictures)
    row = compared(found)
    assert (row.state, row.fault) == ("done", "")
    result = PictureResult.from_bytes(vault.open(row.result_sha256).read())
    assert 0 < result.differing <= result.tiles and vault.has(result.overlay) and vault.has(result.difference)


def test_what_stops_the_comparison_is_said_and_ends(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = png(Image.new("1", (30_000, 30_000)))
    found, _turned = pair("pictures", Item(vault.put_bytes(huge).sha256), Item(vault.put_bytes(b"\x89PNG\r\n\x1a\nno").sha256))
    assert (compared(found).state, compared(found).fault) == ("parked", "CRASH: NotCompared")
    found, _turned = texts(vault, reading("甲"), reading("乙"))
    with Jail(weak=True, entry="evidence.runs.probes:attempt") as jail:  # answers no result
        monkeypatch.setattr(working, "_jail", lambda entry: jail)
        assert compared(found).fault.startswith("CRASH")


def test_our_own_fault_is_another_attempt_and_has_an_end(vault: Vault, settings: object) -> None:
    settings.PORTAL_ATTEMPTS_MAX = 2  # type: ignore[attr-defined]
    found, _turned = pair("pictures", Item("0" * 64), Item("1" * 64))  # not in the vault
    row = compared(found)
    assert (row.state, row.attempt) == ("queued", 2)
    queue.COMPARISONS.sweep()
    row.refresh_from_db()
    assert row.state == "parked" and "0000" in row.fault


def test_a_worker_that_lost_its_lease_writes_nothing(vault: Vault) -> None:
    found, _turned = pair("pictures", Item("0" * 64), Item("1" * 64))
    queue.wanted([found])
    late = queue.COMPARISONS.claim()
    assert late is not None and queue.pair_of(late) == found
    ComparedPair.objects.filter(pk=late.pk).update(lease_until="2020-01-01T00:00Z")
    now = queue.COMPARISONS.claim()
    assert now is not None and (now.pk, now.attempt) == (late.pk, 2)
    assert not queue.COMPARISONS.finish(late, result_sha256="a" * 64) and not queue.COMPARISONS.give_back(late, fault="x")
    assert queue.COMPARISONS.finish(now, result_sha256="b" * 64)


def test_nobody_fills_the_queue(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "WAITING_MAX", 3)
    pairs = [pair("pictures", Item(f"{n:064x}"), Item("f" * 64))[0] for n in range(5)]
    assert len(queue.wanted(pairs)) == 3 and len(queue.wanted(pairs)) == 3
    assert ComparedPair.objects.count() == 3


def test_the_rows_stand(vault: Vault) -> None:
    """The database itself refuses. To see it fail: drop a trigger of the migration."""
    from tests.evidence.test_rows_kept import refused

    queue.wanted([pair("pictures", Item("0" * 64), Item("1" * 64))[0]])
    claim = queue.COMPARISONS.claim()
    assert claim is not None
    table = "captures_comparison_comparedpair"
    assert refused(f"DELETE FROM {table}")
    for change in ("left_sha256 = 'x'", "right_item = 4", "method = 'x'", "what = 'texts'", "attempt = 4"):
        assert refused(f"UPDATE {table} SET {change}"), change
    queue.COMPARISONS.finish(claim, result_sha256="a" * 64)
    for change in ("result_sha256 = 'b'", "state = 'queued'", "fault = 'x'"):
        assert refused(f"UPDATE {table} SET {change}"), change
