from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "evidence.connectors"
    label = "connectors"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers the start-up checks
