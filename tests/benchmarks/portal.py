"""A portal of its own for measurements: private database, vault and keys in a temporary directory."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path


@contextmanager
def running() -> Iterator[Path]:
    """Set up Django on an empty database; yields the data directory. Once per process."""
    from portal import embedded

    with tempfile.TemporaryDirectory(prefix="mingjian-bench-") as folder:
        data = Path(folder)
        data.chmod(0o711)
        os.environ.update(
            PORTAL_DEMO="1",
            PORTAL_DATA_DIR=str(data / "data"),
            PORTAL_DATABASE_URL=embedded.ensure_postgres(data / "postgres"),
            PORTAL_LOG_LEVEL="ERROR",
            DJANGO_SETTINGS_MODULE="portal.settings",
        )
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        from portal.demonstration import authority

        call_command("migrate", verbosity=0)
        authority.ensure(settings.PORTAL_SIGNING_DIR, at=datetime.now(UTC))
        try:
            yield data
        finally:
            from django.db import connections

            connections.close_all()
            embedded.stop_postgres(data / "postgres")
