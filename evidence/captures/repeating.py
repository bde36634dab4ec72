"""A file that could not be read is read once more: for those who may have an exhibit verified again; else 404."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases.access import demand
from evidence.exhibits.models import ExhibitFile

from . import queue, views


@login_required
@require_POST
def again(request: HttpRequest, public_id: str, position: int) -> HttpResponse:
    found = views.visible(request, public_id)
    demand(request.user, "verify.run", found)
    file = get_object_or_404(ExhibitFile.objects.select_related("exhibit__case"), exhibit=found, position=position)
    if queue.again(file, by=request.user):
        messages.success(request, _("已经排队，重新读取一般不到一分钟。"))
    else:
        messages.info(request, _("这个文件没有重新读取：它正在读取、已经读取，或者重试次数已经用完。"))
    return redirect(f"{reverse('exhibits:exhibit', args=[found.public_id])}#captures")
