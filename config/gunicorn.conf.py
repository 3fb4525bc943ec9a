"""How gunicorn serves the site: the same in the demonstration and in the image."""

import os
import shutil
import tempfile

en_production = os.environ.get("DJANGO_SETTINGS_MODULE") == "config.settings.production"

# The processes count their requests in files of this folder, and whichever is asked adds them up. It is this run's alone.
mesures = tempfile.mkdtemp(prefix="mesures-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = mesures

from prometheus_client.multiprocess import mark_process_dead  # noqa: E402 (chooses its storage when it is imported)

wsgi_app = "config.wsgi:application"
bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4
timeout = 120
# The heartbeat file on disk can block a worker; /dev/shm is memory, and writable in a read-only container.
worker_tmp_dir = "/dev/shm"
# No remote control: it would write a socket in the home folder, which a container does not have.
control_socket_disable = True
# On a real site each request is a line in JSON, without its address nor that of the visitor (config/exploitation).
accesslog = None if en_production else "-"
if en_production:
    logconfig_dict = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ligne": {"()": "config.exploitation.journaux.LigneJson"}},
        "handlers": {"sortie": {"class": "logging.StreamHandler", "formatter": "ligne"}},
        "root": {"handlers": ["sortie"], "level": "INFO"},
        "loggers": {"gunicorn.error": {"handlers": ["sortie"], "level": "INFO", "propagate": False}},
    }


def child_exit(server, worker):
    mark_process_dead(worker.pid, mesures)


def on_exit(server):
    shutil.rmtree(mesures, ignore_errors=True)
