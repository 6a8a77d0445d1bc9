"""Settings for the type checker and for making migrations; no process of the system reads them."""

SECRET_KEY = "not used"
INSTALLED_APPS = [
    "swf.store",
    "swf.epic",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "swf.web",
]
SWF_SITE: object = None
SWF_MONITOR: object = None
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
