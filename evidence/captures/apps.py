from django.apps import AppConfig


class CapturesConfig(AppConfig):
    name = "evidence.captures"
    label = "captures"

    def ready(self) -> None:
        from .rendering import checks  # noqa: F401  registers the start-up check
