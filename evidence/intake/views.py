"""The pages of the mini-court form: one question each, plain forms, answers kept on the server after every page."""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from cases.access import visible_to
from cases.models import Case, Court
from evidence.exhibits.models import Category, OriginalForm
from evidence.exhibits.statements import Head
from evidence.reports.rendering import RenderError
from portal.vault import Busy, StoreFull

from . import arrivals, cards, forms, limits, multipart, names, receipt, receiving, standing, steps
from .models import Draft, Upload
from .sentences import Refused, refusal

STATUS = {"UPLOAD_TOO_BIG": 413, "UPLOAD_FULL": 507}
"""For plain forms; every other refusal is 400."""


@never_cache
@login_required
def start(request: HttpRequest) -> HttpResponse:
    """What will be asked, what is still unfinished, and the button that begins."""
    drafts = standing.open_drafts(request.user)  # type: ignore[arg-type]
    case = _case_asked_for(request)
    if request.method == "POST":
        if len(drafts) >= limits.DRAFTS_MAX or _begun_today(request) >= limits.DAILY_DRAFTS_MAX:
            messages.error(request, _("您有太多没有提交的草稿。请先继续或放弃其中的一些"))
            return redirect("intake:start")
        answers = {"case": {"number": case.number}} if case else {}
        draft = Draft.objects.create(user=request.user, case=case, answers=answers)  # type: ignore[misc]
        return redirect("intake:step", draft.public_id, steps.first_open(draft).name)
    unfinished = [
        {"draft": d, "step": steps.first_open(d), "number": steps.number(steps.first_open(d).name)}
        for d in drafts
    ]
    return render(
        request, "evidence/intake/start.html", {"unfinished": unfinished, "case": case, "count": steps.COUNT}
    )


@never_cache
@login_required
@require_POST
def discard(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """Give a draft up: its bytes in the staging area go, the row stays."""
    draft = standing.own_draft(request.user, draft_id)
    if draft.exhibit is None:
        for upload in draft.uploads.exclude(state=Upload.State.REMOVED):
            arrivals.remove(upload)
        Draft.objects.filter(pk=draft.pk, exhibit=None).update(discarded_at=timezone.now())
        messages.success(request, _("草稿已放弃，没有向法院提交任何内容"))
    return redirect("intake:start")


@csrf_exempt
@never_cache
@login_required
def step(request: HttpRequest, draft_id: uuid.UUID, name: str) -> HttpResponse:
    """Any page of the form. The body is read here first, because asking for the CSRF token would read it carelessly."""
    draft = standing.own_draft(request.user, draft_id)
    if name not in steps.NAMES:
        raise Http404
    if draft.exhibit is not None:
        return redirect("intake:receipt", draft.public_id)
    try:
        multipart.read(request, files=name == "files")
    except Refused as refused:
        if name != "files":
            raise BadRequest("the form did not arrive whole") from refused
        return _files_page(request, draft, fault=refused)
    return _step(request, draft, name)


@csrf_protect
def _step(request: HttpRequest, draft: Draft, name: str) -> HttpResponse:
    if not steps.reachable(draft, name):
        return redirect("intake:step", draft.public_id, steps.first_open(draft).name)
    return PAGES[name](request, draft)


# ── one function for each page ────────────────────────────────────────────────────────────────────────────────────────


def _case(request: HttpRequest, draft: Draft) -> HttpResponse:
    if request.method == "POST":
        form = forms.CaseForm(request.POST, user=draft.user)
        if form.is_valid() and form.case is not None:
            _warn_of_unknown_court(request, form)
            _save(draft, "case", {"number": form.case.number}, case=form.case)
            return _onward(request, draft, "case")
    else:
        form = forms.CaseForm(initial=draft.answers.get("case"), user=draft.user)
    return _question(request, draft, "case", form)


def _who(request: HttpRequest, draft: Draft) -> HttpResponse:
    if draft.case is None:
        raise Http404
    held = standing.memberships(draft.user, draft.case)
    if request.method == "POST":
        form = forms.StandingForm(request.POST, memberships=held)
        if form.is_valid():
            _save(draft, "who", form.answers())
            return _onward(request, draft, "who")
    else:
        form = forms.StandingForm(initial=draft.answers.get("who"), memberships=held)
    return _question(request, draft, "who", form, memberships=held, person=draft.user.get_full_name())


def _what(request: HttpRequest, draft: Draft) -> HttpResponse:
    return _answer(request, draft, "what", forms.DescriptionForm)


def _prechain(request: HttpRequest, draft: Draft) -> HttpResponse:
    return _answer(request, draft, "prechain", forms.PreChainForm)


def _purpose(request: HttpRequest, draft: Draft) -> HttpResponse:
    return _answer(request, draft, "purpose", forms.PurposeForm)


def _files(request: HttpRequest, draft: Draft) -> HttpResponse:
    if request.method != "POST":
        return _files_page(request, draft)
    sent = request.FILES.getlist("files")
    try:
        told = multipart.check_manifest(request.POST.get(multipart.MANIFEST_FIELD, ""), sent)
        refused = [
            fault for file, digests in zip(sent, told, strict=True) if (fault := _take(draft, file, digests))
        ]
        if refused:
            return _files_page(request, draft, fault=refused[0][1], faults=refused)
    except Refused as fault:
        return _files_page(request, draft, fault=fault)
    except StoreFull:
        return _files_page(request, draft, fault=Refused("UPLOAD_FULL"))
    except arrivals.Closed:
        return redirect("intake:step", draft.public_id, "files")
    if request.POST.get("action") != "continue":
        return redirect(_with_origin(request, reverse("intake:step", args=[draft.public_id, "files"])))
    states = set(draft.uploads.values_list("state", flat=True))
    if Upload.State.ARRIVING in states:
        return _files_page(request, draft, unfinished=True)
    if Upload.State.ARRIVED not in states:
        return _files_page(request, draft, fault=Refused("UPLOAD_NONE"))
    return _onward(request, draft, "files")


def _check(request: HttpRequest, draft: Draft) -> HttpResponse:
    what = draft.answers.get("what", {})
    answers = {
        "name": what.get("name"),
        "category": dict(Category.choices).get(what.get("category")),
        "original_form": dict(OriginalForm.choices).get(what.get("original_form")),
        "origin": what.get("origin"),
        "purpose": draft.answers.get("purpose", {}).get("purpose"),
    }
    stated = draft.answers.get("prechain", {})
    prechain = [(head.label, stated.get(head.value)) for head in Head]
    held = {"membership": steps.membership(draft), "person": draft.user.get_full_name()}
    files = [card for card in cards.of(draft) if card.upload.state == Upload.State.ARRIVED]
    return _page(request, draft, "check", {"answers": answers, "prechain": prechain, "files": files} | held)


def _declare(request: HttpRequest, draft: Draft) -> HttpResponse:
    if draft.case is None:
        raise Http404
    late = receiving.late_now(draft.case)
    if request.method == "POST":
        form = forms.DeclarationForm(request.POST, late=late)
        if form.is_valid():
            try:
                receiving.receive(
                    draft,
                    by=draft.user,
                    idempotency_key=str(draft.public_id),
                    late_reason=form.cleaned_data.get("late_reason", ""),
                )
            except receiving.Incomplete as fault:
                return redirect("intake:step", draft.public_id, fault.steps[0].name)
            except receiving.LateReasonNeeded:  # the period ended between the page and the button
                form = forms.DeclarationForm(request.POST, late=True)
            else:
                return redirect("intake:receipt", draft.public_id)
    else:
        form = forms.DeclarationForm(late=late)
    asked_why = "late_reason" in form.fields
    return _question(request, draft, "declare", form, late=asked_why, files=steps.files(draft))


PAGES = {
    "case": _case,
    "who": _who,
    "what": _what,
    "files": _files,
    "prechain": _prechain,
    "purpose": _purpose,
    "check": _check,
    "declare": _declare,
}


# ── files and receipt ─────────────────────────────────────────────────────────────────────────────────────────────────


@never_cache
@login_required
@require_POST
def remove(request: HttpRequest, draft_id: uuid.UUID, upload_id: uuid.UUID) -> HttpResponse:
    draft = standing.own_draft(request.user, draft_id)
    upload = Upload.objects.select_related("draft").filter(draft=draft, public_id=upload_id).first()
    if upload is None:
        raise Http404
    try:
        arrivals.remove(upload)
    except (arrivals.Closed, Busy):
        messages.error(request, _("这个文件现在不能移除"))
    return redirect(_with_origin(request, reverse("intake:step", args=[draft.public_id, "files"])))


@never_cache
@login_required
@require_safe
def show_receipt(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    draft = standing.own_draft(request.user, draft_id)
    if draft.exhibit is None:
        raise Http404
    return render(
        request,
        "evidence/intake/receipt.html",
        receipt.contents(draft.exhibit) | {"draft": draft, "number": steps.COUNT, "count": steps.COUNT},
    )


@never_cache
@login_required
@require_safe
def receipt_pdf(request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    draft = standing.own_draft(request.user, draft_id)
    if draft.exhibit is None:
        raise Http404
    try:
        paper = receipt.pdf(draft.exhibit)
    except RenderError:
        messages.error(request, _("回执的PDF现在无法生成，请稍后再试；本页内容与PDF相同，可以直接打印"))
        return redirect("intake:receipt", draft.public_id)
    response = HttpResponse(paper, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="receipt-{draft.exhibit.receipt_number}.pdf"'
    return response


def _take(draft: Draft, file: UploadedFile, told: dict[str, str]) -> tuple[str, Refused] | None:
    name = told.get("name") or file.name or ""
    try:
        arrivals.take(draft, file, name=name, sha256=told.get("sha256", ""), sm3=told.get("sm3", ""))
    except Refused as refused:
        return names.shown(name), refused
    return None


# ── what the pages share ──────────────────────────────────────────────────────────────────────────────────────────────


def _answer(request: HttpRequest, draft: Draft, name: str, form_class: type[forms.StepForm]) -> HttpResponse:
    if request.method == "POST":
        form = form_class(request.POST)
        if form.is_valid():
            _save(draft, name, form.answers())
            return _onward(request, draft, name)
    else:
        form = form_class(initial=draft.answers.get(name))
    return _question(request, draft, name, form)


def _question(
    request: HttpRequest, draft: Draft, name: str, form: forms.StepForm, **more: Any
) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return _page(request, draft, name, {"form": form, **more}, status=status)


def _files_page(
    request: HttpRequest,
    draft: Draft,
    *,
    fault: Refused | None = None,
    faults: list[tuple[str, Refused]] | None = None,
    unfinished: bool = False,
) -> HttpResponse:
    said = [f"{file_name}：{one.sentence}" for file_name, one in faults or []] or (
        [fault.sentence] if fault else []
    )
    if unfinished:
        said = [_("还有文件没有传完。请再选一次同一个文件继续，或把它移除")]
    context = {
        "files": cards.of(draft),
        "errors": said,
        "part_bytes": limits.PART_BYTES,
        "plain_max": limits.PLAIN_MAX,
        "files_max": limits.FILES_MAX,
        "upload_max": settings.PORTAL_UPLOAD_MAX,
        "last_field": multipart.LAST_FIELD,
        "last_value": multipart.LAST_VALUE,
        "failed": refusal("UPLOAD_FAILED", p="{p}"),
    }
    status = STATUS.get(fault.code, 400) if fault else 422 if said else 200
    return _page(request, draft, "files", context, status=status)


def _page(
    request: HttpRequest, draft: Draft, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    previous = steps.before(name)
    origin = _origin(request)
    if origin:
        back = reverse("intake:step", args=[draft.public_id, origin])
    elif previous:
        back = reverse("intake:step", args=[draft.public_id, previous.name])
    else:
        back = reverse("intake:start")
    response = render(
        request,
        f"evidence/intake/{name}.html",
        {"draft": draft, "step": steps.STEPS[steps.NAMES.index(name)], "number": steps.number(name)}
        | {"count": steps.COUNT, "back": back, "origin": origin}
        | context,
        status=status,
    )
    patch_vary_headers(response, ["Cookie"])
    return response


def _save(draft: Draft, name: str, answers: dict[str, Any], *, case: Case | None = None) -> None:
    """Merge one page's answers, so that two devices on two pages do not overwrite each other."""
    with transaction.atomic():
        kept = Draft.objects.select_for_update().get(pk=draft.pk)
        if kept.exhibit_id is not None:
            return
        kept.answers = {**kept.answers, name: answers}
        if case is not None:
            kept.case = case
        kept.save(update_fields=["answers", "case", "updated_at"])
    draft.answers, draft.case = kept.answers, kept.case


def _onward(request: HttpRequest, draft: Draft, name: str) -> HttpResponseRedirect:
    """To the next page; or back to the overview when one came from there and nothing is missing."""
    following = steps.after(name).name
    if _origin(request) == "check":
        following = steps.first_open(draft).name
    return HttpResponseRedirect(reverse("intake:step", args=[draft.public_id, following]))


def _origin(request: HttpRequest) -> str:
    """The page to go back to: "check" when the person came by a change link of the overview."""
    asked = request.POST.get("from") or request.GET.get("from")
    return "check" if asked == "check" else ""


def _with_origin(request: HttpRequest, address: str) -> str:
    return f"{address}?from=check" if _origin(request) else address


def _begun_today(request: HttpRequest) -> int:
    since = timezone.now() - timedelta(days=1)
    return Draft.objects.filter(user_id=request.user.pk, created_at__gte=since).count()


def _case_asked_for(request: HttpRequest) -> Case | None:
    """The case of a link "submit evidence in this case"; one that the person may not know is silently none."""
    asked = request.POST.get("case") or request.GET.get("case") or ""
    try:
        public_id = uuid.UUID(asked)
    except ValueError:
        return None
    case = visible_to(request.user, Case.objects.filter(public_id=public_id)).first()
    return standing.case_to_submit_in(request.user, case.number) if case else None  # type: ignore[arg-type]


def _warn_of_unknown_court(request: HttpRequest, form: forms.CaseForm) -> None:
    """A court that is not in the list is a warning, never an error (court-domain §4)."""
    code = form.parsed.court if form.parsed else None
    if code and not Court.objects.filter(code=code).exists():
        messages.warning(
            request, _("法院名录中没有代字“%(code)s”。案号可以使用，请再核对一次") % {"code": code}
        )
