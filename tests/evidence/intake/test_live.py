"""The real server over real sockets: bodies cut anywhere (U1), and a disk that is really full (U6).

Django and its server take a cut body for a shorter one; the test client cannot show that, a socket can.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.intake.models import Draft, Upload
from portal.people.models import User

from .conftest import Device, answered, page, sha256, signed_in, sm3, stored

pytestmark = pytest.mark.django_db(transaction=True)
BOUNDARY = "----form-boundary-7d3a"


@dataclass
class Server:
    port: int
    cookie: str
    token: str

    def headers(self, **more: str) -> dict[str, str]:
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.cookie}; {settings.CSRF_COOKIE_NAME}={self.token}"
        return {"Host": "localhost", "Cookie": cookies, "X-CSRFToken": self.token, **more}

    def request(self, method: str, address: str, body: bytes = b"", **headers: str) -> HTTPResponse:
        line = HTTPConnection("127.0.0.1", self.port, timeout=30)
        line.request(method, address, body or None, self.headers(**headers))
        response = line.getresponse()
        response.body = response.read()  # type: ignore[attr-defined]
        line.close()
        return response

    def cut(self, method: str, address: str, sent: bytes, **headers: str) -> int:
        """Send the head and only `sent` of the body, hang up, and return the status (0: the server hung up too)."""
        head = "".join(f"{k}: {v}\r\n" for k, v in self.headers(Connection="close", **headers).items())
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            line.sendall(f"{method} {address} HTTP/1.1\r\n{head}\r\n".encode() + sent)
            line.shutdown(socket.SHUT_WR)
            answer = line.recv(4096)
        return int(answer.split()[1]) if answer else 0


def serve(environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "portal.wsgi",
            "-b",
            f"127.0.0.1:{port}",
            "-k",
            "gthread",
            "--threads",
            "8",
        ],
        env=os.environ | environment,
        cwd=settings.ROOT,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return server, port
        except OSError:
            time.sleep(0.05)
    server.kill()
    raise RuntimeError("the server did not start")


def environment(vault_dir: Path) -> dict[str, str]:
    here = connection.settings_dict
    options = here["OPTIONS"].get("host") or here["HOST"]
    return {
        "PORTAL_DATABASE_URL": f"postgresql://{here['USER']}@/{here['NAME']}?host={quote(options, safe='')}",
        "PORTAL_VAULT_DIR": str(vault_dir),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }


@pytest.fixture
def draft(litigant: User, case: Case) -> Draft:
    return answered(signed_in(litigant))


@pytest.fixture
def server(draft: Draft, litigant: User, vault_dir: Path) -> Iterator[Server]:
    session = Client()
    session.force_login(litigant)
    process, port = serve(environment(vault_dir))
    try:
        yield Server(port, session.cookies[settings.SESSION_COOKIE_NAME].value, "a" * 32)
    finally:
        process.terminate()
        process.wait(20)


FILES = [("one.txt", b"first file " * 400), ("two.bin", bytes(range(256)) * 30)]


def form(token: str) -> bytes:
    """The plain form as a browser writes it: token, files, button, closing field."""

    def part(disposition: str, data: bytes) -> bytes:
        return (
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + data + b"\r\n"
        )

    return b"".join(
        [
            part('name="csrfmiddlewaretoken"', token.encode()),
            *(part(f'name="files"; filename="{name}"', data) for name, data in FILES),
            part('name="manifest"', b""),
            part('name="action"', b"upload"),
            part('name="end"', b"whole"),
            f"--{BOUNDARY}--\r\n".encode(),
        ]
    )


MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def cuts(body: bytes) -> list[int]:
    """The interesting places, and others at random."""
    second, last = body.index(b"two.bin"), body.index(b'name="end"')
    named = [
        1,
        second - 30,
        second,
        second + 40,
        second + 4000,
        last - 60,
        last,
        last + 14,
        last + 16,
        last + 19,
        len(body) - 8,
    ]
    return named + random.Random(7).sample(range(len(body) - 1), 25)


def test_the_whole_form_arrives(server: Server, draft: Draft, vault_dir: Path) -> None:
    body = form(server.token)
    assert server.request("POST", page(draft, "files"), body, **MULTIPART).status == 302
    assert [(u.name, u.size, u.state) for u in draft.uploads.all()] == [
        (n, len(d), "arrived") for n, d in FILES
    ]
    assert stored(vault_dir) == sorted(sha256(d) for _, d in FILES)


def test_a_form_cut_anywhere_leaves_nothing(server: Server, draft: Draft, vault_dir: Path) -> None:
    """The connection ends before the announced length."""
    body = form(server.token)
    for cut in cuts(body):
        status = server.cut(
            "POST", page(draft, "files"), body[:cut], **MULTIPART, **{"Content-Length": str(len(body))}
        )
        assert status == 0 or 400 <= status < 500, (cut, status)
        assert not Upload.objects.exists(), cut
        assert stored(vault_dir) == [], cut


def test_a_form_cut_by_something_that_counted_again_leaves_nothing(
    server: Server, draft: Draft, vault_dir: Path
) -> None:
    """A proxy that lost the end and announces the shorter length: the closing field is missing."""
    body = form(server.token)
    closed = body.rindex(b"whole") + len(b"whole")  # from here on nothing of the person's is missing
    for cut in (c for c in cuts(body) if c < closed):
        status = server.cut(
            "POST", page(draft, "files"), body[:cut], **MULTIPART, **{"Content-Length": str(cut)}
        )
        assert 400 <= status < 500, (cut, status)
        assert not Upload.objects.exists(), cut
        assert stored(vault_dir) == [], cut


def test_a_form_in_chunks_is_not_taken(server: Server, draft: Draft, vault_dir: Path) -> None:
    body = form(server.token)
    for sent in (
        f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n",
        f"{len(body):x}\r\n".encode() + body[:5000],
    ):
        status = server.cut(
            "POST", page(draft, "files"), sent, **MULTIPART, **{"Transfer-Encoding": "chunked"}
        )
        assert status == 0 or 400 <= status < 500
        assert not Upload.objects.exists()


def test_answers_cut_on_the_way_are_not_kept(server: Server, draft: Draft) -> None:
    kept = draft.answers["what"]
    body = f"csrfmiddlewaretoken={server.token}&category=web&original_form=native&origin=&name=abcdefghij".encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    assert 400 <= server.cut("POST", page(draft, "what"), body[:-4], **kind) < 500
    draft.refresh_from_db()
    assert draft.answers["what"] == kept


def test_a_part_cut_half_way_keeps_what_arrived(server: Server, draft: Draft, vault_dir: Path) -> None:
    data = os.urandom(1 << 20)
    places = Device(Client(), draft)
    metadata = {"Upload-Length": str(len(data)), "Upload-Metadata": "filename YS5iaW4="}
    location = server.request("POST", places.at, **metadata).headers["Location"]
    patch = {"X-HTTP-Method-Override": "PATCH", "Content-Type": "application/offset+octet-stream"}
    offset = 0
    for cut in (1, 65_537, 300_000):
        rest = data[offset:]
        lengths = {"Content-Length": str(len(rest)), "Upload-Offset": str(offset)}
        status = server.cut("POST", location, rest[:cut], **patch, **lengths)
        assert status == 0 or 400 <= status < 500
        for _ in range(100):  # a part still being written answers 423 to the next
            now = server.request("HEAD", location)
            if int(now.headers["Upload-Offset"]) >= offset + cut:
                break
            time.sleep(0.02)
        offset = int(now.headers["Upload-Offset"])
    assert offset == 1 + 65_537 + 300_000
    done = server.request("POST", location, data[offset:], **patch, **{"Upload-Offset": str(offset)})
    assert done.status == 204
    told = json.dumps({"sha256": sha256(data), "sm3": sm3(data)}).encode()
    assert (
        server.request("POST", f"{location}digests/", told, **{"Content-Type": "application/json"}).status
        == 200
    )
    assert stored(vault_dir) == [sha256(data)]


def test_a_form_over_its_bound_is_told_so(server: Server, draft: Draft, vault_dir: Path) -> None:
    body = b"--x\r\n" + b"\0" * (51 << 20)
    response = server.request(
        "POST", page(draft, "files"), body, **{"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert response.status == 413
    assert "文件超过 50.0" in response.body.decode()  # type: ignore[attr-defined]
    assert stored(vault_dir) == []


# ── a disk that is really full ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("a real full disk needs the right to mount a tmpfs")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_twenty_uploads_on_a_full_disk(
    draft: Draft, litigant: User, small_disk: Path, settings: object
) -> None:
    """U6: whatever cannot be kept is refused with 507; what was acknowledged is whole; freed space heals."""
    vault = small_disk / "vault"
    settings.PORTAL_VAULT_DIR = vault  # type: ignore[attr-defined]
    session = Client()
    session.force_login(litigant)
    process, port = serve(environment(vault))
    server = Server(port, session.cookies["sessionid"].value, "a" * 32)
    places = Device(Client(), draft)
    patch = {
        "X-HTTP-Method-Override": "PATCH",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
    }

    def send(number: int) -> tuple[int, bytes]:
        data = os.urandom(1 << 20)
        metadata = {"Upload-Length": str(len(data)), "Upload-Metadata": "filename YS5iaW4="}
        begun = server.request("POST", places.at, **metadata)
        if begun.status != 201:
            return begun.status, data
        location = begun.headers["Location"]
        part = server.request("POST", location, data, **patch)
        if part.status != 204:
            return part.status, data
        told = json.dumps({"sha256": sha256(data), "sm3": sm3(data)}).encode()
        return server.request(
            "POST", f"{location}digests/", told, **{"Content-Type": "application/json"}
        ).status, data

    try:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(send, range(20)))
        statuses = {status for status, _ in answers}
        assert statuses == {200, 507}, statuses
        for status, data in answers:
            if status == 200:
                digest = sha256(data)
                assert (vault / "sha256" / digest[:2] / digest[2:4] / digest).read_bytes() == data
        assert server.request("GET", page(draft, "files")).status == 200, "the portal stays readable"
        for upload in draft.uploads.filter(state="arriving"):
            server.request("DELETE", f"{places.at}{upload.public_id}/")
        first = draft.uploads.filter(state="arrived").first()
        assert first is not None
        (
            vault / "sha256" / first.sha256[:2] / first.sha256[2:4] / first.sha256
        ).unlink()  # somebody frees space
        assert send(21)[0] == 200, "works again after freeing"
    finally:
        process.terminate()
        process.wait(20)
    assert not Exhibit.objects.exists()
