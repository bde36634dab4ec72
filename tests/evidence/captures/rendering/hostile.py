"""Pages that try to speak to somebody, to read the machine, or to use it up. Written from the HTML standard, kind by kind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

KINDS = {
    # each asks for /<name> at the address
    "img": '<img src="{a}/img">',
    "srcset": '<img srcset="{a}/srcset 1x">',
    "picture": '<picture><source srcset="{a}/picture"><img></picture>',
    "onerror": '<img src="{a}/onerror" onerror="new Image().src=\'{a}/onerror-script\'">',
    "css": '<link rel=stylesheet href="{a}/css">',
    "import": "<style>@import url({a}/import);</style>",
    "background": '<div style="width:9px;height:9px;background:url({a}/background)"></div>',
    "list-style": '<ul style="list-style-image:url({a}/list-style)"><li>x</ul>',
    "font": "<style>@font-face{{font-family:q;src:url({a}/font)}}p{{font-family:q}}</style><p>q",
    "cursor": '<div style="cursor:url({a}/cursor),auto">c</div>',
    "mask": '<div style="width:9px;height:9px;background:red;mask-image:url({a}/mask)"></div>',
    "svg-image": '<svg width=9 height=9><image href="{a}/svg-image" width=9 height=9 /></svg>',
    "svg-use": '<svg width=9 height=9><use href="{a}/svg-use#x" /></svg>',
    "iframe": '<iframe src="{a}/iframe"></iframe>',
    "frame-inside": "<iframe srcdoc=\"<img src='{a}/frame-inside'>\"></iframe>",
    "object": '<object data="{a}/object"></object>',
    "embed": '<embed src="{a}/embed">',
    "video": '<video src="{a}/video" preload=auto autoplay muted></video>',
    "poster": '<video poster="{a}/poster"></video>',
    "audio": '<audio src="{a}/audio" preload=auto autoplay></audio>',
    "track": '<video src="data:video/mp4;base64,AA=="><track default src="{a}/track"></video>',
    "icon": '<link rel=icon href="{a}/icon">',
    "prefetch": '<link rel=prefetch href="{a}/prefetch">',
    "preload": '<link rel=preload as=font crossorigin href="{a}/preload">',
    "modulepreload": '<link rel=modulepreload href="{a}/modulepreload">',
    "preconnect": '<link rel=preconnect href="{a}/">',
    "prerender": '<link rel=prerender href="{a}/prerender">',
    "manifest": '<link rel=manifest href="{a}/manifest">',
    "input-image": '<input type=image src="{a}/input-image">',
    "body-background": '<table background="{a}/body-background"><tr><td>x</table>',
    "script": '<script src="{a}/script"></script>',
    "fetch": "<script>fetch('{a}/fetch',{{mode:'no-cors'}})</script>",
    "beacon": "<script>navigator.sendBeacon('{a}/beacon','x')</script>",
    "socket": "<script>new WebSocket('ws://'+'{a}'.slice(7)+'/socket')</script>",
    "form": '<form id=f method=post action="{a}/form"><input name=x></form><script>f.submit()</script>',
    "ping": '<a id=p href="#x" ping="{a}/ping">p</a><script>p.click()</script>',
    "refresh": '<meta http-equiv=refresh content="0;url={a}/refresh">',
}


def leaking(address: str) -> bytes:
    return ("<!doctype html><meta charset=utf-8><title>x</title><p>原文" + "".join(k.format(a=address) for k in KINDS.values())).encode()


@contextmanager
def counting() -> Iterator[tuple[str, set[str], list[int]]]:
    """(address, kinds that were asked for, connections made) of a server on 127.0.0.1 that answers 404 to everything."""
    asked: set[str] = set()
    connections: list[int] = []
    server = socket.create_server(("127.0.0.1", 0))

    def one(client: socket.socket) -> None:
        with client:
            client.settimeout(5)
            try:
                head = client.recv(4096).decode("latin-1")
                if head:
                    asked.add(head.split(" ")[1].strip("/"))
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            except OSError:
                return

    def serve() -> None:
        while True:
            try:
                client, peer = server.accept()
            except OSError:
                return
            connections.append(peer[1])
            threading.Thread(target=one, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked, connections
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
