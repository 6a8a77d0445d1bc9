"""The pages with the lists of runs, STFs and slices."""

from __future__ import annotations

from typing import Final

from swf.epic.usecases.runs import RUNS
from swf.epic.usecases.samples import SAMPLES
from swf.epic.usecases.slices import SLICES
from swf.epic.usecases.stfs import STFS
from swf.epic.web import columns
from swf.web.lists import ListPage

LIST_PAGES: Final = (
    ListPage(
        path="/runs",
        title="Runs",
        listing=RUNS,
        columns=columns.RUN_COLUMNS,
        first=("run", "status", "workflow", "namespace"),
        empty="No run was taken yet. testbed run fast_processing takes one.",
    ),
    ListPage(
        path="/stfs",
        title="STFs",
        listing=STFS,
        columns=columns.STF_COLUMNS,
        first=("run", "name", "status", "in_buffer"),
        empty="No STF was registered yet. The DAQ writes them while a run is taken.",
    ),
    ListPage(
        path="/samples",
        title="TF sample files",
        listing=SAMPLES,
        columns=columns.SAMPLE_COLUMNS,
        first=("run", "status"),
        empty="No TF sample file was made yet. Fast monitoring makes them of STFs.",
    ),
    ListPage(
        path="/slices",
        title="Slices",
        listing=SLICES,
        columns=columns.SLICE_COLUMNS,
        first=("run", "status", "stf", "holder"),
        empty="No slice was made yet. Fast processing makes them of TF sample files.",
    ),
)
