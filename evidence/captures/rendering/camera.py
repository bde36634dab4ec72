"""Inside the cage: drives the browser through its DevTools pipe (two descriptors, no port) and takes one picture of one page.

Every request of the page but the one for the file itself is refused here as well, and counted; the network would not carry it
anyway. Scripts are off twice: by the flag for every document, and by the protocol for this page.
"""

from __future__ import annotations

import base64
import json
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--blink-settings=scriptEnabled=false",
    "--user-data-dir=/tmp/profile",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-plugins",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-gpu",
    "--disable-notifications",
    "--disable-site-isolation-trials",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,site-per-process,IsolateOrigins,WebRtcHideLocalIpsWithMdns",
    "--no-pings",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--mute-audio",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--lang=zh-CN",
)
ADDRESS = "https://captured.invalid/"
"""Where a page of HTML seems to come from: never a file, so that it may not name files; a name that cannot exist (RFC 6761 §6.4)."""
LOAD_SECONDS = 20
SETTLE_SECONDS = 0.4
MESSAGE_MAX = 160 << 20
"""Bytes of one message of the browser: the picture in base64."""
PNG_MAX = 100 << 20
REFUSED_MAX = 20_000
"""Requests of one page that are refused one by one; a page with more is ended."""


class Stopped(RuntimeError):
    """No picture; the message is a reason, `TIMEOUT: …`, `RESOURCE_LIMIT: …`, `CRASH: …` or `LEFT: …`."""


class Camera:
    """`reading`, `writing`: pipes from and to the browser. `look` is called at least every `every` seconds and may raise Stopped."""

    def __init__(self, reading: int, writing: int, *, look: Callable[[], None], every: float) -> None:
        self._reading, self._writing, self._look, self._every = reading, writing, look, every
        self._held = bytearray()
        self._number = 0
        self._session: str | None = None
        self._answers: dict[int, dict[str, Any]] = {}
        self._main = ""
        self._given = False
        self._loaded = False
        self._left = False
        self._served: bytes | None = None
        self._address = ""
        self.refused = 0

    def take(self, address: str, *, form: str, width: int, height_max: int, page: Path) -> bytes:
        """The answer: eight bytes of length, that many of a JSON header, then the PNG. Raises Stopped."""
        version = self._ask("Browser.getVersion")["product"]
        self._ask("Browser.setDownloadBehavior", behavior="deny")
        pages = [t for t in self._ask("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        if not pages:
            raise Stopped("CRASH: the browser has no page")
        self._session = self._ask("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Inspector", "Runtime"):
            self._ask(f"{domain}.enable")
        self._main = self._ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._ask("Emulation.setScriptExecutionDisabled", value=True)
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self._ask("Fetch.enable", patterns=[{"urlPattern": "*"}])
        self._served = None if form == "MHTML" else page.read_bytes()
        self._address = address if form == "MHTML" else ADDRESS
        started = time.monotonic()
        self._ask("Page.navigate", url=self._address)
        while not self._loaded and time.monotonic() - started < LOAD_SECONDS:
            self._wait()
        settled = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < settled:
            self._wait()
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        full_width, full_height = max(1, int(size["width"])), max(1, int(size["height"]))
        height = min(full_height, height_max)
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self._ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True, optimizeForSpeed=True)
        png = base64.b64decode(shot["data"], validate=True)
        if self._left:
            raise Stopped("LEFT: the page led away from itself")
        if len(png) > PNG_MAX:
            raise Stopped("RESOURCE_LIMIT: size of the picture")
        header = {
            "browser": version,
            "full_width": full_width,
            "full_height": full_height,
            "refused": self.refused,
            "loaded": self._loaded,
        }
        said = json.dumps(header).encode()
        return len(said).to_bytes(8, "big") + said + png

    # ── the protocol ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, method: str, **parameters: Any) -> int:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        view = memoryview(data)
        os.set_blocking(self._writing, False)
        while view:
            if select.select([], [self._writing], [], self._every)[1]:
                try:
                    view = view[os.write(self._writing, view) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    raise Stopped("CRASH: the browser ended") from None
            self._look()
        return self._number

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = self._send(method, **parameters)
        while number not in self._answers:
            self._wait()
        answer = self._answers.pop(number)
        if "error" in answer:
            raise Stopped(f"CRASH: {method}: {str(answer['error'].get('message', ''))[:120]}")
        result: dict[str, Any] = answer["result"]
        return result

    def _wait(self) -> None:
        """One look around: what the browser has said meanwhile, if anything."""
        self._look()
        if not select.select([self._reading], [], [], self._every)[0]:
            return
        chunk = os.read(self._reading, 1 << 20)
        if not chunk:
            raise Stopped("CRASH: the browser ended")
        start = len(self._held)
        self._held += chunk
        if len(self._held) > MESSAGE_MAX:
            raise Stopped("RESOURCE_LIMIT: size of the picture")
        if self._held.find(b"\0", start) < 0:
            return
        *messages, rest = bytes(self._held).split(b"\0")
        self._held = bytearray(rest)
        for message in messages:
            self._heard(json.loads(message))

    def _heard(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        said, parameters = message.get("method"), message.get("params", {})
        if said == "Fetch.requestPaused":
            self._paused(parameters)
        elif said == "Page.loadEventFired":
            self._loaded = True
        elif said == "Page.javascriptDialogOpening":
            self._answer("Page.handleJavaScriptDialog", accept=False)
        elif said == "Inspector.targetCrashed":
            raise Stopped("CRASH: the page ended its process")
        elif said == "Page.frameNavigated":
            frame = parameters["frame"]
            if frame["id"] == self._main and frame["url"].split("#")[0] != self._address:
                self._left = True

    def _paused(self, request: dict[str, Any]) -> None:
        """The file itself, once; nothing else."""
        key, url = request["requestId"], request["request"]["url"]
        document = request.get("frameId") == self._main and request["resourceType"] == "Document"
        if document and not self._given and url == self._address:
            self._given = True
            if self._served is None:
                self._answer("Fetch.continueRequest", requestId=key)
                return
            headers = [{"name": "Content-Type", "value": "text/html"}]
            body = base64.b64encode(self._served).decode()
            self._answer("Fetch.fulfillRequest", requestId=key, responseCode=200, responseHeaders=headers, body=body)
            return
        self.refused += url != ADDRESS + "favicon.ico"  # which the browser wants of itself
        if self.refused > REFUSED_MAX:
            raise Stopped("RESOURCE_LIMIT: requests")
        # A page that would lead elsewhere stays where it is when the way is `Aborted`; else an error page would take its place.
        self._answer("Fetch.failRequest", requestId=key, errorReason="Aborted" if document else "BlockedByClient")

    def _answer(self, method: str, **parameters: Any) -> None:
        """Without waiting: the answer to this message is dropped as it comes."""
        self._send(method, **parameters)
