"""gunicorn with the embedded worker beside it: `python -m portal.demonstration.serving ADDRESS:PORT [POSTGRES]`.

POSTGRES is the directory of the private database, if there is one; everything else comes from the environment.
"""

import os
import sys
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

THREADS = 8


class Server(BaseApplication):  # type: ignore[misc]
    """One worker process: the in-memory broker reaches no further."""

    def __init__(self, *, address: str) -> None:
        self._address = address
        super().__init__()

    def load_config(self) -> None:
        for key, value in {
            "bind": self._address,
            "workers": 1,
            "threads": THREADS,
            "worker_class": "gthread",
            "timeout": 120,
            "graceful_timeout": 10,
            "loglevel": "warning",
            "post_worker_init": _start_worker,
            "worker_exit": _stop_worker,
        }.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        from portal.wsgi import application

        return application


_running: list[Any] = []


def _start_worker(worker: Any) -> None:
    from evidence.worker import EmbeddedWorker

    embedded = EmbeddedWorker()
    embedded.start()
    _running.append(embedded)


def _stop_worker(server: Any, worker: Any) -> None:
    for embedded in _running:
        embedded.stop()


def main(address: str, database: str = "") -> None:
    from portal import embedded

    if database:
        os.environ["PORTAL_DATABASE_URL"] = embedded.ensure_postgres(Path(database))
    Server(address=address).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
