"""Every address but those of live events and tools, which the outer application serves."""

from __future__ import annotations

from django.urls import include, path

from swf.monitor import account, admin, front, health, login, static_files
from swf.monitor.pages.now import now
from swf.monitor.parts import parts
from swf.monitor.rest.root import rest_api
from swf.service.instrument import imported

handler400 = "swf.monitor.errors.bad_request"
handler403 = "swf.monitor.errors.forbidden"
handler404 = "swf.monitor.errors.not_found"
handler500 = "swf.monitor.errors.failed"

urlpatterns = [
    path("", now, name="now"),
    path("theme", front.theme, name="theme"),
    path("namespace", front.namespace, name="namespace"),
    path("login", login.log_in, name="login"),
    path("login/once/<str:secret>", login.log_in_once, name="login-once"),
    path("logout", login.log_out, name="logout"),
    path("account", account.account, name="account"),
    path("account/token", account.make_token, name="account-token"),
    path("account/token/revoke", account.end_token, name="account-token-revoke"),
    path("account/password", account.change_password, name="account-password"),
    path("admin", admin.admin, name="admin"),
    path("admin/user", admin.make_user, name="admin-user"),
    path("admin/user/change", admin.change_user, name="admin-user-change"),
    path("admin/grant", admin.change_grant, name="admin-grant"),
    path("admin/token/revoke", admin.end_token, name="admin-token-revoke"),
    path("metrics", health.metrics, name="metrics"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("static/<path:name>", static_files.static_file, name="static"),
    path("api/v1/", rest_api(parts().instruments).urls),
    path("", include("swf.monitor.pages.urls")),
    *(path("", include(imported(each.web.pages))) for each in parts().instruments if each.web is not None),
]
