"""What the commands that write have in common."""

from django.core.management.base import BaseCommand

from reservation import contexte


class CommandeTracee(BaseCommand):
    """A command whose traces say its name."""

    def execute(self, *args, **options):
        with contexte.numeroter(), contexte.tracer(f"commande {self.__module__.rpartition('.')[2]}"):
            return super().execute(*args, **options)
