"""The message that says that an STF is registered and verified."""

from __future__ import annotations

from swf.epic.messages import StfFacts, StfReady
from swf.epic.models import StfFile


def stf_ready(facts: StfFacts) -> StfReady:
    """`stf_ready` for an STF as the DAQ announced it."""
    return StfReady(**{name: getattr(facts, name) for name in StfReady.model_fields})


def stf_ready_of(stf: StfFile, execution_id: str | None) -> StfReady:
    """`stf_ready` for a registered STF."""
    return StfReady(
        run_id=stf.run_id,
        execution_id=execution_id,
        state=stf.daq_state,
        substate=stf.daq_substate,
        filename=stf.name,
        sequence=stf.sequence,
        tf_count=stf.tf_count,
        tf_first=stf.tf_first,
        size_bytes=stf.size_bytes,
        checksum=stf.adler32,
        sha256=stf.sha256,
        has_content=stf.has_content,
        simulated=stf.simulated,
    )
