"""What every page may show: whose court this is and whether it is a demonstration."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language


def court(request: HttpRequest) -> dict[str, object]:
    language = "en" if (get_language() or "").startswith("en") else "zh"
    return {
        "language": language,
        "demonstration": settings.PORTAL_DEMO,
        "court_name": settings.PORTAL_COURT_NAME[language],
        "portal_name": settings.PORTAL_NAME[language],
    }
