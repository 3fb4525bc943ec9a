"""What the settings are told: the secret, the database, the broker and the cache; nothing is started here."""

import contextlib
import os
import secrets
from urllib.parse import parse_qsl, unquote, urlsplit

from . import postgresql, valkey
from .lieux import ServeurIndisponible, dossier


def cle_secrete() -> str:
    """Return the secret key of this data folder, drawn once; processes that start together agree on one."""
    fichier = dossier() / "cle-secrete"
    if not fichier.exists():
        brouillon = fichier.with_name(f".cle-secrete-{os.getpid()}-{secrets.token_hex(4)}")
        brouillon.touch(mode=0o600, exist_ok=False)
        brouillon.write_text(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):
            os.link(brouillon, fichier)
        brouillon.unlink()
    return fichier.read_text()


def base_de_donnees() -> dict:
    """Return the value of `DATABASES["default"]`: the server of DATABASE_URL, or the embedded one (not started)."""
    url = os.environ.get("DATABASE_URL")
    reglages = {"ENGINE": "config.postgresql", "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    # One transaction a request: the perimeter of its actor is set in it, and a failure leaves nothing half-written.
    reglages["ATOMIC_REQUESTS"] = True
    if url:
        return reglages | lire_url_postgresql(url)
    return reglages | {
        "NAME": postgresql.BASE,
        "USER": postgresql.ROLE,
        "HOST": str(postgresql.socket_dir()),
        "PORT": postgresql.PORT,
    }


def lire_url_postgresql(url: str) -> dict:
    """Turn `postgresql://user:password@host:port/name?sslmode=require` into Django settings.

    The host of a UNIX socket goes in the query: `postgresql://user@/name?host=/run/postgresql`.
    """
    parties = urlsplit(url)
    nom = unquote(parties.path.lstrip("/"))
    if parties.scheme not in ("postgres", "postgresql") or not nom:
        raise ServeurIndisponible(
            "DATABASE_URL doit s’écrire postgresql://utilisateur:motdepasse@hôte:port/base."
        )
    options = dict(parse_qsl(parties.query))
    hote = options.pop("host", None) or unquote(parties.hostname or "")
    return {
        "NAME": nom,
        "USER": unquote(parties.username or ""),
        "PASSWORD": unquote(parties.password or ""),
        "HOST": hote,
        "PORT": str(parties.port or ""),
        "OPTIONS": options,
    }


def courtier_et_cache() -> tuple[str, str]:
    """Return the URL of the Celery broker and that of Django's cache.

    Two logical databases of the same server: emptying the cache is a FLUSHDB and would take the queue with it.
    """
    url = os.environ.get("REDIS_URL")
    if not url:
        return f"redis+socket://{valkey.socket_path()}?virtual_host=0", f"unix://{valkey.socket_path()}?db=1"
    parties = urlsplit(url)
    if parties.scheme not in ("redis", "rediss"):
        raise ServeurIndisponible(
            "REDIS_URL doit s’écrire redis://hôte:port/numéro ou rediss://hôte:port/numéro."
        )
    numero = int(parties.path.strip("/") or 0)
    broker = parties._replace(path=f"/{numero}")
    if parties.scheme == "rediss" and "ssl_cert_reqs" not in parties.query:
        broker = broker._replace(query="&".join(filter(None, [parties.query, "ssl_cert_reqs=required"])))
    return broker.geturl(), parties._replace(path=f"/{numero + 1}").geturl()
