"""The resumable upload as a protocol: the core of tus 1.0.0 (POST creates, HEAD tells the offset, PATCH appends), and one
closing message in which the device says what it hashed.

    POST   …/uploads/              Upload-Length, Upload-Metadata        201 Location; 200 when the same file goes on
    HEAD   …/uploads/<id>/                                               Upload-Offset, Upload-Length
    PATCH  …/uploads/<id>/         Upload-Offset, one part               204 Upload-Offset; 409 with the right one
    POST   …/uploads/<id>/         X-HTTP-Method-Override: PATCH|DELETE  the same, for lines that know only GET and POST
    POST   …/uploads/<id>/digests/ {"sha256", "sm3"}                     200 with the file's card, 422 with the sentence

Every request needs the session of the draft's owner and a CSRF token. Sentences come ready in the reader's language.
"""

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from evidence.verification.codecs import strict_json
from portal.vault import Busy, OffsetConflict, Sealed, StoreFull, TooLarge

from . import arrivals, cards, limits, standing, steps
from .arrivals import Closed, Unfinished
from .models import Draft, Upload
from .multipart import Counted
from .sentences import Refused, refusal

VERSION = "1.0.0"
PART_TYPE = "application/offset+octet-stream"
STATUS = {
    "UPLOAD_TOO_BIG": 413,
    "UPLOAD_QUOTA": 413,
    "UPLOAD_RATE": 429,
    "UPLOAD_OPEN": 429,
    "UPLOAD_UNCHECKED": 503,
}
"""HTTP status of a refusal; the others are 422."""
DIGITS_MAX = 18
HEX = re.compile(r"[0-9a-f]{64}")

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, uuid.UUID, P], HttpResponse]


def _protocol(view: Callable[Concatenate[HttpRequest, Draft, P], HttpResponse]) -> View[P]:
    """What every message of the protocol has in common: whose draft, which version, and an answer to every fault."""

    @never_cache
    @wraps(view)
    def wrapped(request: HttpRequest, draft_id: uuid.UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            return _problem(401, "SIGNED_OUT", _("登录已过期。请重新登录后继续，已保存的部分都在"))
        draft = standing.own_draft(request.user, draft_id)
        try:
            response = view(request, draft, *args, **kwargs)
        except Refused as refused:
            response = _problem(STATUS.get(refused.code, 422), refused.code, refused.sentence)
        except StoreFull:
            response = _problem(507, "UPLOAD_FULL", refusal("UPLOAD_FULL"))
        except UnreadablePostError:
            response = _problem(400, "BROKEN", _("连接中断，已保存的部分都在"))
        except Closed:
            response = _problem(410, "CLOSED", _("这个上传已经结束，请重新选择文件"))
        except Busy:
            response = _problem(423, "BUSY", _("同一文件的另一部分正在写入，请稍候"))
        except Unfinished as unfinished:
            response = _offset_problem(unfinished.offset)
        response["Tus-Resumable"] = VERSION
        return response

    return wrapped


@_protocol
def create(request: HttpRequest, draft: Draft) -> HttpResponse:
    if request.method != "POST":
        return _not_allowed("POST")
    # Anybody may open an account: bytes are taken only for a case in which this person may submit, as on the form's own page.
    if not steps.reachable(draft, "files"):
        return _problem(409, "NOT_YET", _("请先填好前面几页，再选择文件"))
    size = _number(request, "Upload-Length")
    metadata = _metadata(request.headers.get("Upload-Metadata", ""))
    if size is None or metadata is None or "filename" not in metadata:
        return _problem(400, "MALFORMED", "Upload-Length, Upload-Metadata (filename)")
    head = metadata.get("head_sha256", "")
    if head and not HEX.fullmatch(head):
        return _problem(400, "MALFORMED", "head_sha256")
    upload, resumed = arrivals.begin(
        draft,
        name=metadata["filename"],
        size=size,
        declared_type=metadata.get("filetype", ""),
        head_sha256=head,
    )
    response = HttpResponse(status=200 if resumed else 201)
    response["Location"] = reverse("intake:upload", args=[draft.public_id, upload.public_id])
    response["Upload-Offset"] = str(arrivals.offset(upload))
    return response


@_protocol
def upload(request: HttpRequest, draft: Draft, upload_id: uuid.UUID) -> HttpResponse:
    this = own_upload(draft, upload_id)
    method = request.method
    if method == "POST":
        method = request.headers.get("X-HTTP-Method-Override", "").upper()
    if method == "HEAD":
        response = HttpResponse()
        response["Upload-Offset"] = str(arrivals.offset(this))
        response["Upload-Length"] = str(this.size)
        return response
    if method == "PATCH":
        return _append(request, this)
    if method == "DELETE":
        arrivals.remove(this)
        return HttpResponse(status=204)
    return _not_allowed("HEAD, PATCH, POST, DELETE")


@_protocol
def digests(request: HttpRequest, draft: Draft, upload_id: uuid.UUID) -> HttpResponse:
    if request.method != "POST":
        return _not_allowed("POST")
    this = own_upload(draft, upload_id)
    told = _digests(request.read(limits.DIGESTS_MAX))
    if told is None:
        return _problem(400, "MALFORMED", "sha256, sm3")
    done = arrivals.finish(this, sha256=told[0], sm3=told[1])
    card = render_to_string(
        "evidence/intake/parts/file.html", {"file": cards.of_upload(done), "draft": draft}, request
    )
    return JsonResponse({"card": card})


def own_upload(draft: Draft, upload_id: uuid.UUID) -> Upload:
    found = Upload.objects.select_related("draft").filter(draft=draft, public_id=upload_id).first()
    if found is None:
        raise Http404
    return found


def _append(request: HttpRequest, this: Upload) -> HttpResponse:
    if request.content_type != PART_TYPE:
        return _problem(415, "MALFORMED", PART_TYPE)
    at, length = _number(request, "Upload-Offset"), _number(request, "Content-Length")
    if at is None:
        return _problem(400, "MALFORMED", "Upload-Offset")
    if length is None:
        return _problem(411, "MALFORMED", "Content-Length")
    if length > limits.PART_BYTES:
        return _problem(413, "MALFORMED", f"Content-Length > {limits.PART_BYTES}")
    part = Counted(request)
    try:
        end = arrivals.append(this, part, at=at)
    except OffsetConflict as conflict:
        return _offset_problem(conflict.offset)
    except Sealed:
        return _offset_problem(this.size)
    except TooLarge:
        return _problem(413, "MALFORMED", "Upload-Offset + Content-Length > Upload-Length")
    if part.total != length:  # cut on the way: what arrived is kept, the rest is asked for
        response = _problem(400, "UPLOAD_FAILED", refusal("UPLOAD_FAILED", p=end * 100 // this.size))
    else:
        response = HttpResponse(status=204)
    response["Upload-Offset"] = str(end)
    return response


def _metadata(header: str) -> dict[str, str] | None:
    """tus: `key base64, key base64`; None when malformed."""
    if len(header) > limits.METADATA_MAX:
        return None
    found: dict[str, str] = {}
    for pair in filter(None, (p.strip() for p in header.split(","))):
        key, _space, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return None
    return found


def _digests(body: bytes) -> tuple[str, str] | None:
    try:
        told = strict_json.loads(body)
    except strict_json.JsonError:
        return None
    if not isinstance(told, dict):
        return None
    sha256, sm3 = told.get("sha256"), told.get("sm3")
    if isinstance(sha256, str) and isinstance(sm3, str) and HEX.fullmatch(sha256) and HEX.fullmatch(sm3):
        return sha256, sm3
    return None


def _number(request: HttpRequest, header: str) -> int | None:
    text = request.headers.get(header) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else None


def _problem(status: int, code: str, message: str) -> HttpResponse:
    return JsonResponse({"code": code, "message": message}, status=status)


def _offset_problem(offset: int) -> HttpResponse:
    response = _problem(409, "OFFSET", _("正在核对已保存的部分"))
    response["Upload-Offset"] = str(offset)
    return response


def _not_allowed(methods: str) -> HttpResponse:
    response = _problem(405, "METHOD", methods)
    response["Allow"] = methods
    return response
