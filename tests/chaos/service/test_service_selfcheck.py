"""The fault tests of the service mode find what they are there to find: defects that are put into the program.

Each defect is tried under what makes it show; the same happens to the program as it is, and nothing is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import defects
import pytest
import wire_defects
from checker import check
from findings import Finding, Word, harm
from happenings import (
    AWorkerVanishes,
    BrokerDies,
    CutsAgainAndAgain,
    EverythingComesThrice,
    Happening,
    StrangersSpeak,
    SwallowsWhatIsSaid,
)
from inprocess import inline_pool
from process_in_test import FILES, Plan, live
from records import read_records
from servers import Servers
from wires import left_on_broker, new_namespace

from services.activemq import ActiveMq
from swf.epic.composition import EpicAgents

Patch = Callable[[pytest.MonkeyPatch], None]

SHORT_LEASES = {"payload.timeout_s": 1.0, "processing.lease_s": 1.5}

_IDLE_S = 6.0
"""How long nothing may happen before a run is taken for stuck: longer than a retry or a short lease takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """A defect, with what makes it show; `expected` is what has to be among the findings."""

    defect: Patch
    expected: Word
    happening: Callable[[ActiveMq], Happening] = Happening
    patch: Patch | None = None
    die_at: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.defect.__name__


SEEDED = (
    Seeded(
        defect=wire_defects.acknowledges_before_the_commit,
        die_at="fast_processing.before_commit:3",
        expected=Word.LOST,
    ),
    Seeded(defect=wire_defects.never_acknowledges, expected=Word.LOST),
    Seeded(defect=wire_defects.lets_the_broker_acknowledge, happening=CutsAgainAndAgain, expected=Word.LOST),
    Seeded(defect=wire_defects.does_not_subscribe_again, happening=CutsAgainAndAgain, expected=Word.LOST),
    Seeded(defect=wire_defects.awaits_no_receipt, happening=SwallowsWhatIsSaid, expected=Word.LOST),
    Seeded(defect=wire_defects.takes_for_confirmed_what_it_has_sent, happening=SwallowsWhatIsSaid, expected=Word.LOST),
    Seeded(defect=wire_defects.swallows_publish_errors, happening=SwallowsWhatIsSaid, expected=Word.LOST),
    Seeded(defect=wire_defects.removes_before_publishing, happening=SwallowsWhatIsSaid, expected=Word.LOST),
    Seeded(defect=wire_defects.sends_what_does_not_survive, happening=BrokerDies, expected=Word.LOST),
    Seeded(defect=wire_defects.takes_what_is_for_others, happening=StrangersSpeak, expected=Word.UNEXPECTED),
    Seeded(
        defect=wire_defects.never_looks_at_leases,
        happening=AWorkerVanishes,
        settings=SHORT_LEASES,
        expected=Word.LOST,
    ),
    Seeded(defect=wire_defects.counts_a_result_twice, expected=Word.DUPLICATED),
    Seeded(defect=defects.has_no_inbox, happening=EverythingComesThrice, expected=Word.DUPLICATED),
    Seeded(defect=defects.has_no_fence, patch=defects.leases_run_out_at_once, expected=Word.UNEXPECTED),
    Seeded(defect=defects.matches_the_first_row, expected=Word.UNEXPECTED),
)


def play(seeded: Seeded, broker: ActiveMq, root: Path) -> list[Finding]:
    """A run with what happens to it, in two lives where it dies in the first; what is wrong with what it left."""
    namespace = new_namespace()
    with seeded.happening(broker) as happening:
        plan = Plan(
            root=root,
            broker=happening.settings,
            namespace=namespace,
            settings={**FILES, **seeded.settings},
            around=happening.around,
            patience_s=_IDLE_S,
        )
        if not live(plan, die_at=seeded.die_at, meanwhile=happening.look) and seeded.die_at:
            live(plan, meanwhile=happening.look)
    return harm([*check(read_records(root)), *left_on_broker(broker, namespace)])


@pytest.fixture(autouse=True)
def payloads_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payloads are called where their jobs are submitted."""
    monkeypatch.setattr(EpicAgents, "_pool", inline_pool)


@pytest.mark.parametrize("seeded", SEEDED, ids=str)
def test_each_defect_at_the_wire_is_found(
    seeded: Seeded, servers: Servers, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seeded.patch is not None:
        seeded.patch(monkeypatch)
    seeded.defect(monkeypatch)
    found = play(seeded, servers.broker, tmp_path)
    assert seeded.expected in {finding.word for finding in found}, [str(finding) for finding in found]


@pytest.mark.parametrize(
    "seeded",
    {(each.happening, each.patch, each.die_at): each for each in SEEDED}.values(),
    ids=lambda each: f"{each.happening.__name__} {each.die_at}{each.patch.__name__ if each.patch else ''}".strip(),
)
def test_what_happens_does_no_harm_without_the_defect(
    seeded: Seeded, servers: Servers, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seeded.patch is not None:
        seeded.patch(monkeypatch)
    found = play(seeded, servers.broker, tmp_path)
    assert not found, [str(finding) for finding in found]
