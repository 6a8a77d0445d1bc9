"""What older agents say, in our words: fields that they do not have, and some in other places.

Older STF notices have neither size nor checksums that could be verified, so their STFs count as announced without
content: registered, sampled and sliced by number, with no file looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from swf.core.messages import Vocabulary
from swf.epic.messages import EPIC_MESSAGES
from swf.epic.names import parse_stf_name, parse_tf_sample_name
from swf.messaging.legacy import LegacyReader, Times, TolerantDecoder, Translated, Translation, Unusable, zone
from swf.messaging.settings import LegacySection

TFS_PER_STF: Final = 1000
"""How many TFs an STF has whose notice does not say; what older samplers take."""

FILES_PER_SAMPLE: Final = 7
"""How many TF files older samplers make of an STF; none of them says so."""

_NO_CHECKSUMS: Final[dict[str, object]] = {"size_bytes": 0, "checksum": "0" * 8, "sha256": "0" * 64}
_FILE: Final = ("size_bytes", "checksum", "sha256", "size", "file_url", "start", "end")


def tolerant_decoder(section: LegacySection, namespace: str) -> TolerantDecoder:
    """A decoder of the particle-physics messages that reads those of older agents too.

    Raises:
        ConfigError: the time zone is unknown.
    """
    vocabulary = Vocabulary(EPIC_MESSAGES)
    reader = LegacyReader(vocabulary, namespace, Times(zone=zone(section.time_zone)), TRANSLATIONS)
    return TolerantDecoder(vocabulary, namespace, reader)


def run_imminent(fields: Mapping[str, Any], times: Times) -> Translated:
    """A run is announced; what older DAQs say of its conditions is kept with its parameters."""
    named = {"run_id", "execution_id", "state", "substate", "simulation_tick", "dataset", "workflow_params"}
    conditions = {name: value for name, value in fields.items() if name not in {*named, "timestamp", "ts"}}
    params = fields.get("workflow_params", {})
    if conditions and isinstance(params, dict):
        params = {**params, "legacy": conditions}
    own = {name: value for name, value in fields.items() if name in named}
    return Translated(fields={**own, "workflow_params": params}, extra=conditions)


def stf(fields: Mapping[str, Any], times: Times) -> Translated | Unusable:
    """An STF is there, in the buffer or registered."""
    if "filename" not in fields:
        return _unusable(fields, "it names no STF: it says that a run's first file is registered")
    sequence = fields.get("sequence", parse_sequence(fields["filename"]))
    count = fields.get("tf_count", TFS_PER_STF)
    own = {name: value for name, value in fields.items() if name not in _FILE}
    whole = {**own, **_NO_CHECKSUMS, "has_content": False, "sequence": sequence, "tf_count": count}
    if isinstance(sequence, int) and isinstance(count, int):
        whole.setdefault("tf_first", max(sequence - 1, 0) * count)
    return Translated(fields=whole, extra={name: fields[name] for name in _FILE if name in fields})


def tf_file_registered(fields: Mapping[str, Any], times: Times) -> Translated:
    """A TF sample file is there; which of how many, its name and custom say."""
    name = fields.get("tf_filename")
    index = parse_tf_sample_name(name).number if isinstance(name, str) else None
    return Translated(fields={"sample_index": index, "sample_count": FILES_PER_SAMPLE, **fields})


TRANSLATIONS: Final[Mapping[str, Translation]] = {
    "run_imminent": run_imminent,
    "stf_gen": stf,
    "stf_ready": stf,
    "tf_file_registered": tf_file_registered,
}
"""How each type is read; those that are not here have our fields, and others beside."""


def parse_sequence(filename: object) -> int | None:
    """The number that an STF's name says."""
    return parse_stf_name(filename).sequence if isinstance(filename, str) else None


def _unusable(fields: Mapping[str, Any], why: str) -> Unusable:
    return Unusable.model_validate({"run_id": fields.get("run_id"), "why": why})
