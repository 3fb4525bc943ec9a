"""The demonstration: servers, data, flux by a real worker, bilans, then the site; Ctrl-C stops everything."""

import contextlib
import os
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from io import StringIO
from textwrap import fill

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from bilans.demonstration.scenario import AUJOURDHUI, ECHELLES
from config import demonstration_unique, serveurs
from config.supervision import Equipe, Processus, ProcessusPerdu
from reservation.demonstration import COMPTES, MOT_DE_PASSE

ECHELLE = "demo"
# What the demonstration makes in the data folder; `--recommencer` removes this and nothing else.
PRODUITS = ("postgresql-18", "valkey", "fichiers", "courriels", "bilans", "journaux", "demonstration-prete")
PIECES = ("reservation", "publics", "flux", "bilans")
MODULES = {
    "worker": "celery -A config worker --loglevel INFO --concurrency 2",
    "beat": "celery -A config beat --loglevel INFO --pidfile=",
    "web": "gunicorn --config config/gunicorn.conf.py",
}


class Command(BaseCommand):
    help = "Lance le site de démonstration : serveurs, données, calculs, bilans, web, worker et beat."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="port du site (8000)")
        parser.add_argument(
            "--recommencer", action="store_true", help="efface d’abord les données de démonstration"
        )

    def handle(self, *args, port, recommencer, **options):
        # A shell that puts it in the background has it ignore Ctrl-C: who sends one all the same means it.
        for numero in (signal.SIGINT, signal.SIGTERM):
            signal.signal(numero, signal.default_int_handler)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup asks to outlive the terminal
            signal.signal(signal.SIGHUP, signal.default_int_handler)
        try:
            with self._alone(), Equipe() as equipe, self._until_interrupted():
                self._check_port(port)
                if recommencer:
                    self._erase()
                self._run(equipe, port)
        except (ProcessusPerdu, serveurs.ServeurIndisponible) as erreur:
            raise CommandError(str(erreur)) from erreur

    @contextlib.contextmanager
    def _until_interrupted(self):
        """Ctrl-C and SIGTERM are a normal end; a second one does not disturb the stop, which is bounded in time."""
        try:
            yield
        except KeyboardInterrupt:
            self.stdout.write("\nArrêt demandé : le site, le worker puis les serveurs se terminent.")
        finally:
            for numero in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(numero, signal.SIG_IGN)

    @contextlib.contextmanager
    def _alone(self):
        """Hold the data folder for this demonstration; stop the embedded servers at the end, whatever happens."""
        try:
            with demonstration_unique.tenir():
                try:
                    yield
                finally:
                    connections.close_all()
                    serveurs.arreter()
        except demonstration_unique.DejaEnCours:
            raise CommandError(
                f"Une démonstration tourne déjà sur ces données ({serveurs.dossier()}). "
                "Arrêtez-la avec « make stop », ou nommez un autre dossier avec RESERVATION_DATA."
            ) from None

    def _check_port(self, port):
        with socket.socket() as prise:
            prise.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                prise.bind(("127.0.0.1", port))
            except OSError as erreur:
                raise CommandError(
                    f"Le port {port} n’est pas libre ({erreur.strerror}). Essayez : make demo PORT={port + 1}"
                ) from erreur

    def _erase(self):
        etat = serveurs.etat()
        if None in (etat.postgresql, etat.valkey):
            raise CommandError(
                "DATABASE_URL ou REDIS_URL désigne un serveur externe, que cette commande n’efface pas."
            )
        serveurs.arreter()
        for nom in PRODUITS:
            chemin = serveurs.dossier() / nom
            if chemin.is_dir():
                shutil.rmtree(chemin)
            else:
                chemin.unlink(missing_ok=True)
        self.stdout.write("Données de démonstration effacées.")
        serveurs.demarrer()

    def _run(self, equipe, port):
        os.environ.setdefault(
            "SITE_URL", f"http://127.0.0.1:{port}"
        )  # the links of the e-mails that they write
        self._refuse_other_version()
        with self._step("Base de données"):
            call_command("migrate", verbosity=0)
        self._start(equipe, "worker")
        prete = serveurs.dossier() / "demonstration-prete"
        if not prete.exists():
            with self._step("Données fictives"):
                call_command("peupler", echelle=ECHELLE, stdout=self.stdout)
            for annee in ECHELLES[ECHELLE].annees:
                with self._step(f"Flux {annee}, calculé par le worker"):
                    self._by_the_worker("calculer_flux", annee=annee)
            with self._step("Bilans soumis, procédures, lettres"):
                call_command("peupler", echelle=ECHELLE, suites=True, stdout=self.stdout)
            annee = AUJOURDHUI.year - 1
            with self._step(f"Bilans {annee}, en PDF"):
                self._by_the_worker("produire_bilans", annee=annee, sortie=serveurs.dossier() / "bilans")
            prete.touch()
        with self._step("Site"):
            calendrier = str(serveurs.dossier() / "journaux" / "calendrier")
            self._start(equipe, "beat", "--schedule", calendrier)
            # The accounts of the demonstration are shared: a factor of one would shut the others out.
            self._start(equipe, "web", BIND=f"127.0.0.1:{port}", SECOND_FACTEUR_OBLIGATOIRE="0")
            self._wait_for(equipe, port)
        self._present(port)
        while True:
            time.sleep(0.5)
            self._look_after(equipe)

    def _refuse_other_version(self):
        """The first migrations are written anew until a first site is in service: then data of before do not migrate."""
        faites = MigrationLoader(connections["default"])
        inconnues = [
            app
            for app, nom in faites.applied_migrations
            if app in PIECES and (app, nom) not in faites.disk_migrations
        ]
        if inconnues:
            raise CommandError(
                f"Les données de {serveurs.dossier()} viennent d’une autre version du programme. "
                "Recommencez avec « make demo-reset »."
            )

    def _start(self, equipe, nom, *arguments, **environment):
        journal = serveurs.dossier() / "journaux" / f"{nom}.log"
        commande = [sys.executable, "-m", *MODULES[nom].split(), *arguments]
        equipe.add(Processus(nom, commande, journal, environment))

    def _look_after(self, equipe):
        for nom in equipe.look_after():
            self.stderr.write(f"{nom} s’était arrêté : il redémarre.")

    @contextlib.contextmanager
    def _step(self, titre):
        depart = time.monotonic()
        self.stdout.write(f"{titre}…")
        self.stdout.flush()
        yield
        self.stdout.write(f"  fait en {time.monotonic() - depart:.1f} s".replace(".", ","))

    def _by_the_worker(self, commande, **options):
        """Run a command that gives its work to the worker and waits; of its words, show the last, or all if it fails."""
        paroles = StringIO()
        try:
            call_command(commande, par_la_file=True, stdout=paroles, stderr=paroles, **options)
        except SystemExit:  # some bailleurs have no result: the page of the calculation says why
            self.stderr.write(paroles.getvalue())
        except CommandError:
            self.stderr.write(paroles.getvalue())
            raise
        self.stdout.write("  " + paroles.getvalue().splitlines()[-1])

    def _wait_for(self, equipe, port):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            self._look_after(equipe)
            with (
                contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/sante/", timeout=5),
            ):
                return
            time.sleep(0.2)
        raise CommandError(f"Le site ne répond pas ; voyez {serveurs.dossier() / 'journaux' / 'web.log'}.")

    def _present(self, port):
        largeur = max(len(compte.courriel) for compte in COMPTES)
        lignes = [
            "",
            f"  Le site est prêt : http://127.0.0.1:{port}",
            f"  Mot de passe de tous les comptes : {MOT_DE_PASSE}",
            "  Tout y est fictif : organisations, personnes et ménages.",
            "",
        ]
        for compte in COMPTES:
            fonction = compte.fonction[0].lower() + compte.fonction[1:]
            lignes.append(f"  {compte.courriel:<{largeur}}  {compte.nom_organisation} — {fonction}")
            marge = " " * (largeur + 4)
            lignes.append(fill(compte.a_essayer, 110, initial_indent=marge, subsequent_indent=marge))
        lignes += [
            "",
            f"  Courriels envoyés : {serveurs.dossier() / 'courriels'} (un fichier chacun, aucun ne part)",
            f"  Données et journaux : {serveurs.dossier()}",
            "  Ctrl-C arrête tout ; les données restent.",
            "",
        ]
        self.stdout.write("\n".join(lignes))
        self.stdout.flush()
