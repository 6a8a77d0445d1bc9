"""Defects as they are made, each as a patch of the program. The fault tests have to find every one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from inprocess import DiedError

from swf.core.times import Clock
from swf.core.work import WorkState
from swf.epic import closing, histogram_store, launch, run_counts, taking
from swf.epic.agents import fastmon, file_work, leases, slice_results, worker
from swf.epic.agents.daq_simulator import DaqSimulator
from swf.epic.agents.leases import LeaseKeeper
from swf.epic.models import RunState, TfSlice
from swf.epic.names import stf_name
from swf.epic.slice_queue import SendSlice
from swf.epic.stf_writer import StfFiles
from swf.messaging import inbox
from swf.messaging.bus import Delivery, Subscription
from swf.messaging.embedded import EmbeddedBus
from swf.messaging.runtime import Runtime
from swf.messaging.turn import Identity, Turn
from swf.storage.checksums import FileFacts, facts_of
from swf.store import bulk
from swf.store.models import InboxEntry, WorkItem
from swf.store.work import WorkMoves

Patch = pytest.MonkeyPatch

# ---- what may happen, and must not do harm ----


def everything_comes_twice(patch: Patch) -> None:
    """The bus delivers each batch a second time."""
    receive = EmbeddedBus.receive
    again: dict[Subscription, list[Delivery]] = {}

    def twice(bus: EmbeddedBus, subscription: Subscription, limit: int) -> list[Delivery]:
        if subscription in again and limit > 0:
            return again.pop(subscription)
        deliveries = receive(bus, subscription, limit)
        if deliveries:
            again[subscription] = list(deliveries)
        return deliveries

    patch.setattr(EmbeddedBus, "receive", twice)


def leases_run_out_at_once(patch: Patch) -> None:
    """Each slice's first lease is taken for run out while its payload is at work."""
    seen: set[int] = set()

    def overdue(model: type[TfSlice], namespace: str, now: object) -> list[TfSlice]:
        items = TfSlice.objects.filter(namespace=namespace, status=WorkState.PROCESSING).exclude(pk__in=seen)
        found = list(items.select_related("stf").order_by("id"))
        seen.update(item.pk for item in found)
        return found

    begin = LeaseKeeper.__init__

    def impatient(keeper: LeaseKeeper, namespace: str, clock: Clock, send: SendSlice) -> None:
        begin(keeper, namespace, clock, send, find=overdue)

    patch.setattr(LeaseKeeper, "__init__", impatient)
    patch.setattr(leases, "_INTERVAL_S", 0.0)


# ---- defects ----


def acknowledges_before_the_commit(patch: Patch) -> None:
    """A delivery is acknowledged when it is received."""
    receive = EmbeddedBus.receive

    def eager(bus: EmbeddedBus, subscription: Subscription, limit: int) -> list[Delivery]:
        deliveries = receive(bus, subscription, limit)
        if deliveries:
            bus.ack(deliveries)
        return deliveries

    patch.setattr(EmbeddedBus, "receive", eager)


def has_no_inbox(patch: Patch) -> None:
    """Nobody looks whether a message was taken before."""

    def admit(identity: Identity, messages: Mapping[UUID, int | None]) -> set[UUID]:
        common = {"namespace": identity.namespace, "role": identity.role}
        rows = [{**common, "message_id": key, "run_number": run} for key, run in messages.items()]
        bulk.insert(InboxEntry, rows, or_ignore=True)
        return set(messages)

    patch.setattr(inbox, "admit", admit)


def has_no_fence(patch: Patch) -> None:
    """A result counts whatever attempt it is of, and a slice keeps its request when it is queued again."""

    requeue = WorkMoves._requeue

    def under_the_same_request(moves: WorkMoves, item: WorkItem, *how: Any, **changes: Any) -> None:
        request = item.req_id
        requeue(moves, item, *how, **changes)
        item.req_id = request

    patch.setattr(WorkMoves, "_requeue", under_the_same_request)
    patch.setattr(slice_results, "is_current", lambda item, body: True)


def swallows_a_publish_error(patch: Patch) -> None:
    """A message is on record as sent, but never reached the outbox."""
    flush = Turn.flush
    slices = count(1)

    def flushed(turn: Turn) -> frozenset[str]:
        turn._wires = [wire for wire in turn._wires if wire.msg_type != "slice" or next(slices) != 5]
        return flush(turn)

    patch.setattr(Turn, "flush", flushed)


def matches_the_first_row(patch: Patch) -> None:
    """A result is taken for that of the first slice which is being processed, without a look at its request."""

    def first(model: type[TfSlice], requests: Iterable[UUID]) -> dict[UUID, TfSlice]:
        wanted = list(requests)
        items = TfSlice.objects.filter(status=WorkState.PROCESSING).order_by("-id")[: len(wanted)]
        return dict(zip(wanted, items, strict=False))

    patch.setattr(slice_results, "by_request", first)


def forgets_where_the_daq_is(patch: Patch) -> None:
    """The position in the DAQ's script is not kept."""
    patch.setattr(DaqSimulator, "_save", lambda simulator: None)


def numbers_messages_from_one_again(patch: Patch) -> None:
    """A new process numbers its messages from 1."""
    make = Runtime.__init__

    def made(runtime: Runtime, *args: Any, **fields: Any) -> None:
        make(runtime, *args, **fields)
        runtime._next_seq = 1

    patch.setattr(Runtime, "__init__", made)


def counts_by_reading_and_writing(patch: Patch) -> None:
    """Counters are read once, and written as what was read plus the change."""
    known: dict[int, dict[str, Any]] = {}

    def save(counts: run_counts.RunCounts, now: object) -> None:
        for number, columns in counts._change.items():
            if number not in known:
                known[number] = dict(RunState.objects.filter(pk=number).values().get())
            RunState.objects.filter(pk=number).update(**{name: known[number][name] + n for name, n in columns.items()})
        counts._change.clear()

    patch.setattr(run_counts.RunCounts, "save", save)


def adds_histograms_twice(patch: Patch) -> None:
    """A sample is added to the run's histograms more than once."""
    add = histogram_store.add_to_run

    def added(run_number: int, samples: Iterable[Any], now: Any) -> None:
        add(run_number, [each for sample in samples for each in (sample, sample)], now)

    patch.setattr(fastmon, "add_to_run", added)


def closes_without_the_ledger(patch: Patch) -> None:
    """A run is closed when its end was announced, whatever its account says."""

    class Anything:
        balanced = True
        produced, complete = 0, True

    patch.setattr(closing, "ledger_of", lambda number: Anything())
    patch.setattr(closing, "UNFINISHED", ())
    patch.setattr(closing, "_INTERVAL_S", 0.0)


def trusts_a_file_that_is_there(patch: Patch) -> None:
    """An STF is written under its own name, and one that is there is taken as it is."""
    write = StfFiles.write

    def written(writer: StfFiles, sequence: int) -> FileFacts:
        path = writer._folder / stf_name(writer._run_number, sequence)
        if path.exists():
            return facts_of(path)
        if sequence == 2:
            path.write_bytes(b"root, as far as it came")
            raise DiedError(path.name)
        return write(writer, sequence)

    patch.setattr(StfFiles, "write", written)


def does_not_look_for_what_the_dead_held(patch: Patch) -> None:
    """A new process does not put back what its predecessor held."""
    patch.setattr(file_work.FileWork, "_recover", lambda work, begin: False)
    patch.setattr(worker.Workbench, "_recover", lambda bench, begin: False)


def leaves_outputs_of_void_attempts(patch: Patch) -> None:
    """What an attempt had written stays when it is void."""
    patch.setattr(worker, "_remove", lambda outputs: None)


def leaves_half_written_files(patch: Patch) -> None:
    """Nobody removes what a killed process left half-written."""
    for module in (launch, taking):
        patch.setattr(module, "sweep_temporaries", lambda *where: 0)


def forgets_products(patch: Patch) -> None:
    """A slice is completed without its product on record."""
    insert = bulk.insert
    numbers = count(1)

    def most(model: type[Any], rows: Sequence[Mapping[str, Any]], **how: Any) -> int:
        return insert(model, [row for row in rows if model.__name__ != "Product" or next(numbers) != 4], **how)

    patch.setattr(bulk, "insert", most)
