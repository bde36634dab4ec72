"""What every test with a browser asks of a page, and the pictures for whoever wants to look at the screens.

    look(page, "export-phone-list")     nothing beyond the edge of the screen, no accessibility violation

Pictures go to var/test/screens: of every page looked at with `pytest --pictures` (`deploy/test --pictures`), and of where each
window stood when a test failed, in every run.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Error, Locator, Page

FOLDER = Path(__file__).parents[1] / "var" / "test" / "screens"
WANTED = False
"""Set by --pictures."""
_open: list[BrowserContext] = []

SETTLE = """() => Promise.all([...document.images].map(image => {
  image.loading = 'eager';
  return image.complete || new Promise(done => { image.onload = image.onerror = done });
}))"""


def look(page: Page, name: str, *, of: Locator | None = None, full_page: bool = True, axe: bool = True) -> None:
    """The page as it stands, with all its images, fits its screen and is for everybody; kept as a picture (`of`: of
    this part). `axe`: whether it is asked what violates accessibility."""
    page.wait_for_load_state()  # a press on a link returns when the answer begins: what is there then may be no page yet
    page.evaluate(SETTLE)
    assert of is None or of.is_visible(), name
    picture(page, name, of=of, full_page=full_page)
    assert not (found := [*sideways(page), *(violations(page) if axe else [])]), f"{name}: {found}"


def picture(page: Page, name: str, *, of: Locator | None = None, full_page: bool = True) -> None:
    """Kept as a picture if pictures are wanted."""
    if not WANTED:
        return
    path = FOLDER / f"{name}.png"
    if of is None:
        page.screenshot(path=path, full_page=full_page)
    else:
        of.screenshot(path=path)


def sideways(page: Page) -> list[str]:
    """One complaint if something lies beyond the edge of the screen."""
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return [f"{wide} wide on a screen of {seen}"] if wide > seen else []


def violations(page: Page) -> list[tuple[str, Any]]:
    """What axe finds: (rule, up to three elements)."""
    found = Axe().run(page).response["violations"]
    return [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found]


def speak(page: Page, language: str) -> None:
    """Press the button for the other language; the page has come back in it."""
    page.get_by_role("button", name={"en": "English", "zh": "中文"}[language], exact=True).click()
    page.locator(f"html[lang^={language}]").wait_for(state="attached")
    page.wait_for_load_state()


@contextmanager
def watched(context: BrowserContext) -> Iterator[BrowserContext]:
    """Its windows are kept as pictures if the test fails: here, if that happens inside, or by `failed`."""
    _open.append(context)
    try:
        yield context
    except BaseException:
        failed()
        raise
    finally:
        _open.remove(context)


def failed() -> None:
    """A picture of every open window, named after the test that runs; one that can be drawn no more is left out."""
    name = re.sub(r"[^\w-]+", "-", os.environ["PYTEST_CURRENT_TEST"].rsplit("::", 1)[-1])
    for n, page in enumerate(page for context in _open for page in context.pages):
        try:
            page.screenshot(path=FOLDER / f"failed-{name}-{n}.png", full_page=True)
        except Error as error:
            print(f"no picture of {page.url}: {error}")
