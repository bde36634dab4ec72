"""Somebody else's servers on loopback, one for each way out: they remember every connection, request and datagram.

A port of its own for each kind, because a connection alone (preconnect) says nothing but where it went.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 5\r\nConnection: close\r\n\r\n/* */"


class Attacker:
    def __init__(self, kinds: Iterable[str]) -> None:
        self.connected: Counter[str] = Counter()
        self.asked: list[tuple[str, str]] = []
        self._ports: dict[str, int] = {}
        self._sockets: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._ended = False
        for kind in kinds:
            stream = socket.create_server(("127.0.0.1", 0), backlog=64)
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._ports[kind] = stream.getsockname()[1]
            datagrams.bind(("127.0.0.1", self._ports[kind]))
            for each, take in ((stream, self._stream), (datagrams, self._datagram)):
                self._selector.register(each, selectors.EVENT_READ, (take, kind))
                self._sockets.append(each)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def origin(self, kind: str) -> str:
        return f"http://127.0.0.1:{self._ports[kind]}"

    def forget(self) -> None:
        self.connected.clear()
        self.asked.clear()

    @property
    def requests(self) -> set[str]:
        return {kind for kind, _line in self.asked}

    @property
    def reached(self) -> set[str]:
        """Also without asking for anything."""
        return set(self.connected)

    def end(self) -> None:
        self._ended = True
        self._thread.join()
        for each in self._sockets:
            each.close()
        self._selector.close()

    def _serve(self) -> None:
        while not self._ended:
            for key, _events in self._selector.select(timeout=0.2):
                take, kind = key.data
                take(key.fileobj, kind)

    def _stream(self, listening: socket.socket, kind: str) -> None:
        connection, _address = listening.accept()
        self.connected[kind] += 1
        threading.Thread(target=self._answer, args=(connection, kind), daemon=True).start()

    def _datagram(self, listening: socket.socket, kind: str) -> None:
        listening.recv(2_048)
        self.connected[kind] += 1
        self.asked.append((kind, "datagram"))

    def _answer(self, connection: socket.socket, kind: str) -> None:
        with connection:
            connection.settimeout(20)
            try:
                line = connection.recv(65_536).split(b"\r\n")[0].decode("latin-1")
                if line:
                    self.asked.append((kind, line))
                    connection.sendall(_ANSWER % (b"text/css" if "import" in kind or "stylesheet" in kind else b"text/html"))
            except OSError:
                return  # a browser that hangs up


@contextmanager
def attacker(kinds: Iterable[str]) -> Iterator[Attacker]:
    server = Attacker(kinds)
    try:
        yield server
    finally:
        server.end()
