"""Celery as a doorbell: JSON only, no results, nothing trusted from the broker. The run row is the queue of record."""

from . import environment as env

PORTAL_EMBEDDED_WORKER = env.flag("EMBEDDED_WORKER", default=env.text("BROKER_URL", "memory:").startswith("memory"))
"""With the in-memory broker the worker is a thread of the web process: safe, because the row is the queue of record."""
PORTAL_LEASE_SECONDS = env.number("LEASE_SECONDS", 12)
PORTAL_SWEEP_SECONDS = env.number("SWEEP_SECONDS", 10)
PORTAL_ATTEMPTS_MAX = 5
PORTAL_BULK_BYTES = 64_000_000
"""Exhibits beyond this take the bulk lane: the jail gives 64 MB 78 s by the clock on the wall, which a task of 100 s outlives."""
PORTAL_BULK_AT_ONCE = env.number("BULK_AT_ONCE", 1)
"""How many of them are worked on at the same time, over all workers."""
PORTAL_BULK_SECONDS = env.number("BULK_SECONDS", 1800)
"""How long one of them may take by the clock on the wall: 512 MiB may need 646 s (twice the processor time of the jail)."""
PORTAL_WEAK_JAIL = env.flag("WEAK_JAIL")

PORTAL_CONNECTORS = env.text("CONNECTORS", "")
"""File that lists the chain nodes the court runs itself; empty: no node is asked, nothing goes out."""

CELERY_BROKER_URL = env.text("BROKER_URL", "memory://localhost")
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {}
    if CELERY_BROKER_URL.startswith("memory")
    else {
        "visibility_timeout": 2 * (PORTAL_BULK_SECONDS + CELERY_TASK_TIME_LIMIT),
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 2,
        "socket_connect_timeout": 2,
        # Ringing is tried once: by itself kombu would try again after two and after four seconds, while a person waits whose
        # evidence is already safe. The sweep rings again.
        "max_retries": 0,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
    }
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

PORTAL_CHROMIUM = env.text("CHROMIUM", "")
"""The court's Chromium, for court renders; empty: looked for where Debian puts it; "off": none are made."""
