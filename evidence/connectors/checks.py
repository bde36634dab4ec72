"""Start-up checks of the court's own nodes: a configuration that cannot work is named before anybody waits for an answer."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Warning

from . import wire
from .nodes import ConfigurationError, Node, load

PAGE = "docs/install.md, \"The court's own chain nodes\", tells what each member means."


@checks.register("connectors")
def connectors_sound(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """The file can be read, the certificates it names can be loaded, and nobody else can read the keys."""
    if not settings.PORTAL_CONNECTORS:
        return []
    path = Path(settings.PORTAL_CONNECTORS)
    try:
        nodes = load(path)
    except ConfigurationError as fault:
        message = f"The list of the court's nodes cannot be used, so that none is asked: {fault}."
        return [Error(message, hint=f"Correct {path}, or unset PORTAL_CONNECTORS. {PAGE}", id="portal.E020")]
    found: list[CheckMessage] = []
    if path.stat().st_mode & stat.S_IWOTH:
        found.append(
            Error(
                f"Every account of this machine may write {path}, and with it say whom the portal connects to.",
                hint=f"Run:  chmod o-w {path}",
                id="portal.E021",
            )
        )
    for node in nodes:
        found += _of_node(node)
    return found


def _of_node(node: Node) -> Iterator[CheckMessage]:
    if node.tls:
        try:
            wire.context(node, None)
        except wire.Unreachable as fault:
            yield Error(f"Node {node.id} of the court: {fault}.", hint=PAGE, id="portal.E022")
    elif node.enabled:
        yield Warning(
            f"Node {node.id} of the court is asked without TLS: whoever is on the way can change what it answers.",
            hint="What it answers is verified under the pinned validators all the same. Prefer https:// or grpcs:// with a pinned\n"
            "\tcertificate, or keep node and worker on one machine.",
            id="portal.W020",
        )
    for path in (node.client_key, node.member.key if node.member else None):
        if path is None:
            continue
        if not path.is_file():
            yield Error(f"Node {node.id} of the court: the key {path} is not there.", hint=PAGE, id="portal.E023")
        elif path.stat().st_mode & 0o077:
            yield Error(
                f"The key {path} for node {node.id} can be read by other accounts.", hint=f"Run:  chmod 0600 {path}", id="portal.E024"
            )
    if node.member and not node.member.public.is_file():
        message = f"Node {node.id} of the court: the member's certificate or key {node.member.public} is not there."
        yield Error(message, hint=PAGE, id="portal.E025")
