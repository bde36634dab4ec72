"""The bench's button, and the bytes of what the court's nodes answered."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cases.access import demand, visible_to
from evidence.exhibits import download
from evidence.exhibits.models import Exhibit
from evidence.runs.models import Run, RunSource
from portal.ledger.entries import record

from . import inquiries


@login_required
@require_POST
def ask(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask the court's nodes for what nothing in the exhibit proves. The worker asks; this only writes the inquiries down."""
    found = get_object_or_404(visible_to(request.user, Exhibit.objects.select_related("case")), public_id=public_id)
    demand(request.user, "verify.run", found)
    opened = inquiries.ask(found, by=request.user)
    if opened:
        text = ngettext("已向法院节点发出 %(n)d 项查询。", "已向法院节点发出 %(n)d 项查询。", opened) % {"n": opened}
        messages.success(request, text)
    else:
        messages.info(request, _("没有可以查询的交易，或者查询还在进行。"))
    return redirect("exhibits:exhibit", found.public_id)


@never_cache
@login_required
@require_safe
def source(request: HttpRequest, public_id: str, number: int, position: int) -> HttpResponseBase:
    """One source that the court obtained for a run, byte for byte as the engine had it.

    For the bench and those it has called in only: a block holds the records of people who have no part in the case, and whoever files
    a certificate chooses which block is asked for. What of it a party gets to see is the court's to decide.
    """
    runs = Run.objects.select_related("exhibit__case").filter(exhibit__public_id=public_id)
    run = get_object_or_404(visible_to(request.user, runs), number=number)
    demand(request.user, "verify.run", run)
    wanted = get_object_or_404(RunSource, run=run, position=position)
    response = download.attachment(request, wanted)
    if request.method == "GET" and download.begins(response):
        with transaction.atomic():
            params = {"exhibit": str(run.exhibit.public_id), "run": str(run.public_id), "position": position}
            record("node.download", actor=request.user, case=run.case, subject_digest=wanted.sha256, params=params)
    return response
