"""Is the process alive, and is the portal able to do its work?"""

import os

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

OLDEST_QUEUED_SECONDS = 300
"""A run that waits longer than this means that no worker is working."""


def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"alive": True})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, the vault is writable and no run has waited too long; else 503 with what fails."""
    faults = []
    try:
        if _longest_wait() > OLDEST_QUEUED_SECONDS:
            faults.append("queue")
    except DatabaseError:
        faults.append("database")
    if not os.access(settings.PORTAL_VAULT_DIR, os.R_OK | os.W_OK | os.X_OK):
        faults.append("vault")
    return JsonResponse({"ready": not faults, "faults": faults}, status=503 if faults else 200)


def _longest_wait() -> int:
    """Seconds that the oldest waiting run has waited; 0 when none waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(queued_at)), 0)::int"
            " FROM runs_run WHERE state = 'queued' AND lane NOT IN (2, 4)"  # bulk: one may take half an hour
        )
        return int(cursor.fetchone()[0])
