"""Settings of a real site: everything comes from the environment (docs/exploitation.md lists the variables)."""

import os

from django.core.exceptions import ImproperlyConfigured

from config import serveurs

from .base import *  # noqa: F403
from .base import LOGGING, REST_FRAMEWORK


def required(nom: str) -> str:
    valeur = os.environ.get(nom, "").strip()
    if not valeur:
        raise ImproperlyConfigured(
            f"La variable {nom} est obligatoire en production (voir docs/exploitation.md)."
        )
    return valeur


SECRET_KEY = required("SECRET_KEY")
# Former keys: they still read what they signed or encrypted (second factors), they sign nothing.
SECRET_KEY_FALLBACKS = [cle for cle in os.environ.get("SECRET_KEY_FALLBACKS", "").split(",") if cle]
# Hashes the numéros uniques: losing it loses the link between a household and its next file.
CLE_NUMERO_UNIQUE = required("CLE_NUMERO_UNIQUE")
# Read so that config/verifications.py can refuse it.
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = [hote.strip() for hote in required("ALLOWED_HOSTS").split(",")]

required("DATABASE_URL")
required("REDIS_URL")
DATABASES = {"default": serveurs.base_de_donnees()}
CELERY_BROKER_URL, cache_url = serveurs.courtier_et_cache()
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": cache_url}}

SITE_URL = os.environ.get("SITE_URL", f"https://{ALLOWED_HOSTS[0]}").rstrip("/")

EMAIL_HOST = required("EMAIL_HOST")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
# STARTTLS on 587, TLS from the first byte on 465; « 0 » for a relay of the same machine only.
EMAIL_USE_SSL = EMAIL_PORT == 465
EMAIL_USE_TLS = not EMAIL_USE_SSL and os.environ.get("EMAIL_TLS", "1") == "1"
DEFAULT_FROM_EMAIL = required("EMAIL_FROM")

MEDIA_ROOT = required("MEDIA_ROOT")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Pages name files by their hash: the plain copies would only be compressed twice for nobody.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Sign-in attempts are counted by address of the network: the one that the front proxy saw.
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("MANDATAIRES", "1"))
REST_FRAMEWORK = {**REST_FRAMEWORK, "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT}

# The front proxy ends TLS, and sets this header itself on every request (it must not let the visitor's through).
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^sante/", r"^metriques/$"]  # asked from inside, without the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# security.W021: entering the browsers' preload list binds a whole domain, which is not the site's to decide.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

LOGGING = {
    **LOGGING,
    "formatters": {"ligne": {"()": "config.exploitation.journaux.LigneJson"}},
    # Each line bears the identifier of its request, which the answer and the journal bear too.
    "filters": {"requete": {"()": "reservation.contexte.NumeroDeRequete"}},
    "handlers": {"sortie": {"class": "logging.StreamHandler", "formatter": "ligne", "filters": ["requete"]}},
    "root": {"handlers": ["sortie"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    # Its own handlers mail the administrators and stay silent without DEBUG.
    "loggers": {
        **LOGGING["loggers"],
        "django": {"handlers": [], "propagate": True},
        # Anybody may send any host name: it is answered 400, a trace for each would hide the true errors.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # A logger of Celery that has a handler keeps it: its tasks would write plain lines.
        "celery.task": {"handlers": ["sortie"], "propagate": False},
    },
}
# Workers and beat write the same lines as the site.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
