"""What makes a production site refuse to start.

The same functions answer `manage.py check --deploy --database default` and the entry points (web, worker, beat,
commands): a site that runs has passed them.
"""

import ipaddress

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections

from publics.services.menages import CLES_MAX

LONGUEUR_MINIMALE = 50
JETON_MINIMAL = 32
CARACTERES_DIFFERENTS = 16
# Values copied from an example, a tutorial or a test.
MOTS_SUSPECTS = ("insecure", "changeme", "changez", "remplacer", "exemple", "example", "cle-de-test")


@checks.register("production", deploy=True)
def verifier_secret(app_configs, **_options):
    """A guessed SECRET_KEY lets anybody sign a session: long, varied, and no example value."""
    cle = settings.SECRET_KEY
    if len(cle) < LONGUEUR_MINIMALE or len(set(cle)) < CARACTERES_DIFFERENTS:
        return [
            checks.Error(
                f"SECRET_KEY est trop faible : il faut au moins {LONGUEUR_MINIMALE} caractères, dont "
                f"{CARACTERES_DIFFERENTS} différents, tirés au hasard.",
                hint="python -c 'import secrets; print(secrets.token_urlsafe(64))'",
                id="production.E001",
            )
        ]
    if any(mot in cle.lower() for mot in MOTS_SUSPECTS):
        return [checks.Error("SECRET_KEY est une valeur d’exemple : tirez-en une.", id="production.E002")]
    return []


@checks.register("production", deploy=True)
def verifier_debogage(app_configs, **_options):
    """DEBUG shows settings, queries and personal data to whoever meets an error page."""
    if settings.DEBUG:
        return [checks.Error("DEBUG est actif : retirez la variable DEBUG.", id="production.E003")]
    return []


@checks.register("production", deploy=True)
def verifier_hotes(app_configs, **_options):
    """Any host accepted means links and cookies for any host."""
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        return [checks.Error("ALLOWED_HOSTS doit nommer les hôtes servis, sans « * ».", id="production.E004")]
    return []


@checks.register("production", deploy=True)
def verifier_cles_des_numeros(app_configs, **_options):
    """Eighteen characters are soon tried: their hash is worth what its key is worth. Keys do not come back."""
    cles = (settings.CLE_NUMERO_UNIQUE, *settings.CLES_NUMERO_UNIQUE_ANCIENNES)
    erreurs = []
    actuelle = cles[0]
    if len(actuelle) < LONGUEUR_MINIMALE or len(set(actuelle)) < CARACTERES_DIFFERENTS:
        erreurs.append(
            checks.Error(
                f"CLE_NUMERO_UNIQUE est trop faible : il faut au moins {LONGUEUR_MINIMALE} caractères, dont "
                f"{CARACTERES_DIFFERENTS} différents, tirés au hasard.",
                hint="python -c 'import secrets; print(secrets.token_urlsafe(64))'",
                id="production.E020",
            )
        )
    if len(set(cles)) < len(cles):
        erreurs.append(
            checks.Error(
                "Une clé des numéros uniques est nommée deux fois : une clé remplacée ne redevient pas la clé en "
                "vigueur, tirez-en une autre.",
                id="production.E021",
            )
        )
    if len(cles) > CLES_MAX:
        erreurs.append(
            checks.Error(
                f"CLES_NUMERO_UNIQUE_ANCIENNES nomme plus de {CLES_MAX - 1} clés : retirez celles que "
                "renouveler_cle_numero_unique dit inutiles.",
                id="production.E022",
            )
        )
    return erreurs


@checks.register("production", deploy=True)
def verifier_security_txt(app_configs, **_options):
    """A contact that nobody can follow is worse than none (RFC 9116, 2.5.3)."""
    contact = settings.SECURITY_TXT_CONTACT
    if contact and (not contact.startswith(("https://", "mailto:", "tel:")) or "\n" in contact):
        return [
            checks.Error("SECURITY_TXT_CONTACT commence par https://, mailto: ou tel:.", id="production.E023")
        ]
    return []


@checks.register("production", deploy=True)
def verifier_metriques(app_configs, **_options):
    """The measures say how the site lives: a token that is soon guessed, or a network misread, would open them."""
    erreurs = []
    jeton = settings.METRIQUES_JETON
    if jeton and (len(jeton) < JETON_MINIMAL or len(set(jeton)) < CARACTERES_DIFFERENTS):
        erreurs.append(
            checks.Error(
                f"METRIQUES_JETON est trop faible : il faut au moins {JETON_MINIMAL} caractères, dont "
                f"{CARACTERES_DIFFERENTS} différents, tirés au hasard.",
                id="production.E024",
            )
        )
    for reseau in settings.METRIQUES_RESEAUX:
        try:
            ouvert = ipaddress.ip_network(reseau).prefixlen == 0
        except ValueError:
            ouvert = True
        if ouvert:
            erreurs.append(
                checks.Error(
                    f"METRIQUES_RESEAUX : « {reseau} » n’est pas un réseau à qui faire confiance (10.0.3.0/24, par "
                    "exemple).",
                    id="production.E025",
                )
            )
    return erreurs


@checks.register("production", deploy=True)
def verifier_second_facteur(app_configs, **_options):
    """The demonstration switches it off; who signs or grants access on a real site has two factors."""
    if not settings.SECOND_FACTEUR_OBLIGATOIRE:
        return [
            checks.Error(
                "Le second facteur n’est pas exigé : retirez la variable SECOND_FACTEUR_OBLIGATOIRE.",
                id="production.E007",
            )
        ]
    return []


@checks.register("production", deploy=True)
def verifier_proconnect(app_configs, **_options):
    """A half configured ProConnect fails at the first sign-in; one without TLS can be impersonated."""
    for app in settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]:
        if not app["secret"] or not app["settings"]["server_url"].startswith("https://"):
            return [
                checks.Error(
                    "ProConnect : PROCONNECT_CLIENT_SECRET et PROCONNECT_DECOUVERTE (en https) vont avec "
                    "PROCONNECT_CLIENT_ID.",
                    id="production.E008",
                )
            ]
    return []


@checks.register(checks.Tags.database, "production", deploy=True)
def verifier_role_de_la_base(app_configs, databases=None, **_options):
    """Row-level security is silently ignored for a superuser or a BYPASSRLS role.

    A role that may become one (membership, then SET ROLE) is refused too.
    """
    erreurs = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as curseur:
                curseur.execute(
                    "SELECT current_user, rolname, rolsuper FROM pg_roles "
                    "WHERE (rolsuper OR rolbypassrls) AND pg_has_role(current_user, oid, 'MEMBER') "
                    "ORDER BY rolname = current_user DESC, rolname LIMIT 1"
                )
                trouve = curseur.fetchone()
        except OperationalError as erreur:
            erreurs.append(
                checks.Error(
                    f"La base de données « {alias} » ne répond pas : {erreur}",
                    hint="Vérifiez DATABASE_URL.",
                    id="production.E005",
                )
            )
            continue
        if trouve:
            role, dangereux, superutilisateur = trouve
            droit = "superutilisateur" if superutilisateur else "BYPASSRLS"
            par = "" if role == dangereux else f", en tant que membre de « {dangereux} »"
            erreurs.append(
                checks.Error(
                    f"Le rôle « {role} » de la base est {droit}{par} : il passerait outre le cloisonnement des lignes.",
                    hint=f'ALTER ROLE "{dangereux}" NOSUPERUSER NOBYPASSRLS, ou un autre rôle dans DATABASE_URL.',
                    id="production.E006",
                )
            )
    return erreurs


def exiger_reglages_surs() -> None:
    """Raise `ImproperlyConfigured`, naming everything that is wrong at once, when the site must not start."""
    erreurs = checks.run_checks(
        tags=["production"], include_deployment_checks=True, databases=list(settings.DATABASES)
    )
    connections.close_all()  # the processes that are forked next open their own
    if erreurs:
        raise ImproperlyConfigured(
            "Le site refuse de démarrer :\n"
            + "\n".join(f"– [{e.id}] {e.msg}{f' ({e.hint})' if e.hint else ''}" for e in erreurs)
        )
