"""How far the rest of the system is behind the DAQ: what "as fast as the rest keeps up" is measured by."""

from __future__ import annotations

from swf.core.work import LOST
from swf.epic.models import FastMonFile, RunState, StfFile
from swf.epic.run_settings import RunSettings
from swf.epic.sampling import sampled_count


class Backlog:
    """Without real time the DAQ announces an STF only while fewer than `window` are not through yet."""

    def __init__(self, run_number: int, settings: RunSettings, window: int) -> None:
        self._run_number = run_number
        self._settings = settings
        self._window = window
        self._known_through = 0

    def allows(self, sequence: int) -> bool:
        """Whether STF number `sequence` may be announced now."""
        if sequence - 1 - self._known_through < self._window:
            return True
        outstanding = self.outstanding(sequence - 1)
        if outstanding >= self._window:
            # Only where the figures say no: what was lost on the way will not come through.
            outstanding -= self._lost()
        self._known_through = sequence - 1 - outstanding
        return outstanding < self._window

    def outstanding(self, announced: int) -> int:
        """How many of the STFs announced so far are not registered, not sliced, or not processed."""
        columns = ("stf_registered", "stf_samples_received", "slices_queued", "slices_processing")
        row = RunState.objects.filter(pk=self._run_number).values_list(*columns).first()
        registered, sampled, queued, processing = row or (0, 0, 0, 0)
        settings = self._settings
        if not settings.samples:
            return announced - registered
        unsliced = sampled_count(registered, settings.stf_sampling_rate) - sampled
        open_slices = -(-(queued + processing) // settings.slices_per_sample)
        return announced - registered + max(unsliced, 0) + open_slices

    def _lost(self) -> int:
        """How many registered STFs will not be sliced, because they, or files of their samples, failed."""
        stfs = StfFile.objects.filter(run_id=self._run_number, status__in=LOST)
        samples = FastMonFile.objects.filter(run_number=self._run_number, status__in=LOST)
        return stfs.count() + samples.values("stf").distinct().count()
