"""Is the process alive, and is the portal able to do its work?"""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse

OLDEST_QUEUED_SECONDS = 300
"""A run that waits longer than this means that no worker is working."""


def livez(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"alive": True})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, the vault is writable and no run has waited too long; else 503 with what fails."""
    faults = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(queued_at)), 0)::int"
            " FROM runs_run WHERE state = 'queued'"
        )
        waited = cursor.fetchone()[0]
    if waited > OLDEST_QUEUED_SECONDS:
        faults.append("queue")
    if not settings.PORTAL_VAULT_DIR.is_dir():
        faults.append("vault")
    return JsonResponse({"ready": not faults, "faults": faults}, status=503 if faults else 200)
