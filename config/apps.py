from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Site"

    def ready(self):
        from config import verifications  # noqa: F401 (registers the checks)
        from config.comptes import recepteurs  # noqa: F401 (connects them)
