"""Settings of the test suite: stricter than production, on throw-away servers of its own.

The folder of the servers is chosen here and not in conftest.py because pytest-django loads the settings first; the
parallel processes of pytest-xdist inherit it from the one that starts them.
"""

import os

from tests import serveurs_jetables

os.environ["RESERVATION_DATA"] = str(serveurs_jetables.dossier())
os.environ["RESERVATION_JETABLE"] = "1"
for nom in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(nom, None)

from .local import *  # noqa: E402, F403
from .local import CELERY_BROKER_URL, DATABASES, INSTALLED_APPS, MEDIA_ROOT, MIDDLEWARE  # noqa: E402

DEBUG = False
SECRET_KEY = "cle-de-test-sans-valeur-0123456789-0123456789-0123456789"
CLE_NUMERO_UNIQUE = "cle-de-test-des-numeros-uniques"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# The cast has no second factor; tests/comptes switches the obligation on where it is tried.
SECOND_FACTEUR_OBLIGATOIRE = False
# Files are looked for where they are; nobody runs collectstatic before the tests.
WHITENOISE_AUTOREFRESH = True

# A query repeated for each row of a page is an error.
INSTALLED_APPS = [*INSTALLED_APPS, "zeal"]
MIDDLEWARE = ["zeal.middleware.zeal_middleware", *MIDDLEWARE]
# Django's own session store looks for its row again after a sign-out: one row, not one a line.
# Two filters on organisations clean their choice with one query each.
# allauth looks for the person of each of their open sessions at each sign-in, and twice for an address.
ZEAL_ALLOWLIST = [
    {"model": "sessions.*"},
    {"model": "reservation.Utilisateur", "field": "get()"},
    {"model": "account.EmailAddress", "field": "get()"},
    {"model": "reservation.Organisation", "field": "get()"},
]

# The real Celery worker of a test (fixture `travailleur`) reads the database and the files of the test that starts it, and each
# parallel process has a queue of its own.
MEDIA_ROOT = os.environ.get("RESERVATION_FICHIERS", MEDIA_ROOT)
DATABASES["default"]["NAME"] = os.environ.get("RESERVATION_BASE", DATABASES["default"]["NAME"])
processus = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
CELERY_BROKER_URL = CELERY_BROKER_URL.replace("virtual_host=0", f"virtual_host={2 + processus}")
