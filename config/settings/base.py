"""Settings shared by every environment; each value that differs between sites comes from the environment."""

import os
from pathlib import Path

import pghistory
from celery.schedules import crontab
from kombu import Queue

BASE_DIR = Path(__file__).resolve().parent.parent.parent

SITE_NOM = "Gestion en flux"
SITE_SOUS_TITRE = "Réservations de logements sociaux"
# The State brand block (Marianne, "République Française") is reserved to sites of the State.
SITE_ETAT = os.environ.get("SITE_ETAT") == "1"

# Whether entry points start the servers of config/serveurs/ (those that no URL replaces).
SERVEURS_EMBARQUES = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "rest_framework",
    "django_filters",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "drf_spectacular",
    "django_htmx",
    "pgtrigger",
    "csp",
    "widget_tweaks",
    "dsfr",
    "pghistory",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "reservation",
    "publics",
    "flux",
    "bilans",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "reservation.middleware.EntetesDeSecuriteMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.exploitation.middleware.ObservationMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.exploitation.middleware.MaintenanceMiddleware",
    "reservation.middleware.ActeurMiddleware",
    "reservation.middleware.TracesMiddleware",
    "reservation.middleware.PagesPriveesMiddleware",
    "config.comptes.middleware.SecondFacteurMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.contexte.site",
            ],
            "builtins": ["reservation.templatetags.affichage"],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

AUTH_USER_MODEL = "reservation.Utilisateur"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["courriel", "nom"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "connexion"
LOGIN_REDIRECT_URL = "accueil"
LOGOUT_REDIRECT_URL = "connexion"

# Sign-in (config/comptes): the person is named by the address; nobody opens an account alone.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "config.comptes.adaptateurs.AdaptateurComptes"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "courriel"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# An invitation, or ProConnect, has proved the address.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
# An unknown address also receives an e-mail: the answer takes the same time.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{SITE_NOM}] "
# Counted in the cache, by address of the network and by account.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    # Calendars read by software, without signing in (flux.views.agenda).
    "agenda": "60/m/ip",
}
# Time to install an application between the password said again and its first code.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_FORMS = {
    "login": "config.comptes.formulaires.FormulaireConnexion",
    "reset_password": "config.comptes.formulaires.FormulaireMotDePasseOublie",
    "reset_password_from_key": "config.comptes.formulaires.FormulaireNouveauMotDePasse",
    "change_password": "config.comptes.formulaires.FormulaireChangerMotDePasse",
    "set_password": "config.comptes.formulaires.FormulaireDefinirMotDePasse",
    "reauthenticate": "config.comptes.formulaires.FormulaireConfirmerMotDePasse",
}
PASSWORD_RESET_TIMEOUT = 3600
# Bound to the password, the address and the last sign-in; allauth's own also writes when the link is only read.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"

# A working day, and no longer than the browser stays open.
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
ACCOUNT_SESSION_REMEMBER = False

# Second factor. Whom it binds: config/comptes/second_facteur.py. A real site that switches it off does not start.
SECOND_FACTEUR_OBLIGATOIRE = os.environ.get("SECOND_FACTEUR_OBLIGATOIRE") != "0"
MFA_ADAPTER = "config.comptes.adaptateurs.AdaptateurSecondFacteur"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NOM
# The lock of allauth is against accounts opened with somebody else's address: here nobody opens one.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "config.comptes.formulaires.FormulaireCode",
    "reauthenticate": "config.comptes.formulaires.FormulaireConfirmerCode",
    "activate_totp": "config.comptes.formulaires.FormulaireApplication",
    "add_webauthn": "config.comptes.formulaires.FormulaireAjouterCle",
    "edit_webauthn": "config.comptes.formulaires.FormulaireRenommerCle",
}

# ProConnect, where the environment names it (docs/decisions/0008-proconnect.md).
SOCIALACCOUNT_ADAPTER = "config.comptes.adaptateurs.AdaptateurProConnect"
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "config.comptes.proconnect.ProConnect",
        "OAUTH_PKCE_ENABLED": True,
        "SCOPE": ["openid", "given_name", "usual_name", "email", "siret"],
        "EMAIL_AUTHENTICATION": True,
        "APPS": [],
    }
}
if os.environ.get("PROCONNECT_CLIENT_ID"):
    SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"].append(
        {
            "provider_id": "proconnect",
            "name": "ProConnect",
            "client_id": os.environ["PROCONNECT_CLIENT_ID"],
            "secret": os.environ.get("PROCONNECT_CLIENT_SECRET", ""),
            "settings": {
                "server_url": os.environ.get("PROCONNECT_DECOUVERTE", ""),
                "token_auth_method": "client_secret_post",
                "acr_values": os.environ.get("PROCONNECT_ACR", "eidas1"),
            },
        }
    )

LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", BASE_DIR / "static-collectes"))

# Address of the site in e-mails, without a slash at the end.
SITE_URL = os.environ.get("SITE_URL", "http://127.0.0.1:8000").rstrip("/")

# Life of an access: how long it lasts, when its end is announced (days before), how long an invitation may be
# accepted, after how long an unused account is warned, then closed.
ACCES_DUREE_JOURS = 365
ACCES_RAPPELS = (60, 30, 7)
INVITATION_DUREE_JOURS = 15
COMPTE_SOMMEIL_JOURS = 365
COMPTE_PREAVIS_JOURS = 30

EMAIL_TIMEOUT = 20  # seconds; a worker holds the row while the relay answers
DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", "ne-pas-repondre@localhost")

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

from csp.constants import NONE, SELF  # noqa: E402

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# Keys of the numéros uniques before CLE_NUMERO_UNIQUE, the most recent first: they only recognise households.
CLES_NUMERO_UNIQUE_ANCIENNES = [
    cle.strip() for cle in os.environ.get("CLES_NUMERO_UNIQUE_ANCIENNES", "").split(",") if cle.strip()
]

# Shown on the data-protection pages, which say so when they are missing.
RESPONSABLE_TRAITEMENT = os.environ.get("RESPONSABLE_TRAITEMENT", "").strip()
CONTACT_DPO = os.environ.get("CONTACT_DPO", "").strip()

# Where to report a vulnerability (RFC 9116): an address in https or mailto; empty, there is no security.txt.
ACCESSIBILITE_CONTACT = os.environ.get("ACCESSIBILITE_CONTACT", "").strip()
SECURITY_TXT_CONTACT = os.environ.get("SECURITY_TXT_CONTACT", "").strip()

FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# The API (config/api.py): tokens, or a signed-in browser; JSON only; every refusal is a problem in French.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "reservation.api.authentification.ParJeton",
        "reservation.api.authentification.ParSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "config.comptes.permissions.SecondFacteurPresent",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "reservation.api.limites.LimiteLecture",
        "reservation.api.limites.LimiteEcriture",
    ],
    # Requests of one token, all of them and those that write; refusals of one address of the network.
    "DEFAULT_THROTTLE_RATES": {"api_lecture": "600/min", "api_ecriture": "120/min", "api_refus": "60/min"},
    "NUM_PROXIES": 0,
    "DEFAULT_PARSER_CLASSES": ["reservation.api.format.AnalyseurJson"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "reservation.api.format.UneSeuleRepresentation",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "reservation.api.problemes.traiter",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": SITE_NOM,
    "DESCRIPTION": "Les actes du bailleur et les lectures de ses partenaires, pour leurs propres logiciels.",
    "VERSION": "1.1.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATIONS": False,
    "ENUM_NAME_OVERRIDES": {"StatutLogementEnum": "reservation.models.StatutLogement"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.completer",
    ],
}

CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 3600}
# What is long does not hold up what is awaited: files and documents on one side, e-mails on another. A worker that names
# no queue (-Q) takes them all.
CELERY_TASK_QUEUES = tuple(
    Queue(nom, routing_key=nom, exchange=nom, durable=True) for nom in ("calculs", "documents", "courriels")
)
CELERY_TASK_DEFAULT_QUEUE = "calculs"
CELERY_TASK_ROUTES = {
    "reservation.analyser_import": {"queue": "documents"},
    "reservation.appliquer_import": {"queue": "documents"},
    "flux.analyser_depot": {"queue": "documents"},
    "flux.appliquer_depot": {"queue": "documents"},
    "flux.rapprocher_extraits": {"queue": "documents"},
    "bilans.produire_*": {"queue": "documents"},
    "reservation.*courriel*": {"queue": "courriels"},
}
CELERY_BEAT_SCHEDULE = {
    # 2 h 40, after the imports of the evening: every pair of the open years, looked at again.
    "flux-la-nuit": {"task": "flux.recalculer_la_nuit", "schedule": crontab(hour=2, minute=40)},
    # 1 h 10, before the flux of the night: a delay that ended yesterday is a designation failed.
    "designations-la-nuit": {"task": "flux.constater_les_delais", "schedule": crontab(hour=1, minute=10)},
    "flux-reprise": {"task": "flux.reprendre_la_file", "schedule": 300.0},
    "imports-reprise": {"task": "reservation.reprendre_les_imports", "schedule": 300.0},
    "depots-reprise": {"task": "flux.reprendre_les_depots", "schedule": 300.0},
    "rapprochements-reprise": {"task": "flux.reprendre_les_rapprochements", "schedule": 300.0},
    "courriels-reprise": {"task": "reservation.reprendre_les_courriels", "schedule": 300.0},
    # 2 h 10, before the flux of the night, which computes its flux too.
    "bac-a-sable-la-nuit": {"task": "flux.renouveler_le_bac_a_sable", "schedule": crontab(hour=2, minute=10)},
    "webhooks": {"task": "reservation.diffuser_webhooks", "schedule": 20.0},
    # 5 h 30: reminders of the accesses that end, unused accounts; read in the morning.
    "acces-chaque-jour": {"task": "reservation.suivre_les_acces", "schedule": crontab(hour=5, minute=30)},
    # 4 h 10, once the flux of the night is computed: a bilan for each pair and year that was observed.
    "bilans-la-nuit": {"task": "bilans.ouvrir_la_nuit", "schedule": crontab(hour=4, minute=10)},
    # 6 h 15, read in the morning: what is to do soon, or late.
    "rappels-chaque-jour": {"task": "bilans.rappeler_les_echeances", "schedule": crontab(hour=6, minute=15)},
    # Past midnight in Paris: the clocks that ended the day before.
    "delais-la-nuit": {"task": "bilans.annoncer_les_expirations", "schedule": crontab(hour=4, minute=30)},
    # The first of the month, before the day: the open data, of the bilans validated by then.
    "donnees-ouvertes-chaque-mois": {
        "task": "bilans.publier_les_donnees_ouvertes",
        "schedule": crontab(day_of_month=1, hour=3, minute=30),
    },
    "bilans-reprise": {"task": "bilans.reprendre_les_productions", "schedule": 300.0},
}

# The traces (reservation/traces.py): events are written once for a statement, never changed, and indexed by us.
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)

# Who may read the measures (config/exploitation/mesures.py): a bearer token, or networks that ask without any proxy.
# Neither: the page does not exist.
METRIQUES_JETON = os.environ.get("METRIQUES_JETON", "").strip()
METRIQUES_RESEAUX = [mot.strip() for mot in os.environ.get("METRIQUES_RESEAUX", "").split(",") if mot.strip()]

# The steps of every PDF and of every font would drown what the worker says.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"weasyprint": {"level": "WARNING"}, "fontTools": {"level": "WARNING"}},
}

# The seal of the letters (PAdES): a PKCS#12 file and its password; empty, letters are not sealed and their page says so.
SCEAU_CERTIFICAT = os.environ.get("SCEAU_CERTIFICAT", "").strip()
SCEAU_MOT_DE_PASSE = os.environ.get("SCEAU_MOT_DE_PASSE", "")

# Webhooks go to https addresses of the Internet only; "1" for a site that serves its own network (and for the tests).
WEBHOOKS_RESEAU_INTERNE = os.environ.get("WEBHOOKS_RESEAU_INTERNE", "") == "1"
