from django.apps import AppConfig


class DisplayConfig(AppConfig):
    name = "evidence.captures.display"
    label = "captures_display"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers itself
