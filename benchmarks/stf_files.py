"""How fast STF files are written, next to plain files of the same bytes, and a TF range read, next to all of them."""

from __future__ import annotations

from benchmarks.figures import Report, at_least, figure, ratios
from benchmarks.files import RANGE, TFS
from benchmarks.options import Options
from benchmarks.processes import measure

_GOAL_OF_PLAIN = 0.6


def run(options: Options) -> Report:
    """Write and read in turn, each STF next to a plain file."""
    megabytes, repeats = (50, 2) if options.quick else (500, 5)
    options.progress(f"STF files: {repeats} x {megabytes} MB")
    measured = measure("files:written_and_read", options.folder, megabytes=megabytes, repeats=repeats)
    took: dict[str, list[float]] = measured["took"]
    size = measured["size"] / 1e6
    first, last = RANGE
    return Report(
        name="stf_files",
        title=f"STF files: {repeats} x {size:.0f} MB, {TFS} TFs, uncompressed, SIMULATED",
        figures=(
            figure("stf_write_mb_per_s", "STF written, synced, checksummed", "MB/s", [size / s for s in took["stf"]]),
            figure(
                "plain_write_mb_per_s", "baseline: the same bytes, synced", "MB/s", [size / s for s in took["plain"]]
            ),
            figure("write_ratio", "STF over that", "x", ratios(took["plain"], took["stf"]), at_least(_GOAL_OF_PLAIN)),
            figure(
                "checksums_mb_per_s", "adler32 and sha256 in one pass", "MB/s", [size / s for s in took["checksums"]]
            ),
            figure("sync_s", "of the writing, in fsync", "s", took["synced"]),
            figure("range_read_s", f"TFs {first} to {last} read", "s", took["range"]),
            figure("whole_read_s", "baseline: all TFs read", "s", took["whole"]),
            figure("range_time_ratio", "the range over that", "x", ratios(took["range"], took["whole"])),
            figure(
                "range_bytes_ratio", "bytes of the range over all", "x", [measured["range_bytes"] / measured["size"]]
            ),
        ),
        notes=(
            "Each STF is followed by the plain file of the same minute; a ratio is of neighbours.",
            "Writing an STF includes the pass for its checksums, which writing the plain file does not have.",
        ),
    )
