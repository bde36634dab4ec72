"""Applications, database, languages, templates."""

from pathlib import Path
from urllib.parse import urlsplit

from . import environment as env

ROOT = Path(__file__).resolve().parents[2]

PORTAL_DEMO = env.flag("DEMO")
"""A demonstration court: labelled everywhere, sign-in without passwords, throw-away keys."""
PORTAL_NAME = {"zh": "明鉴", "en": "Mingjian"}
PORTAL_COURT_NAME = {
    "zh": env.text("COURT_NAME_ZH", "演示中级人民法院" if PORTAL_DEMO else ""),
    "en": env.text("COURT_NAME_EN", "Demonstration Intermediate Court" if PORTAL_DEMO else ""),
}
"""Whose portal this is, beside the product's name on every page."""
PORTAL_PUBLIC_URL = env.text("PUBLIC_URL", "http://localhost:8000").rstrip("/")
"""Where the public reaches the portal; printed in the QR code of reports."""
PORTAL_LEDGER_ORIGIN = env.text("LEDGER_ORIGIN", f"{urlsplit(PORTAL_PUBLIC_URL).hostname}/ledger")
"""Name of this court's ledger, for ever: it stands in every signed head."""

INSTALLED_APPS = [
    "portal",
    "portal.people",
    "portal.ledger",
    "cases",
    "evidence.trust",
    "evidence.exhibits",
    "evidence.intake",
    "evidence.runs",
    "evidence.captures",
    "evidence.captures.display",
    "evidence.captures.comparison",
    "evidence.reports",
    "evidence.exports",
    "evidence.connectors",
    "guardian",
    "allauth",
    "allauth.account",
    "django_htmx",
    "whitenoise.runserver_nostatic",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
]
DATABASES = {"default": env.database(env.text("DATABASE_URL", "postgresql:///portal"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.User"
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.court",
            ],
        },
    }
]

# Chinese is the source language of every sentence; English is complete. Dates print in the court's own time.
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
