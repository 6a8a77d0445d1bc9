"""The particle-physics instrument as a Django app."""

from django.apps import AppConfig


class EpicConfig(AppConfig):
    """STFs, TF samples, slices and the state of runs."""

    name = "swf.epic"
    label = "epic"
    default_auto_field = "django.db.models.BigAutoField"
