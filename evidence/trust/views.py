"""The pages of the trust store: what is in force, drafts and what they change, the edits, and the decision.

Whoever may not look gets the 404 of what does not exist. Each verb asks once more for itself (`drafts`).
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.access.offices import demand_in_office, may_in_office
from evidence.verification.trust import TrustError
from portal.people.models import User

from . import contents, drafts, edits, packs, showing, signing
from .archive import Archive
from .drafts import DraftFault, NotAllowed
from .entries import Entry, entries
from .forms import EDITS, Title
from .models import Draft, Pack

DRAFTS_PER_PAGE = 20
PACKS_SHOWN = 20
CHANGES_SHOWN = 50

View = Callable[..., HttpResponse]


def _office(action: str) -> Callable[[View], View]:
    """For people who hold an office with this right, and absent for all others; a verb that refuses is absent too."""

    def around(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            demand_in_office(request.user, action)
            try:
                return view(request, *args, **kwargs)
            except NotAllowed as fault:
                raise Http404 from fault

        return never_cache(login_required(asked))

    return around


@_office("trust.view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    pack = packs.in_force()
    shown, fault = None, ""
    try:
        in_use = packs.in_use()
        shown = showing.store(packs.contents(pack) if pack else contents.of_directory(in_use.directory), today=_today())
    except (TrustError, signing.KeyFault, OSError) as found:
        fault = str(found)
    listed = Draft.objects.select_related("created_by", "decided_by", "pack")
    page = Paginator(listed, DRAFTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "pack": pack,
        "shown": shown,
        "fault": fault,
        "page": page,
        "drafts": page.object_list,
        "history": Pack.objects.select_related("proposed_by", "approved_by").defer("manifest")[:PACKS_SHOWN],
        "form": Title(label_suffix=""),
        "may_propose": bool(may_in_office(request.user, "trust.propose")),
    }
    return render(request, "evidence/trust/index.html", context)


@_office("trust.view")
@require_safe
def pack(request: HttpRequest, digest: str) -> HttpResponse:
    """A published pack, in force or not: all of it, and what it changed."""
    found = get_object_or_404(Pack.objects.select_related("previous", "proposed_by", "approved_by", "draft"), sha256=digest)
    whole = packs.contents(found)
    before = packs.contents(found.previous) if found.previous else None
    context = {
        "pack": found,
        "in_force": packs.in_force() == found,
        "shown": showing.store(whole, today=_today()),
        "changes": showing.changes(before, whole) if before else None,
        "members": showing.members(whole),
    }
    return render(request, "evidence/trust/pack.html", context)


@_office("trust.view")
@require_safe
def pack_file(request: HttpRequest, digest: str) -> HttpResponse:
    found = get_object_or_404(Pack, sha256=digest)
    return _zip(contents.zipped(packs.contents(found), signature=found.signature), f"trust-{found.number}-{digest[:12]}.zip")


@_office("trust.propose")
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    form = Title(request.POST, label_suffix="")
    if not form.is_valid():
        messages.error(request, _("请写明这次要改什么、为什么。"))
        return redirect("trust:index")
    try:
        made = drafts.start(form.cleaned_data["title"], by=_person(request))
    except TrustError as fault:
        messages.error(request, _("现行信任库不能读取：%(fault)s") % {"fault": fault})
        return redirect("trust:index")
    return redirect("trust:draft", made.public_id)


@_office("trust.view")
@require_safe
def draft(request: HttpRequest, public_id: str) -> HttpResponse:
    """What the draft changes; for its maker the edits, for another person the decision."""
    found = _draft(public_id)
    person = _person(request)
    last = drafts.latest(found)
    whole = packs.of_manifest(bytes(last.manifest))
    before = packs.contents(found.base) if found.base else None
    own = found.created_by_id == person.pk and bool(may_in_office(person, "trust.propose"))
    newest = packs.in_force()
    context = {
        "draft": found,
        "last": last,
        "changes": showing.changes(before, whole),
        "editing": own and found.state == Draft.State.EDITING,
        "own": own,
        "may_decide": found.state == Draft.State.PROPOSED and bool(may_in_office(person, "policy.trust", found)),
        "outdated": found.state in (Draft.State.EDITING, Draft.State.PROPOSED) and found.base != newest,
        "revisions": found.revisions.defer("manifest")[:CHANGES_SHOWN],
        "demonstration": whole.head["demonstration"],
    }
    if context["editing"]:
        context["shown"] = showing.store(whole, today=_today())
    return render(request, "evidence/trust/draft.html", context)


@_office("trust.view")
@require_safe
def draft_file(request: HttpRequest, public_id: str) -> HttpResponse:
    """The draft as a pack without signature, to be worked on outside and brought back."""
    found = _draft(public_id)
    whole = drafts.whole(found)
    return _zip(contents.zipped(whole, signature=None), f"trust-draft-{whole.sha256[:12]}.zip")


@_office("trust.propose")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: str, what: str) -> HttpResponse:
    """One form of `forms.EDITS`; `?thing=` names what is changed, or the chain to which something is added."""
    found = _editable(request, public_id)
    if what not in EDITS:
        raise Http404
    whole = drafts.whole(found)
    thing = _thing(whole, request.GET.get("thing", ""))
    made = EDITS[what]
    if thing is None and made.needs_thing or thing is not None and thing.kind not in made.about:
        raise Http404
    form = made(request.POST if request.method == "POST" else None, pack=whole, thing=thing)
    if what == "member" and request.method != "POST":
        path = request.GET.get("path", "")
        if path in whole.members and len(whole.members[path]) <= showing.TEXT_MAX:
            form.initial = {"path": path, "text": whole.members[path].decode("utf-8", "replace")}
    if request.method == "POST" and form.is_valid():
        try:
            drafts.change(found, form.members(), what=form.said(), source=form.cleaned_data["source"], by=_person(request), seen=whole.sha256)
            return redirect("trust:draft", found.public_id)
        except DraftFault as fault:
            form.add_error(None, str(fault))
    status = 422 if form.errors else 200
    context = {"draft": found, "form": form, "thing": thing, "thing_name": showing.called(thing) if thing else ""}
    return render(request, "evidence/trust/edit.html", context, status=status)


@_office("trust.propose")
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take one thing out of the draft, after one more look at it."""
    found = _editable(request, public_id)
    whole = drafts.whole(found)
    thing = _thing(whole, request.GET.get("thing", ""))
    if thing is None:
        raise Http404
    if request.method == "POST":
        try:
            what = _("删除：%(name)s") % {"name": showing.called(thing)}
            drafts.change(found, edits.without(whole, thing), what=what, source="-", by=_person(request), seen=whole.sha256)
        except DraftFault as fault:
            messages.error(request, str(fault))
        return redirect("trust:draft", found.public_id)
    return render(request, "evidence/trust/remove.html", {"draft": found, "thing": showing.thing(thing)})


@csrf_exempt
@_office("trust.propose")
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take a whole pack (zip) into the draft. The body is read only now that this person may send one; then its token is asked."""
    found = _editable(request, public_id)
    request.upload_handlers = [Archive(request)]
    return _bring(request, found)


@csrf_protect
def _bring(request: HttpRequest, found: Draft) -> HttpResponse:
    fault = ""
    if request.method == "POST":
        sent = request.FILES.get("pack")
        try:
            if any(h.too_large for h in request.upload_handlers if isinstance(h, Archive)):
                raise DraftFault(_("文件太大：网页上最多 %(n)d MiB，更大的请在服务器上用命令导入。") % {"n": contents.ZIP_BYTES_MAX >> 20})
            if sent is None:
                raise DraftFault(_("请选择信任库的 zip 文件。"))
            drafts.replace(found, contents.of_zip(sent.read()), what=_("导入 %(name)s") % {"name": sent.name}, by=_person(request))
            return redirect("trust:draft", found.public_id)
        except (DraftFault, TrustError) as refused:
            fault = str(refused)
    return render(request, "evidence/trust/import.html", {"draft": found, "fault": fault}, status=422 if fault else 200)


@_office("trust.view")
@require_POST
def decide(request: HttpRequest, public_id: str) -> HttpResponse:
    """`act`: propose, take_back, withdraw, up_to_date (its maker); approve, reject (another), on the digest that was shown."""
    found = _draft(public_id)
    person = _person(request)
    digest = request.POST.get("digest", "")
    acts: dict[str, Callable[[], object]] = {
        "propose": lambda: drafts.propose(found, by=person),
        "take_back": lambda: drafts.take_back(found, by=person),
        "withdraw": lambda: drafts.withdraw(found, by=person),
        "up_to_date": lambda: drafts.bring_up_to_date(found, by=person),
        "approve": lambda: _approve(request, found, digest),
        "reject": lambda: drafts.reject(found, digest=digest, reason=request.POST.get("reason", ""), by=person),
    }
    act = request.POST.get("act", "")
    if act not in acts:
        raise Http404
    try:
        acts[act]()
        if act == "approve":
            messages.success(request, _("已批准并发布。此后的核验使用这一版。"))
    except (DraftFault, TrustError) as fault:
        messages.error(request, str(fault))
    except signing.KeyFault as fault:
        messages.error(request, _("没有发布：信任库的签名密钥不能使用。请告诉系统管理员：%(fault)s") % {"fault": fault})
    return redirect("trust:draft", found.public_id)


# ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _approve(request: HttpRequest, found: Draft, digest: str) -> None:
    if request.POST.get("looked") != "yes":
        # Whoever may not decide learns nothing of what is asked of those who may.
        if not may_in_office(request.user, "policy.trust", found):
            raise NotAllowed
        raise DraftFault(_("请先逐项核对，并勾选“我已逐项核对”。"))
    drafts.approve(found, digest=digest, by=_person(request))


def _draft(public_id: str) -> Draft:
    return get_object_or_404(Draft.objects.select_related("created_by", "decided_by", "base", "pack"), public_id=public_id)


def _editable(request: HttpRequest, public_id: str) -> Draft:
    """A draft in the making, in the hands of its maker; for anybody else this page does not exist."""
    found = _draft(public_id)
    if found.created_by_id != _person(request).pk or found.state != Draft.State.EDITING:
        raise Http404
    return found


def _thing(whole: contents.Contents, mark: str) -> Entry | None:
    """The entry with this mark. None: nothing is named; 404: something that is not there (any more)."""
    if not mark:
        return None
    found = next((e for e in entries(whole).values() if showing.mark(e) == mark), None)
    if found is None:
        raise Http404
    return found


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def _today() -> Any:
    return datetime.now(UTC).date()


def _zip(data: bytes, name: str) -> HttpResponse:
    response = HttpResponse(data, content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
    return response
