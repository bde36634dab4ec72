from django.apps import AppConfig


class CapturesConfig(AppConfig):
    name = "evidence.captures"
    label = "captures"

    def ready(self) -> None:
        from . import replay  # noqa: F401  registers its start-up check
        from .rendering import checks  # noqa: F401  likewise
