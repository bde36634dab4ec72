"""A demonstration court of its own, started as a person would start it, and browsers in front of it.

The portal runs as `python -m portal.demonstration` in a process of its own: private PostgreSQL, gunicorn, embedded worker.
Every page a journey visits is looked at (`tests.screens`), in both languages and both widths where the journey says so.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import program
from tests.evidence.intake.browser import DESK, FLAGS, PHONE
from tests.screens import look, speak, watched

ROOT = Path(__file__).parents[2]
START_SECONDS = 180


@dataclass(frozen=True)
class Portal:
    address: str
    data: Path
    said: str
    """What the demonstration printed."""


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    data = tmp_path_factory.mktemp("demonstration")
    data.chmod(0o711)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PORTAL_") and k != "DJANGO_SETTINGS_MODULE"}
    log = data / "said.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.demonstration", "--port", str(port)],
            cwd=ROOT,
            env=environment | {"PORTAL_DATA_DIR": str(data / "court")},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://localhost:{port}"
    try:
        _wait(process, address, log)
        yield Portal(address, data / "court", log.read_text(encoding="utf-8"))
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    pytest.fail(f"the demonstration did not start:\n{log.read_text(encoding='utf-8')[-4000:]}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """For one file: while its driver's loop runs, no other test of this thread may ask the database."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """One person at one screen. Collects what must never happen: script errors, broken policies, foreign requests."""

    def __init__(self, page: Page, portal: Portal, width: str) -> None:
        self.page, self.portal, self.width = page, portal, width
        self.complaints: list[str] = []
        # A form answered with "please correct" carries status 422, which the browser notes on its console.
        page.on(
            "console",
            lambda m: self.complaints.append(m.text)
            if m.type in ("error", "warning") and "status of 422" not in m.text
            else None,
        )
        page.on("pageerror", lambda e: self.complaints.append(str(e)))
        page.on(
            "request",
            lambda r: None
            if r.url.startswith((portal.address, "data:", "blob:"))
            else self.complaints.append(f"foreign request {r.url}"),
        )

    def sign_in(self, name: str) -> None:
        self.page.goto(self.portal.address + "/accounts/login/")
        self.page.get_by_role("button", name=name).click()
        self.page.wait_for_url(self.portal.address + "/")

    def seen(self, name: str) -> None:
        """The page as it stands, looked at in Chinese and in English."""
        for language in ("zh", "en"):
            if language == "en":
                speak(self.page, "en")
            look(self.page, f"{name}-{self.width}-{language}")
        speak(self.page, "zh")


@contextmanager
def visiting(browser: Browser, portal: Portal, size: dict[str, int]) -> Iterator[Visitor]:
    phone = size is PHONE
    context = browser.new_context(
        viewport=size, locale="zh-CN", is_mobile=phone, has_touch=phone, device_scale_factor=2 if phone else 1,
        accept_downloads=True,
    )
    visitor = Visitor(context.new_page(), portal, "phone" if phone else "desk")
    try:
        with watched(context):
            yield visitor
        assert visitor.complaints == []
    finally:
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A journey that fails leaves what the portal said."""
    report = yield
    if report.when == "call" and report.failed:
        for name in ("phone", "desk"):
            visitor = getattr(item, "funcargs", {}).get(name)
            if visitor is not None:
                said = (visitor.portal.data.parent / "said.log").read_text(encoding="utf-8")[-2000:]
                report.sections.append((f"{name} at {visitor.page.url}", said))
    return report


@pytest.fixture
def phone(chromium: Browser, portal: Portal) -> Iterator[Visitor]:
    with visiting(chromium, portal, PHONE) as visitor:
        yield visitor


@pytest.fixture
def desk(chromium: Browser, portal: Portal) -> Iterator[Visitor]:
    with visiting(chromium, portal, DESK) as visitor:
        yield visitor
