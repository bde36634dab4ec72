"""Attempts at the door (wrong passwords, new accounts), counted where every process and every restart sees them.

django-allauth keeps its limits in Django's cache. In the memory of a process they would hold for that process only; Django's
own database and Redis caches pickle what they keep, so that whoever may write there could run code beside the signing keys.
Here a value is JSON in a row, and the clock is the database's.
"""

import json
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connection

CLEARED = 10
"""Expired rows that one new row takes away, so that nobody has to sweep."""


class Attempts(BaseCache):
    """Django's cache interface over `people_attempt`: as much of it as counting needs."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT value::text FROM people_attempt WHERE key = %s AND expires_at > clock_timestamp()",
                [self.make_and_validate_key(key, version=version)],
            )
            row = cursor.fetchone()
        return json.loads(row[0]) if row else default

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._write(key, value, timeout, version, only_new=False)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Of many at once exactly one gets True."""
        return self._write(key, value, timeout, version, only_new=True)

    def delete(self, key: str, version: int | None = None) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM people_attempt WHERE key = %s", [self.make_and_validate_key(key, version=version)])
            return cursor.rowcount == 1

    def clear(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM people_attempt")

    def _write(self, key: str, value: Any, timeout: Any, version: int | None, *, only_new: bool) -> bool:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        if seconds is None:
            raise ValueError("an attempt is forgotten some day")
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM people_attempt WHERE key IN (SELECT key FROM people_attempt"
                " WHERE expires_at <= clock_timestamp() LIMIT %s FOR UPDATE SKIP LOCKED)",
                [CLEARED],
            )
            cursor.execute(
                "INSERT INTO people_attempt (key, value, expires_at)"
                " VALUES (%s, %s::jsonb, clock_timestamp() + %s * interval '1 second')"
                " ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at"
                " WHERE %s OR people_attempt.expires_at <= clock_timestamp()",
                [self.make_and_validate_key(key, version=version), json.dumps(value, allow_nan=False), seconds, not only_new],
            )
            return cursor.rowcount == 1
