"""`testbed monitor`: the web service where a shift can see, ask and act, and who may do what there."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from swf.cli.interrupts import Interrupts
from swf.cli.options import DEFAULT_DATA_DIR, DataDir, JsonFlag, ModeOption, Verbose, located
from swf.cli.output import emit, say, show, table
from swf.cli.session import installation_of, instruments_here, registry_of, sources_of, user_name, workspace_of
from swf.core.errors import ConfigError
from swf.core.modes import Mode
from swf.core.times import SystemClock, rfc3339

if TYPE_CHECKING:
    from swf.monitor.root import MonitorOrder
    from swf.web.audit import Actor
    from swf.web.roles import Role

PORT: Final = 8080

User = Annotated[str, typer.Argument(metavar="USER", help="The user's name.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]
RoleText = Annotated[str, typer.Argument(metavar="ROLE", help="viewer, operator or admin; none takes it away.")]


def monitor_serve(
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="N", help="Port to listen on; 0: any that is free.")
    ] = PORT,
    login_link: Annotated[
        bool,
        typer.Option(
            "--login-link", help="Show a link that logs in as an administrator: once, from this machine only."
        ),
    ] = False,
    end_with_stdin: Annotated[bool, typer.Option("--end-with-stdin", hidden=True)] = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Serve the monitor of a data directory until Ctrl-C: pages at /, REST at /api/v1, figures at /metrics."""
    from swf.monitor.locality import is_loopback
    from swf.monitor.root import hosts_of
    from swf.monitor.server import address_of, listening

    order = _order(data_dir, mode)
    url = order.installation.monitor.url
    if login_link and not is_loopback(host):
        raise ConfigError(f"--login-link needs an address of this machine only: --host 127.0.0.1, not {host}")
    with listening(host, port) as listener:
        _open(order, host)
        from swf.monitor.serving import serve
        from swf.web.accounts import make_login_link
        from swf.web.accounts_list import any_user

        here = address_of(listener)
        secret = make_login_link(_actor(), user_name()) if login_link else ""
        empty = not any_user()
        link = f"{here}/login/once/{secret}" if secret else ""
        if not is_loopback(host) and not order.site.behind_tls:
            say(
                f"passwords come to {host} unencrypted: put a proxy with TLS before the monitor, and its address into "
                "[monitor] url"
            )

        def ready() -> None:
            if as_json:
                emit({"url": here, "login_link": link, "hosts": hosts_of(order, host)})
            say(f"the monitor is at {url or here}")
            if link:
                say(f"log in with this link, once and from this machine: {link}")
            elif empty:
                (make,) = located(["testbed monitor createadmin"], data_dir)
                say(f"nobody can log in yet; make an administrator with: {make}")

        # The server takes signals itself, and hands them on when it has ended: they must not end this process then.
        with Interrupts().caught():
            serve(order, listener, ready=ready, end_with=sys.stdin if end_with_stdin else None)
    say("the monitor has ended")


def monitor_createadmin(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The user's name; default: yours here.")] = None,
    password_stdin: PasswordStdin = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Make a user who may do everything, in every namespace. There is no default password."""
    _open(_order(data_dir, mode))
    from swf.web.accounts import create_admin

    user = name or user_name()
    create_admin(_actor(), user, _password(f"Password of {user}", from_stdin=password_stdin))
    _done({"user": user, "role": "admin", "scope": "*"}, f"{user} is an administrator", as_json=as_json)


def monitor_createuser(
    name: User,
    password_stdin: PasswordStdin = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Make a user, who may do nothing until a role is granted."""
    _open(_order(data_dir, mode))
    from swf.web.accounts import create_user

    create_user(_actor(), name, _password(f"Password of {name}", from_stdin=password_stdin))
    text = f"{name} can log in; grant a role with: testbed monitor grant {name} viewer"
    _done({"user": name}, text, as_json=as_json)


def monitor_password(
    name: User,
    password_stdin: PasswordStdin = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Give a user another password; their sessions end."""
    _open(_order(data_dir, mode))
    from swf.web.accounts import find_user, set_password

    user = find_user(name)
    set_password(_actor(), user, _password(f"New password of {name}", from_stdin=password_stdin))
    _done({"user": name}, f"{name} has a new password", as_json=as_json)


def monitor_users(
    data_dir: DataDir = DEFAULT_DATA_DIR, mode: ModeOption = None, as_json: JsonFlag = False, verbose: Verbose = False
) -> None:
    """Who can log in, and the role of each."""
    _open(_order(data_dir, mode))
    from swf.web.accounts_list import list_users

    users = list_users()
    if as_json:
        emit({"users": [user.as_json() for user in users]})
        return
    made = table("user", "may log in", "grants")
    for user in users:
        grants = ", ".join(f"{role} in {scope}" for scope, role in user.grants.items())
        made.add_row(user.name, "yes" if user.active else "no", grants or "none")
    show(made)


def monitor_grant(
    name: User,
    role: RoleText,
    scope: Annotated[str, typer.Argument(metavar="[SCOPE]", help="A namespace; * for every one.")] = "*",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Give a user a role in a namespace, instead of the one they have there."""
    _open(_order(data_dir, mode))
    from swf.web.accounts import find_user, grant

    wanted = None if role == "none" else _role(role)
    grant(_actor(), find_user(name), wanted, scope)
    where = "every namespace" if scope == "*" else f"namespace {scope}"
    text = f"{name} has no role of its own in {where}" if wanted is None else f"{name} is {wanted} in {where}"
    _done({"user": name, "role": wanted, "scope": scope}, text, as_json=as_json)


def token_create(
    name: User,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What it is for.")],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="The most that it may do.")] = "viewer",
    days: Annotated[int, typer.Option("--days", min=1, max=3660, metavar="N", help="How long it lasts.")] = 90,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """Make a token, which programs show as `Authorization: Bearer TOKEN`. It is shown this once."""
    _open(_order(data_dir, mode))
    from swf.web.accounts import create_token, find_user

    token, text = create_token(_actor(), find_user(name), label, role=_role(role), life=timedelta(days=days))
    if as_json:
        emit({"token": text, "id": token.token_id, "expires": rfc3339(token.expires_at)})
        return
    say(f"token {token.token_id} of {name}, {role} at most, until {token.expires_at:%Y-%m-%d}; it is not shown again:")
    show(text)


def token_list(
    data_dir: DataDir = DEFAULT_DATA_DIR, mode: ModeOption = None, as_json: JsonFlag = False, verbose: Verbose = False
) -> None:
    """The tokens there are, without their secrets."""
    _open(_order(data_dir, mode))
    from swf.web.accounts_list import list_tokens

    tokens = list_tokens()
    if as_json:
        emit({"tokens": [token.as_json() for token in tokens]})
        return
    made = table("token", "user", "label", "at most", "state", "expires (UTC)", "last used (UTC)")
    for token in tokens:
        used = "never" if token.last_used is None else f"{token.last_used:%Y-%m-%d %H:%M}"
        made.add_row(
            token.id, token.user, token.label, token.role, token.state, f"{token.expires:%Y-%m-%d %H:%M}", used
        )
    show(made)


def token_revoke(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, as `token list` shows it.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    as_json: JsonFlag = False,
    verbose: Verbose = False,
) -> None:
    """End a token, at once."""
    _open(_order(data_dir, mode))
    from swf.web.accounts import revoke_token

    revoke_token(_actor(), token_id)
    _done({"id": token_id, "state": "revoked"}, f"token {token_id} is revoked", as_json=as_json)


def monitor_mcp(
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="What the assistant may do: viewer (read) or operator.")
    ] = "viewer",
    namespace: Annotated[str, typer.Option("--namespace", metavar="NS", help="Where; * for every namespace.")] = "*",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    mode: ModeOption = None,
    verbose: Verbose = False,
) -> None:
    """Tools for an AI assistant on standard input and output (Model Context Protocol), until it closes them."""
    from swf.core.names import is_namespace

    if namespace != "*" and not is_namespace(namespace):
        raise ConfigError(f"--namespace {namespace[:80]!r}: expected a namespace, or * for all of them")
    grants, order = {namespace: _role(role)}, _order(data_dir, mode)
    _open(order)
    from swf.monitor.tools import serve_stdio

    serve_stdio(order.instruments, user_name(), grants)


def application() -> typer.Typer:
    """`testbed monitor`."""
    app = typer.Typer(no_args_is_help=True, help="The web monitor, and who may do what there.")
    app.command("serve")(monitor_serve)
    app.command("createadmin")(monitor_createadmin)
    app.command("createuser")(monitor_createuser)
    app.command("password")(monitor_password)
    app.command("users")(monitor_users)
    app.command("grant")(monitor_grant)
    app.command("mcp")(monitor_mcp)
    tokens = typer.Typer(no_args_is_help=True, help="What programs show instead of a password.")
    tokens.command("create")(token_create)
    tokens.command("list")(token_list)
    tokens.command("revoke")(token_revoke)
    app.add_typer(tokens, name="token")
    return app


def _order(data_dir: Path, mode: Mode | None) -> MonitorOrder:
    from swf.monitor.root import MonitorOrder

    return MonitorOrder(
        workspace=workspace_of(data_dir),
        installation=installation_of(data_dir, mode),
        instruments=instruments_here(),
        clock=SystemClock(),
        workflows=registry_of(sources_of(None, None, data_dir=data_dir)),
    )


def _open(order: MonitorOrder, listens_on: str = "127.0.0.1") -> None:
    from swf.monitor.root import open_monitor

    if order.installation.mode is Mode.SERVICE:
        say(order.installation.in_words)
    open_monitor(order, listens_on)


def _actor() -> Actor:
    from swf.web.audit import Actor

    return Actor(who=user_name(), via="command")


def _role(text: str) -> Role:
    from swf.web.roles import Role

    if text not in set(Role):
        raise ConfigError(f"role {text[:40]!r}: expected one of {', '.join(Role)}")
    return Role(text)


def _password(prompt: str, *, from_stdin: bool) -> str:
    """A password: asked for twice, or the first line of standard input."""
    if not from_stdin:
        if not sys.stdin.isatty():
            raise ConfigError("there is no terminal to ask for a password: give it with --password-stdin")
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt="Once more", err=True))
    line = sys.stdin.readline()
    password = line.rstrip("\r\n")
    if not password:
        raise ConfigError("--password-stdin: standard input has no password: expected it on the first line")
    return password


def _done(result: dict[str, object], text: str, *, as_json: bool) -> None:
    if as_json:
        emit(result)
    else:
        show(text)
