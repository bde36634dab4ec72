"""Start-up checks: whether court renders are made here, and if not, why and what to do."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Info, Warning

from . import drawing, program


@checks.register("rendering")
def rendering_possible(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """Never an error: court renders are an extra."""
    if settings.PORTAL_CHROMIUM == program.OFF:
        return []
    if program.path() is None:
        named = f" ({settings.PORTAL_CHROMIUM} is not there)" if settings.PORTAL_CHROMIUM else ""
        return [
            Info(
                f"Court renders are off on this machine: there is no Chromium{named}. Everything else works.",
                hint="To have them, run:  apt-get install --no-install-recommends chromium fonts-noto-cjk\n"
                "\tTo do without, set PORTAL_CHROMIUM=off and this line goes.",
                id="portal.I001",
            )
        ]
    if (fault := drawing.why_not()) is None:
        return []
    return [
        Warning(
            f"Court renders are off on this machine: its kernel or container does not let the browser be cut off from the network ({fault}).",
            hint="Allow user namespaces to the account of the renderer (docs/operate.md, \"Court renders\"), or set PORTAL_CHROMIUM=off.\n"
            "\tPages are never rendered with a network.",
            id="portal.W041",
        )
    ]
