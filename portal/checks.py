"""The installer's voice: what is wrong with this machine or its settings, and the command that puts it right.

Run by every management command and by ``manage.py check``; each message stands alone, for someone who has never seen
the code. An Error stops the command, a Warning is shown and the work goes on.
"""

from __future__ import annotations

import getpass
import importlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning

from evidence.verification import selftest
from evidence.verification.trust import TrustError, TrustStore

FONTS = (
    "NotoSansSC-Regular.ttf",
    "NotoSansSC-Bold.ttf",
    "NotoSerifSC-Bold.ttf",
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
)
"""What portal/frontend/fonts.py makes; the report is set in these and no others."""

Apps = Sequence[AppConfig] | None


@checks.register("report")
def fonts_present(app_configs: Apps, **_: object) -> list[CheckMessage]:
    folder = Path(settings.PORTAL_FONT_DIR)
    missing = [name for name in FONTS if not (folder / name).is_file()]
    if not missing:
        return []
    return [
        Error(
            f"The report's fonts are missing from {folder}: {', '.join(missing)}",
            hint="Run:  deploy/setup   (it makes them from the locked npm packages), or set PORTAL_FONT_DIR.",
            id="portal.E001",
        )
    ]


@checks.register("report")
def compiler_loadable(app_configs: Apps, **_: object) -> list[CheckMessage]:
    try:
        importlib.import_module("typst")
    except ImportError as fault:
        return [
            Error(
                f"The layout engine of the report cannot be loaded: {fault}",
                hint="Run:  deploy/setup   (it installs the locked version)",
                id="portal.E002",
            )
        ]
    return []


@checks.register("storage")
def data_directory_writable(app_configs: Apps, **_: object) -> list[CheckMessage]:
    """The directory, or the nearest parent that exists (the portal makes the rest), can be written and is not open to all."""
    wanted = Path(settings.PORTAL_DATA_DIR)
    folder = next(path for path in (wanted, *wanted.parents) if path.exists())
    found = folder.stat()
    user = getpass.getuser()
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return [
            Error(
                f"The data directory {wanted} cannot be written by {user}: {folder} is {_described(found)}.",
                hint=f"Run:  install -d -o {user} -m 0711 {wanted}   (as root), or set PORTAL_DATA_DIR.",
                id="portal.E004",
            )
        ]
    if folder == wanted and found.st_mode & stat.S_IWOTH:
        return [
            Error(
                f"Every account of this machine may write into the data directory {wanted} ({_described(found)}).",
                hint=f"Run:  chmod o-w {wanted}",
                id="portal.E005",
            )
        ]
    return []


def _described(found: os.stat_result) -> str:
    return f"owned by user id {found.st_uid}, group id {found.st_gid}, mode {stat.S_IMODE(found.st_mode):04o}"


@checks.register("trust")
def trust_store_readable(app_configs: Apps, **_: object) -> list[CheckMessage]:
    folder = Path(settings.PORTAL_TRUST_DIR)
    if settings.PORTAL_DEMO and not folder.exists():
        return []  # the demonstration makes its own
    try:
        TrustStore.load(folder)
    except (OSError, TrustError) as error:
        return [
            Error(
                f"The court's trust store in {folder} cannot be loaded: {error}",
                hint="Set PORTAL_TRUST_DIR to an approved anchor pack that this account may read; docs/install.md tells how one is made.",
                id="portal.E006",
            )
        ]
    return []


@checks.register("engine")
def engine_gives_its_known_answers(app_configs: Apps, **_: object) -> list[CheckMessage]:
    failed = selftest.run().failed
    if not failed:
        return []
    return [
        Error(
            f"The engine does not give its own known answers: {'; '.join(failed)}. What rests on them is not verified (SELFTEST_FAILED).",
            hint="Install the locked requirements again:  ./deploy/setup . If it persists, do not use this machine for verification.",
            id="portal.E011",
        )
    ]


@checks.register("security")
def signing_key_present(app_configs: Apps, **_: object) -> list[CheckMessage]:
    """Outside the demonstration, which makes throw-away keys, the report's key lies ready and only its owner reads it."""
    if settings.PORTAL_DEMO:
        return []
    folder = Path(settings.PORTAL_SIGNING_DIR)
    files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    if not files:
        return [
            Error(
                f"There is no signing key in {folder}: no report can be issued.",
                hint="Put the court's key there, or set PORTAL_SIGNING_DIR; docs/install.md tells how one is made.",
                id="portal.E007",
            )
        ]
    return [
        Error(
            f"The signing key {path} can be read by other accounts ({_described(path.stat())}).",
            hint=f"Run:  chmod 0600 {path}",
            id="portal.E008",
        )
        for path in files
        if path.stat().st_mode & 0o077 and _is_secret(path)
    ]


def _is_secret(path: Path) -> bool:
    return path.suffix in {".p12", ".pfx", ".key"} or b"PRIVATE KEY" in path.read_bytes()[:4096]


@checks.register("security")
def production_complete(app_configs: Apps, **_: object) -> list[CheckMessage]:
    if settings.PORTAL_DEMO:
        return []
    found: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 10:
        found.append(
            Error(
                "PORTAL_SECRET_KEY is too short or too plain to protect sessions.",
                hint="Run:  python3 -c 'import secrets; print(secrets.token_urlsafe(48))' > secret_key && chmod 0600 secret_key,\n"
                "\tthen set PORTAL_SECRET_KEY_FILE to that file.",
                id="portal.E009",
            )
        )
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "PORTAL_HOSTS does not say under which host names the portal is reached.",
                hint="Set it, for example:  PORTAL_HOSTS=evidence.court.example",
                id="portal.E010",
            )
        )
    if not settings.SECURE_TLS:
        found.append(
            Warning(
                "PORTAL_TLS=0: cookies travel in the clear.",
                hint="Leave PORTAL_TLS unset and let the reverse proxy end TLS (PORTAL_BEHIND_PROXY=1).",
                id="portal.W001",
            )
        )
    return found
