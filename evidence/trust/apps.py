from django.apps import AppConfig


class TrustConfig(AppConfig):
    name = "evidence.trust"
    label = "trust"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers the start-up checks
