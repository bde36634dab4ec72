"""A broker that is away, or takes the call and says nothing, while a person waits for the receipt (reliability G7, Q4)."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SECONDS_MAX = 3
"""G7: the upload is answered within three seconds whatever the broker does."""
RING = """
import time, django
django.setup()
from evidence.reports import bell as reports
from portal.celery import ring as send
for ring in (lambda n: send("evidence.runs.work.v1", n), lambda n: send("evidence.runs.bulk.v1", n), reports.ring):
    begun = time.monotonic()
    print(bool(ring(1)), time.monotonic() - begun)
"""


@pytest.fixture(params=["refuses", "is silent"])
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if request.param == "is silent":
            listening.listen(8)
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


def test_a_bell_that_cannot_be_rung_costs_less_than_three_seconds(broker: str, tmp_path: Path) -> None:
    """To see it fail: take max_retries out of CELERY_BROKER_TRANSPORT_OPTIONS; kombu then waits two and four seconds more."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PORTAL_")}
    settings = {
        "PORTAL_DEMO": "1",
        "PORTAL_BROKER_URL": broker,
        "PORTAL_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    done = subprocess.run([sys.executable, "-c", RING], cwd=ROOT, env=clean | settings, capture_output=True, text=True, check=True, timeout=60)
    rung = [line.split() for line in done.stdout.splitlines()]
    assert len(rung) == 3
    for said, seconds in rung:
        assert said == "False" and float(seconds) < SECONDS_MAX
    assert done.stderr.count("not rung") == 3, "each is said in the log"
