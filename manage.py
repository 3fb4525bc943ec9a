#!/usr/bin/env python
"""Command line of the project: starts the embedded servers for the commands that use them."""

import os
import sys

# Commands that touch neither the database nor the broker: they start at once, and work where no server could.
SANS_SERVEUR = {
    "banc_essai",
    "check",
    "collectstatic",
    "diffsettings",
    "findstatic",
    "help",
    "maintenance",  # where the database is down, it is wanted the most
    "serveurs",
    "version",
}


def needs_servers(arguments: list[str]) -> bool:
    """Tell whether `manage.py <arguments>` may use the database or the broker."""
    if not arguments or arguments[0].startswith("-") or {"-h", "--help", "--version"} & set(arguments):
        return False
    return arguments[0] not in SANS_SERVEUR


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from config.serveurs import ServeurIndisponible

    try:
        if needs_servers(sys.argv[1:]):
            django.setup()
            from config.demarrage import preparer

            preparer()
        from reservation.acteur import Acteur
        from reservation.perimetre import agir

        with agir(Acteur.du_systeme(f"commande {' '.join(sys.argv[1:2])}")):
            execute_from_command_line(sys.argv)
    except (ServeurIndisponible, ImproperlyConfigured) as erreur:
        sys.exit(str(erreur))


if __name__ == "__main__":
    main()
