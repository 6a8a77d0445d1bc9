"""The store as a Django app."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Runs, executions, agents, events, messages under way, dead letters, work items and products."""

    name = "swf.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
