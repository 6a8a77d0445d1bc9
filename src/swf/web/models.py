"""Who may do what, how programs and one-time links prove who they are, and who has done what."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from swf.web.roles import Role

_ROLES = [(role.value, role.value) for role in Role]


class Grant(models.Model):
    """A role that a user has in a namespace, or in all of them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=10, choices=_ROLES)
    scope = models.CharField(max_length=64, help_text="A namespace, or * for all of them.")
    granted_by = models.CharField(max_length=150)
    granted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "scope"], name="grant_once")]

    def __str__(self) -> str:
        return f"{self.role} in {self.scope}"


class ApiToken(models.Model):
    """What a program shows instead of a password. Only a digest of its secret is kept."""

    token_id = models.CharField(max_length=16, unique=True, help_text="The part of it that may be shown.")
    digest = models.CharField(max_length=64, help_text="sha256 of its secret.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    label = models.CharField(max_length=100, help_text="What it is for.")
    role = models.CharField(max_length=10, choices=_ROLES, help_text="The most that it may do.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="To within some minutes.")

    def __str__(self) -> str:
        return f"{self.token_id} ({self.label})"


class LoginLink(models.Model):
    """A link that logs one person in, once. Only a digest of its secret is kept."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="login_links")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"a login link of {self.created_at:%Y-%m-%d %H:%M:%S}"


class AuditEntry(models.Model):
    """Something that a person or a program of theirs has done, or tried. Rows are only added."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    who = models.CharField(max_length=150, db_index=True)
    action = models.CharField(max_length=60, help_text="A noun and a verb: run.stop, token.create.")
    subject = models.CharField(max_length=250, help_text="The name of what it was done to.")
    namespace = models.CharField(max_length=64, default="", blank=True, db_index=True)
    via = models.CharField(max_length=20, help_text="page, token, link or command.")
    address = models.CharField(max_length=64, default="", blank=True, help_text="Where the request came from.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(default="", blank=True)

    def __str__(self) -> str:
        return f"{self.who} {self.action} {self.subject}"


class KeptAnswer(models.Model):
    """The answer to a request that may be sent again, by the key that its sender gave it."""

    who = models.CharField(max_length=150)
    key = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, help_text="sha256 of the request: a key is for one request only.")
    status = models.IntegerField()
    body = models.TextField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["who", "key"], name="kept_answer_once")]

    def __str__(self) -> str:
        return f"{self.who} {self.key}"
