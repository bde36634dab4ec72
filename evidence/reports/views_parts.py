"""What belongs to a report beside its PDF: its annex volumes and, once it is signed, its re-verification bundle."""

import logging
import tempfile
from functools import cache

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from cases.access import demand, may
from evidence.exhibits.models import Exhibit
from evidence.runs.models import RunVerdict
from portal.ledger.entries import record
from portal.vault import Vault, VaultError

from . import bundle, document
from .models import Report
from .views import inside, pdf, person, visible

log = logging.getLogger(__name__)

BUNDLE_MAX = 256 << 20
"""Bytes of files in a bundle that is made while somebody waits; larger ones are made by the export desk."""


@login_required
@require_GET
def volume(request: HttpRequest, public_id: str, number: int) -> HttpResponse:
    """An annex volume, whose digest stands in the report. Before the signature it is the court's, to be read with the draft: the same
    bytes belong to the signed report."""
    found = visible(request, public_id)
    if found.signed_sha256:
        demand(request.user, "report.download", found)
        mark, act = "", "report.download"
    elif inside(request.user, found.case):
        mark, act = "草稿-未签名-DRAFT-UNSIGNED-", "report.draft_download"
    else:
        raise Http404
    one = get_object_or_404(found.volumes, number=number)
    return pdf(request, found, one.sha256, name=f"{mark}{found.number}-{number:02d}.pdf", act=act)


@login_required
@require_GET
def bundle_of(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The bundle: with the files of the exhibits that this person may read, of the others their digests."""
    found = _signed(request, public_id)

    @cache
    def allowed(action: str, exhibit: Exhibit) -> bool:
        return bool(may(request.user, action, exhibit))

    def hand_out(exhibit: Exhibit) -> bool:
        return allowed("evidence.view_content", exhibit)

    def hand_out_obtained(exhibit: Exhibit) -> bool:
        # As on the exhibit's page: a block holds records of people who have no part in the case.
        return hand_out(exhibit) and allowed("verify.run", exhibit)

    verdicts = document.ordered(RunVerdict.objects.filter(reports=found).select_related("run__exhibit__case"))
    try:
        plan = bundle.plan(found.number, [(document.label(v.run.exhibit).zh, v) for v in verdicts])
    except bundle.StoreLost:
        messages.error(request, _("现在不能制作核验包：记录核验时所用的信任库不在原处。请告诉法院的系统管理员。"))
        return redirect("reports:report", found.public_id)
    if sum(s.size for exhibit, s in plan.files if hand_out(exhibit)) > BUNDLE_MAX:
        messages.error(request, _("核验包太大，不能在网页上即时制作。请向书记员索取导出包。"))
        return redirect("reports:report", found.public_id)
    vault = Vault(settings.PORTAL_VAULT_DIR)
    name, out = f"{found.number}-bundle.zip", tempfile.TemporaryFile()
    try:
        bundle.write(
            plan,
            out,
            name=name,
            hand_out=hand_out,
            hand_out_obtained=hand_out_obtained,
            annex=_annex(found, plan, vault),
            report=vault.read(_newest(found)),
        )
    except (VaultError, OSError):
        log.exception("the bundle of report %s could not be made", found.number)
        messages.error(request, _("现在不能制作核验包：记录中的文件不在原处，或者磁盘已满。请告诉法院的系统管理员。"))
        return redirect("reports:report", found.public_id)
    with transaction.atomic():
        record(
            "report.bundle", actor=person(request), case=found.case, subject_digest=plan.sha256, params={"report": found.number}
        )
    out.seek(0)
    response = FileResponse(out, as_attachment=True, filename=name, content_type="application/zip")
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def _signed(request: HttpRequest, public_id: str) -> Report:
    found = visible(request, public_id)
    demand(request.user, "report.download", found)
    if found.newest is None:
        raise Http404
    return found


def _newest(found: Report) -> str:
    return found.newest.sha256 if found.newest else ""


def _annex(found: Report, plan: bundle.Plan, vault: Vault) -> bytes | None:
    """It goes along where it states the digest of this bundle; those of before bundles state none, or were not kept apart."""
    if not found.draft_sha256:
        return None
    annex = vault.read(found.annex_sha256)
    return annex if bundle.stated(annex) == plan.sha256 else None
