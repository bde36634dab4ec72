"""How often one address may ask something that anybody may ask. Counted in the database, where every process sees it, by its clock."""

import ipaddress

from allauth.account.adapter import get_adapter
from django.db import connection
from django.http import HttpRequest

IPV6_PREFIX = 64
"""One household, or one machine, has a network of this size to itself."""


def spent(request: HttpRequest, what: str, *, most: int, seconds: int) -> bool:
    """Count one more; True when this address has asked `most` times since its first question of the last `seconds`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_attempt (key, value, expires_at)"
            " VALUES (%(key)s, '1', clock_timestamp() + %(seconds)s * interval '1 second')"
            " ON CONFLICT (key) DO UPDATE SET"
            " value = CASE WHEN people_attempt.expires_at <= clock_timestamp() THEN '1'::jsonb"
            " ELSE to_jsonb(least(people_attempt.value::text::bigint, %(most)s) + 1) END,"
            " expires_at = CASE WHEN people_attempt.expires_at <= clock_timestamp() THEN EXCLUDED.expires_at"
            " ELSE people_attempt.expires_at END"
            " RETURNING value::text::bigint",
            {"key": f"limit:{what}:{network(request)}", "seconds": seconds, "most": most},
        )
        return bool(cursor.fetchone()[0] > most)


def network(request: HttpRequest) -> str:
    """The address the request came from (behind the court's proxy: whom it speaks for), of IPv6 the network."""
    address = ipaddress.ip_address(get_adapter().get_client_ip(request))
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, IPV6_PREFIX), strict=False))
    return str(address)
