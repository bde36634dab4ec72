"""The queue of questions to the court's nodes: the row is the truth, the broker only a doorbell, as for runs.

    consider   a run ended 无法判定 and its verdict names a transaction that nothing proves: ask, once
    ask        somebody of the bench asks, again if need be
    work_once  one worker's turn: take one inquiry, ask, archive, close it, and queue the run that verifies the answer
    sweep      ring for what is due; close what no configured node can answer any more

How hard a node is pressed is decided here, over all workers, from the rows themselves: how many inquiries are at work at it, how many
requests it had in the last minute, and whether its last ones all failed (the circuit breaker). Counting rows instead of keeping state
in each process means that a worker that starts knows what the others have met, and that nothing has to be reset.
"""

import logging
import os
import re
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from evidence.exhibits.models import Exhibit
from evidence.runs import queue
from evidence.runs.models import Lane, Run, RunVerdict
from evidence.verification.codecs import strict_json
from portal.celery import ring
from portal.ledger.entries import record
from portal.people.models import User
from portal.vault import Vault

from . import handover
from . import nodes as configuration
from .addresses import Resolver
from .fetching import Exchange as Fact
from .fetching import Fetched, Outcome, Unreachable, Unusable, fetch
from .models import Exchange, Inquiry, Obtained
from .nodes import Node

log = logging.getLogger(__name__)

TASK = "evidence.connectors.ask.v1"
TRANSACTIONS_MAX = 5
"""Transactions asked for by the portal itself in one exhibit: a certificate names one, a notarised bundle a few."""
VERDICTS_READ = 5
"""Verdicts of an exhibit in which an unproven transaction is looked for, newest first."""
ASKED_MAX = 20
"""Inquiries of one exhibit that may be open at once, by whomever."""
GATHERING = timedelta(minutes=1)
"""How long an answer waits for inquiries of the same exhibit that have not been put yet, so that one run verifies them all."""
SETTLED_WITHIN = timedelta(hours=1)
"""How far back the sweep looks for answers that still wait for their run."""
TRIES_MAX = 10
ATTEMPTS_MAX = 30
"""Times a worker may take one inquiry: beyond the tries, those that ended in a fault of our own or in the worker's death."""
BACKOFF_FIRST, BACKOFF_MOST = timedelta(seconds=30), timedelta(hours=1)
"""Half a minute, then twice as long each time, up to an hour: ten tries take about four hours."""
BREAKER_FAILURES, BREAKER_PAUSE = 3, timedelta(minutes=1)
"""So many unanswered requests in a row, and the node is left alone for so long; then one inquiry tries it."""
SWEEP_MAX, RINGS_MAX = 100, 20
"""Rows one sweep closes and bells it rings at most; the next sweep goes on."""
LEASE_BEYOND = 30
"""Seconds of the lease beyond the node's own time for an answer: storing it."""

_ASKED_FOR = re.compile(r"tx ([0-9A-Za-z_-]{1,66})")


@dataclass(frozen=True, slots=True)
class Claim:
    inquiry_id: int
    attempt: int


def nodes() -> tuple[Node, ...]:
    """The enabled nodes of the court's configuration; none, with a line in the log, when it cannot be read."""
    path = settings.PORTAL_CONNECTORS
    try:
        return tuple(n for n in configuration.load(Path(path) if path else None) if n.enabled)
    except configuration.ConfigurationError as fault:
        log.error("connectors are off: %s", fault)
        return ()


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def consider(run_id: int, document: bytes) -> None:
    """Call it in the transaction that stores the verdict: what it names is asked for, or the verdict is not there either."""
    automatic = [n for n in nodes() if n.automatic]
    if not automatic:
        return
    verdict: Any = strict_json.loads(document)
    named = unproven(verdict)
    if verdict["overall"] != "INDETERMINATE" or not named:
        return
    run = Run.objects.select_related("exhibit__case").get(pk=run_id)
    # Over all runs of the exhibit, so that answers that lead to a run, which names further ones, come to an end.
    asked = Inquiry.objects.filter(exhibit=run.exhibit, requested_by__isnull=True).values_list("tx_id", flat=True)
    room = TRANSACTIONS_MAX - len({_bare(t) for t in asked})
    new = [t for t in named if _bare(t) not in {_bare(a) for a in asked}]
    _open(run.exhibit, run, [(n, t) for t in new[: max(0, room)] for n in automatic], by=None)


def ask(exhibit: Exhibit, *, by: User) -> int:
    """Ask every node of the court that could know them for the unproven transactions of this exhibit; how many inquiries began."""
    wanted = askable(exhibit)
    if wanted is None:
        return 0
    run, pairs = wanted
    return _open(exhibit, run, pairs, by=by)


def askable(exhibit: Exhibit) -> tuple[Run, list[tuple[Node, str]]] | None:
    """What could be asked now: the newest run whose verdict names an unproven transaction, and (node, transaction) pairs."""
    configured = nodes()
    if not configured:
        return None
    stored_ones = RunVerdict.objects.filter(run__exhibit=exhibit).select_related("run").order_by("-run__number")
    for stored in stored_ones[:VERDICTS_READ].iterator():
        named = unproven(strict_json.loads(bytes(stored.document)))
        pairs = [(n, t) for t in named for n in configured if n.names(t)]
        if pairs:
            return stored.run, pairs
    return None


def unproven(verdict: Mapping[str, Any]) -> list[str]:
    """Ids of transactions that certificates name and nothing in the exhibit proves (`chains.agreement`)."""
    found = (
        _ASKED_FOR.fullmatch(str(f.get("expected")))
        for f in verdict.get("findings", ())
        # Only its sources, store and time are checked of what a jailed child answers: here nothing is taken for granted.
        if isinstance(f, dict) and f.get("check") == "CERT.FIELDS" and f.get("outcome") == "INDETERMINATE"
    )
    return list(dict.fromkeys(m[1] for m in found if m))


def _open(exhibit: Exhibit, run: Run, pairs: Sequence[tuple[Node, str]], *, by: User | None) -> int:
    """New inquiries, but for those that are open already or that the portal itself has asked before."""
    opened = 0
    with transaction.atomic():
        Exhibit.objects.select_for_update().get(pk=exhibit.pk)
        mine = Inquiry.objects.filter(exhibit=exhibit)
        for node, text in pairs:
            if not node.names(text):
                continue
            tx_id = node.spelt(text)
            same = mine.filter(node=node.id, tx_id=tx_id)
            waiting = mine.filter(state__in=Inquiry.OPEN).count() >= ASKED_MAX
            if waiting or same.filter(state__in=Inquiry.OPEN).exists() or (by is None and same.exists()):
                continue
            made = Inquiry.objects.create(exhibit=exhibit, because=run, node=node.id, tx_id=tx_id, requested_by=by)
            params = {"exhibit": str(exhibit.public_id), "inquiry": str(made.public_id), "node": node.id}
            record("node.ask", actor=by, case=exhibit.case, params=params)
            opened += 1
        if opened:
            transaction.on_commit(partial(ring, TASK))
    return opened


# ── working ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def work_once(*, worker: str | None = None, resolver: Resolver | None = None) -> bool:
    """Take one inquiry that is due and carry this try to its end. True when there was one."""
    if not Inquiry.objects.filter(state__in=Inquiry.OPEN).exists():
        return False
    configured = nodes()
    for node in configured:
        claim = _claim(node, worker=worker or f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:100])
        if claim is not None:
            try:
                _try(claim, node, configured, resolver)
            except Exception as fault:
                # The infrastructure failed (vault, ledger), not the node: another try, and nothing is lost.
                log.exception("inquiry %s attempt %s could not be worked", claim.inquiry_id, claim.attempt)
                _again(claim, BACKOFF_FIRST, f"{type(fault).__name__}: {fault}")
            return True
    return False


def _claim(node: Node, *, worker: str) -> Claim | None:
    """One inquiry of this node that is due, if the node may be asked at all just now."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Whoever claims at this node does so alone: what is counted below cannot change in between.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"connectors.{node.id}"])
        cursor.execute(
            "SELECT count(*) FROM connectors_inquiry WHERE node = %s AND state = 'running' AND lease_until > clock_timestamp()",
            [node.id],
        )
        at_work = cursor.fetchone()[0]
        since = "clock_timestamp() - %s * interval '1 second'"
        cursor.execute(
            f"SELECT count(*) FROM connectors_exchange WHERE node = %s AND created_at > {since}",  # noqa: S608
            [node.id, 60],
        )
        if cursor.fetchone()[0] >= node.requests_per_minute:
            return None
        cursor.execute(
            f"SELECT outcome, created_at > {since} FROM connectors_exchange WHERE node = %s ORDER BY id DESC LIMIT %s",  # noqa: S608
            [BREAKER_PAUSE.total_seconds(), node.id, BREAKER_FAILURES],
        )
        last = cursor.fetchall()
        failing = len(last) == BREAKER_FAILURES and all(outcome == Outcome.UNREACHABLE for outcome, _ in last)
        if failing and last[0][1]:
            return None
        if at_work >= (1 if failing else node.at_once):
            return None
        cursor.execute(
            """
            UPDATE connectors_inquiry SET
                state = 'running', attempt = attempt + 1, worker = %(worker)s,
                lease_until = clock_timestamp() + %(lease)s * interval '1 second'
            WHERE id = (
                SELECT id FROM connectors_inquiry
                WHERE node = %(node)s AND attempt < %(cap)s
                  AND (state = 'queued' AND due_at <= clock_timestamp() OR state = 'running' AND lease_until < clock_timestamp())
                ORDER BY due_at, id FOR UPDATE SKIP LOCKED LIMIT 1
            )
            RETURNING id, attempt
            """,
            {"worker": worker, "lease": node.seconds + LEASE_BEYOND, "node": node.id, "cap": ATTEMPTS_MAX},
        )
        row = cursor.fetchone()
    return Claim(*row) if row else None


def _try(claim: Claim, node: Node, configured: Sequence[Node], resolver: Resolver | None) -> None:
    inquiry = Inquiry.objects.select_related("exhibit__case").get(pk=claim.inquiry_id)
    try:
        fetched = fetch(node, inquiry.tx_id, record=lambda fact: _archive(inquiry, claim, fact), resolver=resolver)
        if not fetched.absent:
            handover.readable(fetched.answers)
    except Unreachable as fault:
        if inquiry.tries + 1 < TRIES_MAX:
            _again(claim, min(BACKOFF_FIRST * 2**inquiry.tries, BACKOFF_MOST), str(fault), tried=True)
        else:
            _close(claim, configured, Inquiry.State.UNREACHABLE, fault=str(fault))
    except Unusable as fault:
        log.warning("node %s answered what cannot be used: %s", node.id, fault)
        _close(claim, configured, Inquiry.State.UNUSABLE, fault=str(fault))
    else:
        state = Inquiry.State.ABSENT if fetched.absent else Inquiry.State.ANSWERED
        _close(claim, configured, state, fetched=fetched)


def _archive(inquiry: Inquiry, claim: Claim, fact: Fact) -> None:
    """Bytes into the vault first, then the row and the act. Also of a worker that has lost its lease: it was asked."""
    vault = Vault(settings.PORTAL_VAULT_DIR)
    request, answer = vault.put_bytes(fact.request), vault.put_bytes(fact.answer) if fact.answer else None
    certificate = vault.put_bytes(fact.certificate).sha256 if fact.certificate else ""
    with transaction.atomic():
        Exchange.objects.create(
            inquiry=inquiry,
            attempt=claim.attempt,
            node=inquiry.node,
            question=fact.question,
            host=fact.host,
            port=fact.port,
            address=fact.address,
            request_sha256=request.sha256,
            certificate_sha256=certificate,
            status=fact.status,
            answer_sha256=answer.sha256 if answer else "",
            answer_size=answer.size if answer else 0,
            outcome=fact.outcome,
            fault=fact.fault[:200].replace("\0", ""),
            asked_at=fact.asked_at,
            ended_at=fact.ended_at,
        )
        record(
            "node.exchange",
            actor=None,
            case=inquiry.exhibit.case,
            subject_digest=answer.sha256 if answer else None,
            params={
                "exhibit": str(inquiry.exhibit.public_id),
                "inquiry": str(inquiry.public_id),
                "node": inquiry.node,
                "question": fact.question,
                "outcome": fact.outcome,
                "request": request.sha256,
                "certificate": certificate,
            },
        )


def _again(claim: Claim, delay: timedelta, fault: str, *, tried: bool = False) -> None:
    rows = Inquiry.objects.filter(pk=claim.inquiry_id, attempt=claim.attempt, state=Inquiry.State.RUNNING)
    with transaction.atomic():
        inquiry = rows.select_for_update(of=("self",)).select_related("exhibit").first()
        if inquiry is None:
            return
        Exhibit.objects.select_for_update().get(pk=inquiry.exhibit_id)
        rows.update(
            state=Inquiry.State.QUEUED,
            due_at=Now() + delay,
            lease_until=None,
            fault=fault[:200].replace("\0", ""),
            tries=inquiry.tries + (1 if tried else 0),
        )
        if tried:
            # Answers of other inquiries may have waited for this one.
            _settle(inquiry.exhibit, nodes())


def _close(
    claim: Claim, configured: Sequence[Node], state: str, *, fetched: Fetched | None = None, fault: str = ""
) -> None:
    """Sources, state, act and the run that verifies them, in one transaction; nothing when the lease was lost."""
    vault = Vault(settings.PORTAL_VAULT_DIR)
    stored = [(a.name, vault.put_bytes(a.data)) for a in (fetched.answers if fetched else ())]
    with transaction.atomic():
        rows = Inquiry.objects.filter(pk=claim.inquiry_id, attempt=claim.attempt, state=Inquiry.State.RUNNING)
        inquiry = rows.select_for_update(of=("self",)).select_related("exhibit__case").first()
        if inquiry is None:
            log.warning("inquiry %s attempt %s: stale answer refused", claim.inquiry_id, claim.attempt)
            return
        Exhibit.objects.select_for_update().get(pk=inquiry.exhibit_id)
        Obtained.objects.bulk_create(
            Obtained(inquiry=inquiry, position=n, name=name, size=s.size, sha256=s.sha256, sm3=s.sm3)
            for n, (name, s) in enumerate(stored, start=1)
        )
        rows.update(
            state=state, finished_at=Now(), lease_until=None, tries=inquiry.tries + 1, fault=fault[:200].replace("\0", "")
        )
        record(
            "node.answer",
            actor=None,
            case=inquiry.exhibit.case,
            params={
                "exhibit": str(inquiry.exhibit.public_id),
                "inquiry": str(inquiry.public_id),
                "node": inquiry.node,
                "outcome": state,
                "sources": [s.sha256 for _, s in stored],
            },
        )
        _settle(inquiry.exhibit, configured)


def _settle(exhibit: Exhibit, configured: Sequence[Node]) -> None:
    """Queue the run that verifies what came in since the last one, once nothing is about to come in beside it.

    Call it with the exhibit locked. "No such transaction" is worth a run only when no other node is being asked or has answered.
    """
    inquiries = list(Inquiry.objects.filter(exhibit=exhibit).order_by("pk"))
    fresh = [i for i in inquiries if i.led_to_id is None and i.state in (Inquiry.State.ANSWERED, Inquiry.State.ABSENT)]
    others = {_bare(i.tx_id) for i in inquiries if i.state in (*Inquiry.OPEN, Inquiry.State.ANSWERED)}
    telling = [i for i in fresh if i.state == Inquiry.State.ANSWERED or _bare(i.tx_id) not in others]
    soon = timezone.now() - GATHERING
    about_to = any(i.state in Inquiry.OPEN and i.tries == 0 and i.queued_at > soon for i in inquiries)
    if not telling or about_to:
        return
    try:
        obtained = handover.compose(exhibit, configured)
    except handover.NoRoom as fault:
        log.warning("exhibit %s: answers are not verified: %s", exhibit.public_id, fault)
        return
    run = queue.request(exhibit, by=telling[-1].requested_by, lane=Lane.INTERACTIVE, obtained=obtained)
    Inquiry.objects.filter(pk__in=[i.pk for i in fresh]).update(led_to=run)


def _bare(tx_id: str) -> str:
    return tx_id.removeprefix("0x").lower()


# ── sweeping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def sweep() -> int:
    """Ring for every inquiry that is due; close those that no configured node can answer, or that workers never bring to an end."""
    known = [n.id for n in nodes()]
    waiting = Inquiry.objects.filter(state=Inquiry.State.QUEUED)
    given_up = Inquiry.objects.filter(state__in=Inquiry.OPEN, attempt__gte=ATTEMPTS_MAX).exclude(lease_until__gt=Now())
    for inquiry in waiting.exclude(node__in=known)[:SWEEP_MAX]:
        _give_up(inquiry, "the node is no longer configured")
    for inquiry in given_up[:SWEEP_MAX]:
        _give_up(inquiry, inquiry.fault or "no worker could bring it to an end")
    _settle_left_over()
    due = Inquiry.objects.filter(state__in=Inquiry.OPEN, node__in=known, due_at__lte=timezone.now()).count()
    for _ in range(min(due, RINGS_MAX)):
        ring(TASK)
    return due


def _settle_left_over() -> None:
    """Answers that waited for an inquiry which no worker has put since."""
    states = (Inquiry.State.ANSWERED, Inquiry.State.ABSENT)
    left = Inquiry.objects.filter(state__in=states, led_to=None, finished_at__gt=Now() - SETTLED_WITHIN)
    for exhibit in Exhibit.objects.filter(inquiries__in=left).distinct()[:SWEEP_MAX]:
        with transaction.atomic():
            Exhibit.objects.select_for_update().get(pk=exhibit.pk)
            _settle(exhibit, nodes())


def _give_up(inquiry: Inquiry, fault: str) -> None:
    with transaction.atomic():
        closed = Inquiry.objects.filter(pk=inquiry.pk, attempt=inquiry.attempt, state=inquiry.state).update(
            state=Inquiry.State.UNREACHABLE, finished_at=Now(), lease_until=None, fault=fault
        )
        if closed:
            record(
                "node.answer",
                actor=None,
                case=inquiry.exhibit.case,
                params={
                    "exhibit": str(inquiry.exhibit.public_id),
                    "inquiry": str(inquiry.public_id),
                    "node": inquiry.node,
                    "outcome": "unreachable",
                    "sources": [],
                },
            )
