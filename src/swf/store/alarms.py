"""Raising and clearing alarms: at most one uncleared alarm per namespace and key."""

from __future__ import annotations

from datetime import datetime

from swf.store.models import Alarm


def raise_alarm(
    namespace: str,
    key: str,
    *,
    text: str,
    what_to_do: str,
    now: datetime,
    severity: str = "warning",
    run_number: int | None = None,
) -> bool:
    """Raise an alarm, or bring the text of the one that is raised up to date. Returns whether it is new."""
    _, created = Alarm.objects.update_or_create(
        namespace=namespace,
        key=key,
        cleared_at=None,
        defaults={"text": text, "what_to_do": what_to_do, "severity": severity, "run_number": run_number},
        create_defaults={
            "text": text,
            "what_to_do": what_to_do,
            "severity": severity,
            "run_number": run_number,
            "raised_at": now,
        },
    )
    return created


def raised(namespace: str, prefix: str) -> bool:
    """Whether an alarm is raised whose key begins with `prefix`."""
    return Alarm.objects.filter(namespace=namespace, key__startswith=prefix, cleared_at=None).exists()


def clear(namespace: str, key: str, now: datetime) -> bool:
    """The cause is gone. Returns whether an alarm was raised."""
    return bool(Alarm.objects.filter(namespace=namespace, key=key, cleared_at=None).update(cleared_at=now))


def clear_others(namespace: str, prefix: str, still_raised: set[str], now: datetime) -> int:
    """Clear the alarms whose key begins with `prefix` and is not among those still raised. Returns how many."""
    those = Alarm.objects.filter(namespace=namespace, key__startswith=prefix, cleared_at=None)
    return those.exclude(key__in=still_raised).update(cleared_at=now)
