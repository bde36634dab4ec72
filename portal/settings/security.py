"""Secrets, cookies, headers, sign-in. Production refuses to start without its secrets; only the demonstration makes its own."""

from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.crypto import get_random_string

from . import environment as env
from .app import PORTAL_DEMO

DEBUG = False


def _secret_key() -> str:
    if not PORTAL_DEMO:
        return env.text("SECRET_KEY")
    # The demonstration keeps a key of its own beside its data, so that sessions survive a restart.
    file = Path(env.text("DATA_DIR", "var")) / "keys" / "secret_key"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
        file.write_text(get_random_string(64), encoding="ascii")
    return file.read_text(encoding="ascii")


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = env.words("HOSTS", "localhost 127.0.0.1 [::1]" if PORTAL_DEMO else "")
PORTAL_EVIDENCE_ORIGIN = env.text("EVIDENCE_ORIGIN", "")
"""Where safe views of captured pages are shown: an origin on a host of its own; empty: they are not shown."""
PORTAL_REPLAY_ORIGIN = env.text("REPLAY_ORIGIN", "")
"""The court's own installation of ReplayWeb.page, on a host of its own; empty: nothing of it is shown anywhere (docs/replay.md)."""
CSRF_TRUSTED_ORIGINS = env.words("TRUSTED_ORIGINS")

# What is asked of the host of evidence is answered by the first, and the others never hear of it. The next three see every answer, whoever made it: static files, a refused host, a redirect to https.
MIDDLEWARE = [
    "evidence.captures.display.host.evidence_host",
    "csp.middleware.CSPMiddleware",
    "portal.threshold.threshold",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "worker-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
SECURE_TLS = not PORTAL_DEMO and env.flag("TLS", default=True)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_TLS
SECURE_SSL_REDIRECT = SECURE_TLS and env.flag("TLS_REDIRECT", default=True)
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_TLS else 0
BEHIND_PROXY = env.flag("BEHIND_PROXY")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# __Host-: the browser takes the cookie over https only, and from this very host, never from a neighbour under the same domain.
_HOST = "__Host-" if SECURE_TLS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, LANGUAGE_COOKIE_NAME = f"{_HOST}sessionid", f"{_HOST}csrftoken", f"{_HOST}django_language"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
# Messages name cases: they stay on the server.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W008" if PORTAL_DEMO else "",
    "guardian.W001",  # object permissions are asked through cases.access, never through a generic backend
]

# One only: with a second, every wrong password is hashed and compared twice.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "portal.people.adapter.Adapter"
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/300s/key"}
CACHES = {"default": {"BACKEND": "portal.people.attempts.Attempts"}}
# Behind the proxy every request comes from the proxy: whom it speaks for is what it put last into X-Forwarded-For.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None

# Uploads come in parts; a request body beyond this is refused before it is read (a part is 5 MiB, plus form fields).
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 50
FILE_UPLOAD_HANDLERS = ["portal.threshold.NoFiles"]
