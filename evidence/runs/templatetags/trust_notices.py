"""`{% trust_notices court=acts.court %}`: what the trust store asks of the person who is signed in; nothing for anybody else."""

from typing import Any

from django import template

from cases.access.offices import may_in_office
from evidence.runs import reverification
from evidence.trust.models import Draft
from portal.people.models import User

register = template.Library()


@register.inclusion_tag("evidence/runs/_trust_notices.html", takes_context=True)
def trust_notices(context: Any, *, court: bool) -> dict[str, object]:
    """`court`: this person acts for the court in some case, and so may verify again."""
    user = context["request"].user
    keeper = isinstance(user, User) and user.court_staff and bool(may_in_office(user, "trust.view"))
    return {
        "keeper": keeper,
        "drills": keeper and bool(may_in_office(user, "report.drill")),
        "proposed": Draft.objects.filter(state=Draft.State.PROPOSED).exclude(created_by=user).count() if keeper else 0,
        "again": court and reverification.offered(user),
    }
