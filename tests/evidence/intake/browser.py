"""A phone and a desk: system Chromium driven against the live portal, signed in by a session cookie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import BrowserContext, sync_playwright

from portal.people.models import User
from tests.conftest import program
from tests.screens import watched

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium(
    address: str, user: User, *, script: bool = True, size: dict[str, int] = PHONE
) -> Iterator[BrowserContext]:
    """A browser of `user`; any request to another host than the portal's is refused and remembered in `context.strays`."""
    session = Client()
    session.force_login(user)
    cookie: Any = session.cookies[settings.SESSION_COOKIE_NAME]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program("chromium"), args=FLAGS)
        context = started.new_context(
            viewport=size,
            java_script_enabled=script,
            locale="zh-CN",
            has_touch=size is PHONE,
            is_mobile=size is PHONE,
            device_scale_factor=2 if size is PHONE else 1,
        )
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": address}])
        try:
            with watched(context):
                yield context
        finally:
            context.close()
            started.close()
            connections.close_all()  # while the driver's loop runs, this thread has a session of its own
