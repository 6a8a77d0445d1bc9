"""Write the reference pages, or say which of them are out of date (`--check`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from swf.cli.reference import commands, lifecycles, messages, openapi, schema_lock
from swf.config.reference import reference
from swf.epic.settings import ENVIRONMENT, KINDS
from swf.service.settings import PLATFORM_ENVIRONMENT


def pages() -> Iterator[tuple[str, str]]:
    """Each generated file, as (path below docs/reference, text)."""
    yield "commands.md", commands.page()
    yield "configuration.md", reference(KINDS, {**ENVIRONMENT, **PLATFORM_ENVIRONMENT})
    yield "lifecycles.md", lifecycles.page()
    yield "messages.md", messages.page()
    yield "openapi.json", messages.as_text(openapi.document())
    yield "asyncapi.json", messages.as_text(messages.asyncapi())
    for route in messages.ROUTES:
        yield f"schemas/{route.body.msg_type}.json", messages.as_text(messages.schema_of(route.body))


def main(arguments: list[str]) -> int:
    """Write the pages into the folder given; with `--check`, only compare. Returns the exit code.

    With `--lock`, the schemas of the messages are recorded as those of their version.
    """
    check = "--check" in arguments
    folder = Path(next(argument for argument in arguments if not argument.startswith("-")))
    if "--lock" in arguments:
        schema_lock.lock(folder)
    stale = []
    for name, text in pages():
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    verb = "is out of date" if check else "written"
    sys.stdout.writelines(f"{folder / name} {verb}\n" for name in stale)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
