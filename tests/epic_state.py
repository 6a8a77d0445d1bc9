"""Everything that a run leaves in the store, without instants and identities: equal where the outcome is the same."""

from __future__ import annotations

from typing import Any

from swf.epic.accounting import ledger_of
from swf.epic.models import FastMonFile, RunState, StfFile, TfSlice
from swf.store.models import Attempt, Dataset, Product, Run

_FILE = ("name", "status", "attempt", "retries", "reason")


def final_state(run: int) -> dict[str, Any]:
    """The outcome of a run."""
    return {
        "run": list(
            Run.objects.filter(pk=run).values("execution_id", "total_stf_files", "ended_by", "simulated", "end_time")
        ),
        "closed": Run.objects.get(pk=run).closed_at is not None,
        "state": list(
            RunState.objects.filter(pk=run).values(
                "phase",
                "state",
                "substate",
                "target_worker_count",
                "stf_registered",
                "tf_files_received",
                "stf_samples_received",
                "slices_created",
                "slices_queued",
                "slices_processing",
                "slices_completed",
                "slices_failed",
            )
        ),
        "stfs": list(
            StfFile.objects.filter(run=run).order_by("name").values(*_FILE, "sequence", "sample_count", "slice_count")
        ),
        "samples": list(
            FastMonFile.objects.filter(run_number=run).order_by("name").values(*_FILE, "tf_first", "tf_last")
        ),
        "slices": list(
            TfSlice.objects.filter(run_number=run)
            .order_by("name")
            .values(*_FILE, "slice_id", "tf_first", "tf_last", "tf_count", "hits_found")
        ),
        "attempts": sorted(Attempt.objects.filter(run_number=run).values_list("item", "attempt", "outcome")),
        "products": sorted(Product.objects.filter(run_number=run).values_list("name", "item", "attempt")),
        "datasets": sorted(Dataset.objects.filter(run_number=run).values_list("scope", "name", "state")),
        "ledger": ledger_of(run),
    }
