"""Hundreds at a time: questions to the database that do not grow, work that is measured, and choosing over many pages without a script."""

import re
import resource
import time
import tracemalloc
import zipfile
from pathlib import Path

from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from evidence.exhibits.models import Exhibit
from evidence.exports import archive, working
from evidence.exports.models import Export
from evidence.exports.rights import closed_since
from tests import courtroom
from tests.evidence.verification.test_command_line import run

from .desk import Desk

MANY = 300
SECONDS_MAX = 90
"""Measured: 17 s on 2 cores at load 8, with the tracing of memory, which slows it."""
MEMORY_MAX = 96 << 20
"""Python's own memory at its peak; measured: 4 MiB for 300 small verdicts. Files never count: they are copied in blocks."""


def fill(desk: Desk, count: int, *, number: str) -> list[Exhibit]:
    made = [desk.exhibit(files={"x.txt": f"{number} {n}".encode()}) for n in range(count)]
    desk.reported(*made, number=number)
    return made


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def test_three_hundred_exhibits(desk: Desk, tmp_path: Path) -> None:
    client = Client()
    client.force_login(desk.clerk)
    pages = [reverse(f"exports:{name}", args=[desk.case.public_id]) for name in ("choose", "of_case")]

    def counted(export: Export) -> list[int]:
        reset_queries()  # what is kept of them is bounded
        with CaptureQueriesContext(connection) as asked:
            assert closed_since(desk.clerk, export) == ""
        with CaptureQueriesContext(connection) as ordering:
            desk.order(whole=True)
        Export.objects.filter(state="queued").update(state="parked")
        return [*(queries(client, p) for p in [*pages, reverse("exports:export", args=[export.public_id])]), len(asked), len(ordering)]

    fill(desk, 60, number="HY2026-000001")
    few = counted(desk.made(whole=True))
    fill(desk, MANY - 60, number="HY2026-000002")
    ordered = desk.order(whole=True)
    tracemalloc.start()
    began = time.monotonic()
    working.work_once()
    seconds, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    ordered.refresh_from_db()
    assert ordered.state == "done", ordered.fault
    print(f"{MANY} exhibits: {seconds:.1f} s, peak {peak >> 20} MiB, process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB, {few} queries")
    assert seconds < SECONDS_MAX and peak < MEMORY_MAX
    assert counted(ordered) == few
    for number, expected in (("HY2026-000001", 60), ("HY2026-000002", MANY - 60)):
        inner = tmp_path / f"{number}.zip"
        inner.write_bytes(zipfile.ZipFile(archive.path(ordered.public_id, ordered.attempt)).read(f"核验包/{number}-核验包.zip"))
        done = run("--json", inner)
        assert done.returncode == 3 and done.stdout.count(b"\n") == expected


def test_what_is_chosen_on_one_page_is_kept_on_the_next(desk: Desk) -> None:
    """To see it fail: leave `kept` out of the form."""
    made = [desk.exhibit() for _ in range(120)]
    client = Client()
    client.force_login(desk.clerk)
    choose, make = (reverse(f"exports:{name}", args=[desk.case.public_id]) for name in ("choose", "make"))

    def fields(page: str) -> dict[str, object]:
        kept = re.search(r'name="kept" value="([^"]*)"', page)
        assert kept is not None
        return {"kept": kept[1], "exhibit": re.findall(r'name="exhibit" value="([^"]+)" id="[^"]+" checked', page)}

    first = str(made[0].public_id)
    second = fields(client.post(choose, {"exhibit": [first], "page": "1", "go": "2"}).content.decode())
    assert second == {"kept": first, "exhibit": []}
    third = fields(client.post(choose, {**second, "exhibit": [str(made[60].public_id)], "page": "2", "go": "3"}).content.decode())
    back = fields(client.post(choose, {**third, "page": "3", "go": "1"}).content.decode())
    assert back == {"kept": str(made[60].public_id), "exhibit": [first]}
    client.post(make, back)
    assert set(Export.objects.get().exhibits.values_list("exhibit", flat=True)) == {made[0].pk, made[60].pk}
    everything = fields(client.post(choose, {"page": "1", "go": "all"}).content.decode())
    client.post(make, everything)
    assert Export.objects.first().exhibits.count() == 120  # type: ignore[union-attr]
    nothing = fields(client.post(choose, {**everything, "page": "1", "go": "none"}).content.decode())
    assert nothing == {"kept": "", "exhibit": []}
    assert client.post(make, {"kept": "not-an-id ' OR 1=1", "exhibit": ["x"]}).status_code == 302 and Export.objects.count() == 2


def test_ids_of_another_case_are_passed_over(desk: Desk) -> None:
    other = courtroom.hand_in(courtroom.case(2), desk.party)
    client = Client()
    client.force_login(desk.clerk)
    client.post(reverse("exports:make", args=[desk.case.public_id]), {"exhibit": [str(other.public_id)]})
    assert not Export.objects.exists()
