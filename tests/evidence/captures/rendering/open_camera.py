"""The cage with a camera that refuses nothing: what the namespaces hold by themselves. Arguments as of `cage`."""

import sys
from typing import Any

sys.path.insert(0, sys.argv[1])

from evidence.captures.rendering import cage, camera  # noqa: E402

with_scripts = [f for f in camera.FLAGS if not f.startswith(("--blink-settings", "--host-resolver-rules", "--disable-background"))]
camera.FLAGS = tuple(with_scripts)
plain_ask = camera.Camera._ask


def ask(self: camera.Camera, method: str, **parameters: Any) -> dict[str, Any]:
    if method == "Emulation.setScriptExecutionDisabled":
        parameters = {"value": False}
    return plain_ask(self, method, **parameters)


def paused(self: camera.Camera, request: dict[str, Any]) -> None:
    self._answer("Fetch.continueRequest", requestId=request["requestId"])


camera.Camera._ask = ask  # type: ignore[method-assign]
plain_paused = camera.Camera._paused


def first_only(self: camera.Camera, request: dict[str, Any]) -> None:
    (paused if self._given else plain_paused)(self, request)


camera.Camera._paused = first_only  # type: ignore[method-assign]
cage.main(*sys.argv[1:])
