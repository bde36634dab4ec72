"""The portal's settings for the tests: the demonstration's, with a private PostgreSQL and quick choices where nothing is lost.

PORTAL_DATABASE_URL is taken from the environment (deploy/test starts one server for the whole run); without it the tests
start a server of their own below var/test.
"""

import os
import sys
from pathlib import Path

_data = Path(__file__).resolve().parents[1] / "var" / "test"
os.environ.setdefault("PORTAL_DEMO", "1")
os.environ.setdefault("PORTAL_DATA_DIR", str(_data / "data"))
if "PORTAL_DATABASE_URL" not in os.environ and "pytest" in sys.modules:
    from portal.embedded import ensure_postgres

    os.environ["PORTAL_DATABASE_URL"] = ensure_postgres(_data / "postgres")

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATABASES, STORAGES  # noqa: E402

# Two runs at once on one server do not meet.
DATABASES["default"]["TEST"] = {"NAME": f"test_portal_{os.getpid()}"}
# Nothing of them outlives a power cut, so no commit waits for the disk. What a killed process leaves behind is the same.
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
PORTAL_EMBEDDED_WORKER = False
CONN_MAX_AGE = 0
PORTAL_EVIDENCE_ORIGIN = "http://evidence.localhost"
