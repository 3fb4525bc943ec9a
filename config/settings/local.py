"""Default settings: embedded PostgreSQL and Valkey under RESERVATION_DATA, unless URLs name external servers."""

import os

from config import serveurs

from .base import *  # noqa: F403

DEBUG = os.environ.get("DEBUG") == "1"
SECRET_KEY = os.environ.get("SECRET_KEY") or serveurs.cle_secrete()
CLE_NUMERO_UNIQUE = os.environ.get("CLE_NUMERO_UNIQUE") or f"numero-unique:{SECRET_KEY}"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

SERVEURS_EMBARQUES = True
DATABASES = {"default": serveurs.base_de_donnees()}
CELERY_BROKER_URL, cache_url = serveurs.courtier_et_cache()
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": cache_url}}

MEDIA_ROOT = serveurs.dossier() / "fichiers"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = serveurs.dossier() / "courriels"
