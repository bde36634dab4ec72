"""The public check of a report by the file itself, for whoever has no script, or a file that is not byte for byte the court's.

The file is looked at and forgotten: nothing of it is kept, and nothing it says is believed (`dropped`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import SkipFile, StopUpload, TemporaryFileUploadHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from evidence.runs.jail import JailError
from portal.ledger import checkpoints
from portal.people import limits

from . import dropped
from .dropped import FILE_MAX
from .models import Report, Revision
from .public import PUBLIC_STATES, QUESTIONS_MAX, QUESTIONS_SECONDS, too_often

FILES_MAX, FILES_SECONDS = 10, 600
"""Files that one address may show: a file that is not the court's costs seconds of processor time."""
ONE_AT_A_TIME = 0x4859_4646
"""Lock of the database: whatever comes in, one file at a time is looked at by the engine. The register needs no lock: nobody who
keeps the engine busy keeps others from asking about a file that is the court's."""


class Shown(TemporaryFileUploadHandler):
    """One file of at most FILE_MAX, in a temporary file. `too_large`: it had more and was not kept; `others`: there were more files.

    A file that is skipped makes Django close those before it, which takes the temporary file away: with others there is none."""

    too_large = others = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if args[0] != "report" or getattr(self, "file", None) is not None:
            self.others = True
            raise SkipFile
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > FILE_MAX:
            self.too_large = True
            raise StopUpload(connection_reset=False)
        super().receive_data_chunk(raw_data, start)


@csrf_exempt
def file(request: HttpRequest) -> HttpResponse:
    """The body is read only now that this address may send one; then the form's token is asked."""
    if request.method != "POST":
        return _nothing_else(request)
    if limits.spent(request, "report-file", most=FILES_MAX, seconds=FILES_SECONDS):
        return too_often(request, FILES_SECONDS)
    request.upload_handlers = [Shown(request)]
    return _file(request)


@csrf_protect
@require_POST
def _nothing_else(request: HttpRequest) -> HttpResponse:
    """For any other method the token is asked first, as everywhere."""
    raise RuntimeError("not reached: only POST comes past the decorators, and never here")


@csrf_protect
def _file(request: HttpRequest) -> HttpResponse:
    sent = request.FILES.get("report")
    if any(isinstance(h, Shown) and h.too_large for h in request.upload_handlers):
        return _said(request, fault=_("文件太大。本院的报告不超过 %(n)d MB；编号和查验码仍可以查。") % {"n": FILE_MAX >> 20})
    alone = not any(isinstance(h, Shown) and h.others for h in request.upload_handlers)
    if not alone or not isinstance(sent, TemporaryUploadedFile) or not sent.size:
        return _said(request, fault=_("请选择报告的 PDF 文件。"))
    try:
        found = dropped.look(Path(sent.temporary_file_path()), alone=_alone)
    except dropped.Busy:
        return _said(request, fault=_("正在查验别的文件。请过一分钟再试；编号和查验码仍可以查。"), status=503)
    except JailError:
        return _said(request, fault=_("现在不能查验这个文件。请稍后再试；编号和查验码仍可以查。"), status=503)
    state = PUBLIC_STATES[Report.State(found.revision.report.state)] if found.revision else ""
    return _said(request, found=found, state=state)


@require_GET
def proof(request: HttpRequest, sha256: str) -> HttpResponse:
    """The ledger's proof of the act of signing these bytes (C2SP tlog-proof), for whoever has them."""
    if limits.spent(request, "report-check", most=QUESTIONS_MAX, seconds=QUESTIONS_SECONDS):
        return too_often(request, QUESTIONS_SECONDS)
    known = Revision.objects.filter(sha256=sha256, report__state__in=dropped.KNOWN).exists()
    recorded = dropped.recorded(sha256) if known else None
    if recorded is None or recorded.index is None or recorded.size is None:
        return render(request, "404.html", status=404)
    response = HttpResponse(checkpoints.tlog_proof(recorded.index), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="ledger-proof-{sha256[:16]}.txt"'
    return response


def _said(request: HttpRequest, *, fault: str = "", status: int = 0, **found: Any) -> HttpResponse:
    context = {"fault": fault, **found}
    return render(request, "evidence/reports/check_file.html", context, status=status or (422 if fault else 200))


@contextmanager
def _alone() -> Iterator[bool]:
    """Of all the portal's processes one may work at a time; the others are told at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])
