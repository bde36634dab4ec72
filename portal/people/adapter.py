"""What the court asks of django-allauth beside its settings."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Wrong passwords are counted for the account that they are tried on, however its name is spelt and whatever host the
        request names: allauth puts the Host header into its key, port and all, which is the sender's to choose."""
        return str(credentials.get("username", "")).upper().casefold()
