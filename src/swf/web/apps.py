"""What the monitor's pages share, as a Django app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Grants, tokens, login links and the audit of writes."""

    name = "swf.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
