"""Routing: one line per room."""

from django.urls import include, path
from django.views.i18n import set_language

from . import health

handler400 = "portal.threshold.bad_request"
urlpatterns = [
    path("", include("cases.urls")),
    path("submit/", include("evidence.intake.urls")),
    path("trust/", include("evidence.trust.urls")),
    path("verify/", include("evidence.runs.urls")),
    path("exhibits/", include("evidence.exhibits.urls")),
    path("exhibits/", include("evidence.connectors.urls")),
    path("exhibits/", include("evidence.captures.urls")),
    path("reports/", include("evidence.reports.urls")),
    path("exports/", include("evidence.exports.urls")),
    path("accounts/", include("portal.people.urls")),
    path("language/", set_language, name="set_language"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
