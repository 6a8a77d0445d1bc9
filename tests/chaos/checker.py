"""Is a run whole, and is it the same as one that was left alone?

`check` looks at a run by itself: every row, message and file has its counterpart, once. `compare` holds a run that was
disturbed against an undisturbed one of the same seed and parameters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any

from findings import Finding, duplicated, lost, recovered, unexpected
from records import TEMPORARY, Records, Row

_Check = Callable[[Records], Iterable[Finding]]

_TAKERS = {
    "run_imminent": "data",
    "start_run": "data",
    "pause_run": "data",
    "resume_run": "data",
    "end_run": "data",
    "stf_gen": "data",
    "stf_ready": "fastmon",
    "tf_file_registered": "fast_processing",
    "slice": "worker",
    "slice_result": "fast_processing",
}
"""Which role takes each type of message."""

_NOTICES = {
    ("", "run_imminent"): "imminent",
    ("imminent", "start_run"): "physics",
    ("physics", "stf_gen"): "physics",
    ("physics", "pause_run"): "standby",
    ("standby", "resume_run"): "physics",
    ("physics", "end_run"): "ended",
    ("standby", "end_run"): "ended",
}
"""The order in which the DAQ may speak."""

_ITEMS = (("StfFile", "stfs"), ("FastMonFile", "samples"), ("TfSlice", "slices"))

_REPEATABLE = frozenset({"slice", "slice_result", "pause_run", "resume_run"})
"""Messages of which there may be more after a fault: for each attempt, and for each pause."""


def check(records: Records, *, runs: int = 1) -> list[Finding]:
    """What is wrong with runs that have come to their end, and what was recovered in them.

    An STF without content has no files, and no products come of it; it and its samples are completed by their
    registration, and it is attached to nothing.

    Args:
        runs: how many there should be in the store.
    """
    of_each: tuple[_Check, ...] = (_ended, _accounted, _sliced, _counted, _notices, _dataset)
    of_all: tuple[_Check, ...] = (
        _sound,
        _histories,
        _attempts,
        _products,
        _files,
        _numbered,
        _delivered,
        _quiet,
        _recovered,
    )
    numbers = [run["run_number"] for run in records.of("runs")]
    findings = [
        *_exactly(runs, "run", numbers),
        *_exactly(runs, "execution", [row["execution_id"] for row in records.of("executions")]),
    ]
    parts = [records.of_run(number) for number in numbers]
    findings += [finding for part in parts for each in of_each for finding in each(part)]
    return findings + [finding for each in of_all for finding in each(records)]


def compare(alone: Records, disturbed: Records) -> list[Finding]:
    """In what a disturbed run differs from one that was left alone."""
    return [*check(disturbed), *_same_totals(alone, disturbed), *_same_content(alone, disturbed)]


def _sound(records: Records) -> Iterator[Finding]:
    for damage in records.damage:
        yield unexpected(f"the database: {damage}")


def _ended(records: Records) -> Iterator[Finding]:
    yield from _exactly(1, "execution of a run", [row["execution_id"] for row in records.of("executions")])
    for run in records.of("runs"):
        if run["closed_at"] is None:
            yield lost(f"run {run['run_number']} is not closed")
        if run["end_time"] is None or run["total_stf_files"] is None:
            yield lost(f"the end of run {run['run_number']} is not recorded")
    for execution in records.of("executions"):
        if execution["status"] != "completed":
            yield unexpected(f"{execution['execution_id']} is {execution['status']}: {execution['status_reason']}")
    for state in records.of("run_states"):
        if state["phase"] != "completed":
            yield lost(f"run {state['run_id']} is in phase {state['phase']}")
    closings = [event for event in records.of("events") if event["type"] == "run_closed"]
    yield from _exactly(1, "closing", [event["subject"] for event in closings])


def _accounted(records: Records) -> Iterator[Finding]:
    """`produced = registered + missing`, nothing missing, and everything registered completed."""
    produced = [run["total_stf_files"] or 0 for run in records.of("runs")]
    sequences = [stf["sequence"] for stf in records.of("stfs")]
    for missing in sorted(set(range(1, sum(produced) + 1)) - set(sequences)):
        yield lost(f"STF {missing} was produced and is not registered")
    yield from _once("registered STF", sequences)
    if any(sequence > sum(produced) for sequence in sequences):
        yield unexpected(f"STF {max(sequences)} is registered, but the DAQ produced {sum(produced)}")
    for _, table in _ITEMS:
        for item in records.of(table):
            if item["status"] != "completed":
                yield lost(f"{item['name']} is {item['status']}: {item['reason']}")
            if item["lease_until"] is not None:
                yield unexpected(f"{item['name']} is completed and still has a lease")


def _histories(records: Records) -> Iterator[Finding]:
    """Each item's moves follow from each other, claim by claim, and complete it once."""
    moves: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for move in records.moves:
        moves[move["content"]["item"], move["subject"]].append(move)
    filed = records.with_content()
    for model, table in _ITEMS:
        for item in (records if table == "slices" else filed).of(table):
            history = moves.pop((model, item["name"]), [])
            words = Counter(move["type"] for move in history)
            if words["complete"] > 1:
                yield duplicated(f"{item['name']} was completed {words['complete']} times")
            if words["complete"] < 1 and item["status"] == "completed":
                yield lost(f"{item['name']} is completed, but no event says so")
            if words["claim"] != item["attempt"]:
                yield unexpected(f"{item['name']} was claimed {words['claim']} times; its attempt is {item['attempt']}")
            state = "queued"
            for move in history:
                if move["content"]["from"] != state:
                    yield unexpected(f"{item['name']}: {move['type']} from {move['content']['from']} while {state}")
                state = move["content"]["to"]
            if history and state != item["status"]:
                yield unexpected(f"{item['name']} is {item['status']}, but its last move was to {state}")
    for model, name in moves:
        yield unexpected(f"there are moves of {model} {name}, which is not there")


def _sliced(records: Records) -> Iterator[Finding]:
    """Each STF has the samples and slices that it owes, and slices cover its samples without gap or overlap."""
    for stf in records.of("stfs"):
        samples = [row for row in records.of("samples") if row["stf_id"] == stf["id"]]
        slices = [row for row in records.of("slices") if row["stf_id"] == stf["id"]]
        for what, rows, wanted in (("samples", samples, "sample_count"), ("slices", slices, "slice_count")):
            if stf[wanted] is None or len(rows) < stf[wanted]:
                yield lost(f"{stf['name']} has {len(rows)} {what} of {stf[wanted]}")
            elif len(rows) > stf[wanted]:
                yield duplicated(f"{stf['name']} has {len(rows)} {what} of {stf[wanted]}")
        yield from _once(f"slice number of {stf['name']}", [row["slice_id"] for row in slices])
        sampled = Counter(tf for row in samples for tf in range(row["tf_first"], row["tf_last"] + 1))
        cut = Counter(tf for row in slices for tf in range(row["tf_first"], row["tf_last"] + 1))
        yield from (lost(f"TF {tf} of {stf['name']} is in no slice") for tf in sampled - cut)
        yield from (duplicated(f"TF {tf} of {stf['name']} is in a slice too many") for tf in cut - sampled)
        hits = sum(row["hits"] for row in samples), sum(row["hits_found"] or 0 for row in slices)
        if all(row["hits_found"] is not None for row in slices) and hits[0] != hits[1]:
            yield unexpected(f"{stf['name']}: {hits[0]} hits were sampled and {hits[1]} found")


def _attempts(records: Records) -> Iterator[Finding]:
    """Of each slice, the attempt that stands ended well; each other one is on record with its outcome."""
    attempts: dict[str, list[Row]] = defaultdict(list)
    for row in records.of("attempts"):
        attempts[row["item"]].append(row)
    for item in records.of("slices"):
        rows = attempts[item["name"]]
        good = [row["attempt"] for row in rows if row["outcome"] == "ok"]
        if good != [item["attempt"]]:
            word = duplicated if len(good) > 1 else unexpected
            yield word(f"{item['name']}: attempts {good} ended well; the one that stands is {item['attempt']}")
        standing = [row["attempt"] for row in rows if row["outcome"] != "late"]
        yield from _once(f"attempt on record of {item['name']}", standing)
        late = [row["attempt"] for row in rows if _is_late(row)]
        yield from _once(f"late result of {item['name']}, attempt", late)
        for number in set(late) & set(good):
            yield duplicated(f"the result of attempt {number} of {item['name']} was taken twice")
        for number in set(range(1, item["attempt"] + 1)) - set(standing):
            yield lost(f"attempt {number} of {item['name']} is not on record")


def _products(records: Records) -> Iterator[Finding]:
    """One product row per slice, of its attempt; its file is there and is what the row says."""
    records = records.with_content()
    files = records.within("products")
    rows: dict[str, list[Row]] = defaultdict(list)
    for product in records.of("products"):
        rows[product["item"]].append(product)
        found = files.pop(product["location"], None)
        if found is None:
            yield lost(f"the file of product {product['name']}")
        elif (found.size_bytes, found.adler32, found.sha256) != _facts(product):
            yield unexpected(f"the file of product {product['name']} is not what its row says")
        # A command leaves its summary beside its output.
        files.pop(f"{product['location']}.json", None)
    for item in records.of("slices"):
        made = rows.pop(item["name"], [])
        if not made:
            yield lost(f"the product of {item['name']}")
        elif len(made) > 1:
            yield duplicated(f"{item['name']} has {len(made)} products")
        for product in made:
            stem = f"{item['name'].removesuffix('.tf')}_a{item['attempt']}."
            if product["attempt"] != item["attempt"] or not product["name"].startswith(stem):
                yield unexpected(f"{product['name']} is registered as attempt {item['attempt']} of {item['name']}")
            if item["hits_found"] is not None and product["summary"] is not None:
                yield from _summarised(item, product)
    for name in rows:
        yield unexpected(f"there is a product of {name}, which is not there")
    late = {(row["item"].removesuffix(".tf"), str(row["attempt"])) for row in records.of("attempts") if _is_late(row)}
    for path in files:
        if not any(path.rpartition("/")[2].startswith(f"{name}_a{number}.") for name, number in late):
            yield unexpected(f"the file products/{path} belongs to no product")


def _is_late(row: Row) -> bool:
    """Whether it is an attempt that ended after another had taken its place; what it wrote is kept."""
    return bool(row["outcome"] == "late")


def _summarised(item: Row, product: Row) -> Iterator[Finding]:
    if f'"hits_found": {item["hits_found"]}' not in product["summary"]:
        yield unexpected(f"{product['name']} says of its hits another number than {item['name']}")


def _files(records: Records) -> Iterator[Finding]:
    """Every STF and sample file is there and is what its row says; nothing half-written is left."""
    records = records.with_content()
    for folder, rows in (("exit-buffer", records.of("stfs")), ("samples", records.of("samples"))):
        files = {path.rpartition("/")[2]: facts for path, facts in records.within(folder).items()}
        for row in rows:
            found = files.pop(row["name"], None)
            if found is None:
                yield lost(f"the file {row['name']}")
            elif (found.size_bytes, found.adler32, found.sha256) != _facts(row):
                yield unexpected(f"the file {row['name']} is not what its row says")
        for name in files:
            if not TEMPORARY.match(name):
                yield unexpected(f"the file {folder}/{name} belongs to nothing")
    for path in records.files:
        if TEMPORARY.match(path.rpartition("/")[2]):
            yield unexpected(f"the half-written file {path}")
        if path.startswith("scratch/"):
            yield unexpected(f"the file {path} of a payload")
        if path.startswith("logs/testbed-error"):
            yield unexpected(f"an error that nobody foresaw: {path}")


def _counted(records: Records) -> Iterator[Finding]:
    """The run in figures is the run in rows."""
    slices = records.of("slices")
    rows = {
        "stf_registered": len(records.of("stfs")),
        "tf_files_received": len(records.of("samples")),
        "stf_samples_received": sum(1 for stf in records.of("stfs") if stf["slice_count"]),
        "slices_created": len(slices),
        **{f"slices_{state}": 0 for state in ("queued", "processing", "failed")},
        "slices_completed": sum(item["status"] == "completed" for item in slices),
    }
    for state in records.of("run_states"):
        for column, number in rows.items():
            if state[column] != number:
                word = duplicated if state[column] > number else lost
                yield word(f"{column} of run {state['run_id']} is {state[column]}; the rows say {number}")


def _numbered(records: Records) -> Iterator[Finding]:
    """Messages of a sender are numbered 1, 2, 3 ... over all its lives; so are events, and changes of state."""
    senders: dict[str, list[int]] = defaultdict(list)
    for message in records.messages:
        senders[message["sender"]].append(message["sender_seq"])
    for agent in records.of("agents"):
        numbers = senders.pop(agent["instance_name"], [])
        yield from _consecutive(f"message of {agent['instance_name']}", numbers)
        if agent["sender_seq"] != max(numbers, default=0):
            yield unexpected(f"{agent['instance_name']} would go on from message {agent['sender_seq']}")
    for sender in senders:
        yield unexpected(f"messages of {sender}, who is no agent")
    yield from _consecutive("event", [event["seq"] for event in records.of("events")])
    yield from _consecutive("change of the DAQ's state", [row["revision"] for row in records.of("daq_states")])
    yield from _once("message", [message["message_id"] for message in records.messages])


def _notices(records: Records) -> Iterator[Finding]:
    """The DAQ speaks in a legal order, and announces each STF once."""
    spoken = [message for message in records.messages if message["sender"].startswith("daq_simulator")]
    state = ""
    for message in spoken:
        after = _NOTICES.get((state, message["type"]))
        if after is None:
            yield unexpected(
                f"the DAQ says {message['type']} ({message['subject']}) when the run is {state or 'not there'}"
            )
        else:
            state = after
    if state != "ended":
        yield lost(f"the DAQ's last word leaves the run {state or 'not there'}")
    for kind in ("run_imminent", "start_run", "end_run"):
        yield from _exactly(1, kind, [message["type"] for message in records.sent(kind)])
    sequences = [message["content"]["sequence"] for message in records.sent("stf_gen")]
    yield from _once("stf_gen of STF", sequences)
    if sequences != sorted(sequences):
        yield unexpected(f"STFs are announced in the order {sequences}")
    announced = {message["subject"]: message["content"]["sha256"] for message in records.sent("stf_gen")}
    for stf in records.of("stfs"):
        if announced.pop(stf["name"], None) != stf["sha256"]:
            yield unexpected(f"{stf['name']} is registered with other content than was announced")
    for name in announced:
        yield lost(f"{name} was announced and is not registered")


def _delivered(records: Records) -> Iterator[Finding]:
    """Every message was taken once by the role that it is for, and nothing waits."""
    taken = Counter((row["role"], row["message_id"]) for row in records.of("inbox"))
    for message in records.messages:
        role = _TAKERS.get(message["type"])
        if role is None:
            yield unexpected(f"a message of type {message['type']}")
            continue
        times = taken.pop((role, message["message_id"]), 0)
        what = f"{message['type']} {message['sender_seq']} of {message['sender']} ({message['subject']})"
        if times == 0:
            yield lost(f"{what} was sent, but {role} never took it")
        elif times > 1:
            yield duplicated(f"{what} was taken {times} times by {role}")
    for role, message_id in taken:
        yield unexpected(f"{role} took {message_id}, which nobody sent")
    positions = {(row["role"], row["destination"]): row["position"] for row in records.of("cursors")}
    for row in records.of("outbox"):
        role = _TAKERS.get(row["msg_type"], "")
        if row["destination"].startswith("/queue/"):
            yield lost(f"a {row['msg_type']} still waits in {row['destination']}")
        elif row["id"] > positions.get((role, row["destination"]), 0):
            yield lost(f"a {row['msg_type']} still waits for {role}")


def _dataset(records: Records) -> Iterator[Finding]:
    """The run's dataset is closed and has each STF once, as it is."""
    records = records.with_content()
    yield from _exactly(1, "dataset", [row["name"] for row in records.of("datasets")])
    for dataset in records.of("datasets"):
        if dataset["state"] != "closed":
            yield unexpected(f"the dataset {dataset['name']} is {dataset['state']}")
    files = records.of("dataset_files")
    yield from _once("file of the dataset", [row["name"] for row in files])
    attached = {row["name"]: row for row in files}
    for stf in records.of("stfs"):
        row = attached.pop(stf["name"], None)
        if row is None or stf["attached_at"] is None:
            yield lost(f"{stf['name']} is not attached to the dataset")
        elif (row["size_bytes"], row["adler32"]) != (stf["size_bytes"], stf["adler32"]):
            yield unexpected(f"the dataset has {row['name']} with another size or checksum")
    for name in attached:
        yield unexpected(f"the dataset has {name}, which is not registered")


def _quiet(records: Records) -> Iterator[Finding]:
    """Nobody waits for a person, and nobody seems alive."""
    for letter in records.of("letters"):
        if letter["state"] != "redriven":
            yield unexpected(f"a {letter['msg_type']} is {letter['state']} in the dead letters: {letter['reason']}")
    for alarm in records.of("alarms"):
        if alarm["cleared_at"] is None:
            yield unexpected(f"the alarm {alarm['key']} is raised: {alarm['text']}")
    for agent in records.of("agents"):
        if agent["status"] != "EXITED":
            yield unexpected(f"{agent['instance_name']} is {agent['status']}, and its process has ended")


def _recovered(records: Records) -> Iterator[Finding]:
    for move in records.moves:
        if move["type"] in {"release", "retry"}:
            yield recovered(f"{move['subject']}: {move['type']}, {move['content']['note']}")
    for row in records.of("attempts"):
        if row["outcome"] == "late":
            yield recovered(f"a late result of attempt {row['attempt']} of {row['item']}")
    for letter in records.of("letters"):
        if letter["state"] == "redriven":
            yield recovered(f"{letter['msg_type']}, tried again: {letter['reason']}")
    for alarm in records.of("alarms"):
        if alarm["cleared_at"] is not None:
            yield recovered(f"alarm {alarm['key']}: {alarm['text']}")


def _same_totals(alone: Records, disturbed: Records) -> Iterator[Finding]:
    for what, total in _TOTALS.items():
        expected, found = total(alone), total(disturbed)
        if found != expected:
            word = duplicated if found > expected else lost
            yield word(f"{what}: {found}; left alone, {expected}")
    types = {message["type"] for message in (*alone.messages, *disturbed.messages)} - _REPEATABLE
    for kind in sorted(types):
        expected, found = len(alone.sent(kind)), len(disturbed.sent(kind))
        if found != expected:
            yield (duplicated if found > expected else lost)(f"{kind}: {found}; left alone, {expected}")


_TOTALS: dict[str, Callable[[Records], int]] = {
    "STFs": lambda records: len(records.of("stfs")),
    "samples": lambda records: len(records.of("samples")),
    "slices": lambda records: len(records.of("slices")),
    "hits sampled": lambda records: sum(row["hits"] for row in records.of("samples")),
    "hits found": lambda records: sum(row["hits_found"] or 0 for row in records.of("slices")),
    "products": lambda records: len(records.of("products")),
}


def _same_content(alone: Records, disturbed: Records) -> Iterator[Finding]:
    """What has the same name is the same, byte by byte and figure by figure."""
    for what, content in _CONTENT.items():
        expected, found = content(alone), content(disturbed)
        for name in sorted(expected.keys() | found.keys()):
            if name not in found:
                yield lost(f"{what} {name}")
            elif name not in expected:
                yield unexpected(f"{what} {name}, which is not there when left alone")
            elif expected[name] != found[name]:
                yield unexpected(f"{what} {name} is not the same as when left alone")


_CONTENT: dict[str, Callable[[Records], dict[str, Any]]] = {
    "STF file": lambda records: dict(records.within("exit-buffer")),
    "sample file": lambda records: dict(records.within("samples")),
    "slice": lambda records: {
        row["name"]: (row["tf_first"], row["tf_last"], row["hits_found"]) for row in records.of("slices")
    },
    "product of": lambda records: {row["item"]: (row["sha256"], row["summary"]) for row in records.of("products")},
    "histograms of": lambda records: {row["subsystem"]: row["content"] for row in records.of("histograms")},
    "STF's place in time": lambda records: {row["name"]: row["tf_first"] for row in records.of("stfs")},
}


def _facts(row: Row) -> tuple[int, str, str]:
    return row["size_bytes"], row["adler32"], row["sha256"]


def _once(what: str, values: Iterable[Hashable]) -> Iterator[Finding]:
    for value, number in Counter(values).items():
        if number > 1:
            yield duplicated(f"{what} {value}: {number} times")


def _exactly(number: int, what: str, values: list[Any]) -> Iterator[Finding]:
    if len(values) > number:
        yield duplicated(f"{what}: {len(values)} times, {values[:3]}")
    elif len(values) < number:
        yield lost(f"{what}: {len(values)} times")


def _consecutive(what: str, numbers: Sequence[int | None]) -> Iterator[Finding]:
    """Numbers grow by one, from 1."""
    if None in numbers:
        yield lost(f"the number of a {what}")
        return
    yield from _once(what, numbers)
    known = [number for number in numbers if number is not None]
    if len(known) == len(set(known)) and known != list(range(1, len(known) + 1)):
        yield unexpected(f"{what}: numbered {known[:3]} to {known[-1:]}, expected 1 to {len(known)} in order")
