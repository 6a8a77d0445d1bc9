"""The fault tests find what they are there to find: defects put into the program, and damage done to a sound run."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import defects
import pytest
from checker import check, compare
from findings import Finding, Word, harm
from inprocess import Host, inline_pool
from records import Records, read_records

from store_fixture import opened
from swf.epic.composition import EpicAgents

RUN = 100010


@pytest.fixture(autouse=True)
def payloads_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payloads are called where their jobs are submitted."""
    monkeypatch.setattr(EpicAgents, "_pool", inline_pool)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, store_template: Path) -> Records:
    """A run that nobody disturbed, in this process."""
    root = tmp_path_factory.mktemp("sound")
    shutil.copyfile(store_template, root / "swf.sqlite3")
    with pytest.MonkeyPatch.context() as patch, opened(root / "swf.sqlite3"):
        patch.setattr(EpicAgents, "_pool", inline_pool)
        assert Host(root).live()
    records = read_records(root)
    assert not harm(check(records))
    return records


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """A defect, with what happens when it shows; `expected` is what has to be among the findings."""

    defect: Callable[[pytest.MonkeyPatch], None]
    expected: Word
    happening: Callable[[pytest.MonkeyPatch], None] | None = None
    die_at: str = ""
    litter: str = ""

    def __str__(self) -> str:
        return self.defect.__name__


SEEDED = (
    Seeded(
        defect=defects.acknowledges_before_the_commit,
        die_at="fast_processing.before_commit:2",
        expected=Word.LOST,
    ),
    Seeded(
        defect=defects.has_no_inbox,
        happening=defects.everything_comes_twice,
        expected=Word.DUPLICATED,
    ),
    Seeded(
        defect=defects.has_no_fence,
        happening=defects.leases_run_out_at_once,
        expected=Word.UNEXPECTED,
    ),
    Seeded(defect=defects.swallows_a_publish_error, expected=Word.LOST),
    Seeded(defect=defects.matches_the_first_row, expected=Word.UNEXPECTED),
    Seeded(defect=defects.forgets_where_the_daq_is, die_at="data.after_commit:3", expected=Word.DUPLICATED),
    Seeded(defect=defects.numbers_messages_from_one_again, die_at="data.after_commit:6", expected=Word.DUPLICATED),
    Seeded(defect=defects.counts_by_reading_and_writing, expected=Word.LOST),
    Seeded(defect=defects.adds_histograms_twice, expected=Word.UNEXPECTED),
    Seeded(defect=defects.closes_without_the_ledger, expected=Word.LOST),
    Seeded(defect=defects.trusts_a_file_that_is_there, expected=Word.UNEXPECTED),
    Seeded(
        defect=defects.does_not_look_for_what_the_dead_held,
        die_at="worker.payload_submitted:2",
        expected=Word.LOST,
    ),
    Seeded(
        defect=defects.leaves_outputs_of_void_attempts,
        die_at="worker.payload_submitted:2",
        expected=Word.UNEXPECTED,
    ),
    Seeded(
        defect=defects.leaves_half_written_files,
        die_at="data.after_commit:3",
        litter=f"exit-buffer/.swf.{RUN}.000002.stf.0123abcd.part",
        expected=Word.UNEXPECTED,
    ),
    Seeded(defect=defects.forgets_products, expected=Word.LOST),
)


def play(seeded: Seeded, root: Path, patch: pytest.MonkeyPatch) -> list[Finding]:
    """A run with what happens to it, in two lives where it dies in the first."""
    if seeded.happening is not None:
        seeded.happening(patch)
    host = Host(root)
    if not host.live(seeded.die_at):
        if seeded.litter:
            (root / seeded.litter).write_bytes(b"half of it")
        host.live()
    return harm(check(read_records(root)))


@pytest.mark.parametrize("seeded", SEEDED, ids=str)
def test_each_defect_is_found(
    seeded: Seeded, store: Path, tmp_path: Path, sound: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded.defect(monkeypatch)
    play(seeded, tmp_path, monkeypatch)
    found = harm(compare(sound, read_records(tmp_path)))
    assert seeded.expected in {finding.word for finding in found}, [str(finding) for finding in found]


@pytest.mark.parametrize("seeded", [each for each in SEEDED if each.happening or each.die_at], ids=str)
def test_without_the_defect_nothing_is_found(
    seeded: Seeded, store: Path, tmp_path: Path, sound: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same things happen, to the program as it is."""
    play(seeded, tmp_path, monkeypatch)
    found = harm(compare(sound, read_records(tmp_path)))
    assert not found, [str(finding) for finding in found]


SQL = {
    "DELETE FROM store_product WHERE id = 2": Word.LOST,
    "UPDATE store_product SET sha256 = adler32 WHERE id = 2": Word.UNEXPECTED,
    "UPDATE store_product SET summary = '{}' WHERE id = 2": Word.UNEXPECTED,
    "DELETE FROM epic_tfslice WHERE id = 4": Word.LOST,
    "UPDATE epic_tfslice SET status = 'failed' WHERE id = 4": Word.LOST,
    "UPDATE epic_tfslice SET hits_found = hits_found + 1 WHERE id = 4": Word.UNEXPECTED,
    "UPDATE epic_tfslice SET attempt = 2 WHERE id = 4": Word.UNEXPECTED,
    "UPDATE epic_tfslice SET tf_first = tf_first - 1 WHERE id = 5": Word.DUPLICATED,
    "DELETE FROM epic_stffile WHERE sequence = 3": Word.LOST,
    "UPDATE epic_stffile SET attached_at = NULL WHERE sequence = 3": Word.LOST,
    "UPDATE epic_stffile SET tf_first = tf_first + 1 WHERE sequence = 3": Word.UNEXPECTED,
    "DELETE FROM store_attempt WHERE id = 1": Word.LOST,
    "INSERT INTO store_attempt SELECT id + 900, item, attempt, run_number, holder, started_at, finished_at, outcome, "
    "exit_code, detail, stderr_tail, seconds FROM store_attempt WHERE id = 1": Word.DUPLICATED,
    "UPDATE store_run SET closed_at = NULL": Word.LOST,
    "UPDATE store_run SET total_stf_files = 4": Word.LOST,
    "UPDATE store_workflowexecution SET status = 'paused'": Word.UNEXPECTED,
    "UPDATE epic_runstate SET slices_completed = slices_completed + 1": Word.DUPLICATED,
    "UPDATE epic_runstate SET tf_files_received = tf_files_received - 1": Word.LOST,
    "UPDATE store_systemagent SET status = 'OK' WHERE agent_type = 'data'": Word.UNEXPECTED,
    "UPDATE store_systemagent SET sender_seq = 1 WHERE agent_type = 'worker'": Word.UNEXPECTED,
    "DELETE FROM store_inboxentry WHERE id = 3": Word.LOST,
    "UPDATE store_rolecursor SET position = 0 WHERE role = 'data'": Word.LOST,
    "DELETE FROM store_datasetfile WHERE id = 1": Word.LOST,
    "UPDATE store_datasetfile SET adler32 = '00000000' WHERE id = 1": Word.UNEXPECTED,
    "UPDATE store_dataset SET state = 'open'": Word.UNEXPECTED,
    "UPDATE epic_monitoringhistogram SET content = '{}' WHERE id = 1": Word.UNEXPECTED,
    "UPDATE epic_daqstateevent SET revision = 99 WHERE revision = 2": Word.UNEXPECTED,
    "DELETE FROM store_event WHERE type = 'complete' AND subject LIKE '%slice_001.tf'": Word.LOST,
    "UPDATE store_event SET type = 'complete' WHERE type = 'claim'": Word.DUPLICATED,
    "UPDATE store_event SET sender_seq = 1 WHERE type = 'stf_gen'": Word.DUPLICATED,
    "UPDATE store_event SET type = 'resume_run' WHERE type = 'start_run' AND kind = 'message'": Word.UNEXPECTED,
    "UPDATE store_event SET body = replace(body, '\"sequence\":2', '\"sequence\":1') WHERE type = 'stf_gen'": (
        Word.DUPLICATED
    ),
    "UPDATE store_event SET seq = NULL WHERE id = 7": Word.LOST,
    "INSERT INTO store_outboxmessage (message_id, sender, namespace, destination, msg_type, run_number, body)"
    " VALUES ('x', '', 'testbed', '/queue/panda.transformer.slices', 'slice', 1, '')": (Word.LOST),
    "INSERT INTO store_alarm VALUES (NULL, 'testbed', 'k', 'error', 't', '', 1, '2026-01-01', NULL, '', NULL)": (
        Word.UNEXPECTED
    ),
}


@pytest.mark.parametrize("statement", SQL)
def test_damage_to_rows_is_found(statement: str, sound: Records, tmp_path: Path) -> None:
    root = tmp_path / "damaged"
    shutil.copytree(sound.root, root)
    with closing(sqlite3.connect(root / "swf.sqlite3")) as connection:
        assert connection.execute(statement).rowcount >= 1
        connection.commit()
    found = harm(compare(sound, read_records(root)))
    assert SQL[statement] in {finding.word for finding in found}, [str(finding) for finding in found]


def _first(root: Path, pattern: str) -> Path:
    return sorted(root.glob(pattern))[0]


FILES: dict[str, tuple[Callable[[Path], object], Word]] = {
    "a product is gone": (lambda root: _first(root, "products/*/*.root").unlink(), Word.LOST),
    "a sample is gone": (lambda root: _first(root, "samples/*/*.tf").unlink(), Word.LOST),
    "an STF is gone": (lambda root: _first(root, "exit-buffer/*.stf").unlink(), Word.LOST),
    "a product has another byte": (lambda root: _flip(_first(root, "products/*/*.root")), Word.UNEXPECTED),
    "a sample has another byte": (lambda root: _flip(_first(root, "samples/*/*.tf")), Word.UNEXPECTED),
    "an STF has another byte": (lambda root: _flip(_first(root, "exit-buffer/*.stf")), Word.UNEXPECTED),
    "a file too many": (lambda root: (root / "exit-buffer/swf.1.000009.stf").touch(), Word.UNEXPECTED),
    "a product too many": (lambda root: (root / f"products/{RUN}/other_a1.root").touch(), Word.UNEXPECTED),
    "a half-written file": (lambda root: (root / "samples/.x.tf.0123abcd.part").touch(), Word.UNEXPECTED),
    "a payload's working file": (lambda root: (root / "scratch/core").touch(), Word.UNEXPECTED),
    "an error of nobody's": (lambda root: (root / "logs/testbed-error-1.log").touch(), Word.UNEXPECTED),
}


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", FILES)
def test_damage_to_files_is_found(damage: str, sound: Records, tmp_path: Path) -> None:
    root = tmp_path / "damaged"
    shutil.copytree(sound.root, root)
    act, expected = FILES[damage]
    act(root)
    found = harm(compare(sound, read_records(root)))
    assert expected in {finding.word for finding in found}, [str(finding) for finding in found]


def test_a_run_is_the_same_as_itself(sound: Records) -> None:
    assert not harm(compare(sound, sound))
