"""What waits for keys and time-stamps, for offices of the court: signatures that wait, time-stamps still to come, renewals and when.

As with the drill (`views_keys`) an office opens no case: a report stands here by its number, never with its case or contents.
"""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from . import patience, upkeep
from .models import Report
from .views_keys import office

PER_PAGE = 50
WAITING_SHOWN = 100


@office
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    sealing = Report.objects.filter(state=Report.State.SEALING).select_related("errand").order_by("pk")
    pending = upkeep.pending().select_related("errand")
    planned = upkeep.schedule()
    page = Paginator(planned, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "sealing": sealing[:WAITING_SHOWN],
        "sealing_count": sealing.count(),
        "pending": pending[:WAITING_SHOWN],
        "pending_count": pending.count(),
        "resting": patience.resting(),
        "page": page,
        "planned": page.object_list,
        "lost_count": sum(1 for one in planned if one.lost),
        "due_count": len(upkeep.overdue(planned)),
    }
    return render(request, "evidence/reports/upkeep.html", context)
