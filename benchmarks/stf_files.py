"""How fast STF files are written, next to plain files of the same bytes, and a TF range read, next to all of them."""

from __future__ import annotations

from statistics import median
from typing import Any

from benchmarks.figures import Figure, Report, Table, at_least, figure, ratios
from benchmarks.files import RANGE, TFS
from benchmarks.options import Options
from benchmarks.processes import measure

_GOAL_OF_PLAIN = 0.6


def run(options: Options) -> Report:
    """Write and read in turn, each STF next to a plain file; each size in a process of its own."""
    sizes = ((20, 3),) if options.quick else ((20, 9), (2000, 3))
    figures: list[Figure] = []
    limits: list[str] = []
    table = Table(
        title="What writing an STF consists of, medians in ms",
        columns=("size", "STF", "baskets", "checksums", "fsync", "plain write + fsync"),
    )
    for megabytes, repeats in sizes:
        options.progress(f"STF files: {repeats} x {megabytes} MB")
        measured = measure("files:written_and_read", options.folder, megabytes=megabytes, repeats=repeats)
        figures += _figures(megabytes, measured)
        table.rows.append(_parts(megabytes, measured))
        limits.append(_limit(megabytes, measured))
    return Report(
        name="stf_files",
        title=f"STF files of {TFS} TFs, uncompressed, SIMULATED",
        figures=tuple(figures),
        tables=(table,),
        notes=(
            *limits,
            "Each STF is followed by the plain file of the same minute; a ratio is of neighbours.",
            "Writing an STF includes the pass for its checksums, which writing the plain file does not have.",
            f"7 TFs: the entries {RANGE[0]} to {RANGE[1]}; they lie in one basket of 64 TFs, which is read whole.",
        ),
    )


def _figures(megabytes: int, measured: dict[str, Any]) -> list[Figure]:
    took: dict[str, list[float]] = measured["took"]
    size = measured["size"] / 1e6
    key, text = f"mb{megabytes}", f"{megabytes} MB:"
    stf, plain, checksums = ([size / seconds for seconds in took[name]] for name in ("stf", "plain", "checksums"))
    ratio = ratios(took["plain"], took["stf"])
    bare = [p / (s - c) for p, s, c in zip(took["plain"], took["stf"], took["checksums"], strict=True)]
    of_whole = 100 * measured["range_bytes"] / measured["size"]
    return [
        figure(f"{key}_stf_mb_per_s", f"{text} STF written", "MB/s", stf),
        figure(f"{key}_plain_mb_per_s", f"{text} baseline, plain file", "MB/s", plain),
        figure(f"{key}_write_ratio", f"{text} STF over that", "x", ratio, at_least(_GOAL_OF_PLAIN)),
        figure(f"{key}_write_ratio_bare", f"{text} the same without the checksums", "x", bare),
        figure(f"{key}_checksums_mb_per_s", f"{text} adler32 and sha256, one pass", "MB/s", checksums),
        figure(f"{key}_range_ms", f"{text} 7 TFs read", "ms", [seconds * 1e3 for seconds in took["range"]]),
        figure(
            f"{key}_whole_ms", f"{text} baseline, all {TFS} read", "ms", [seconds * 1e3 for seconds in took["whole"]]
        ),
        figure(f"{key}_range_of_whole", f"{text} 7 TFs over that", "x", ratios(took["range"], took["whole"])),
        figure(f"{key}_bytes_percent", f"{text} bytes read for 7 TFs", "%", [of_whole]),
    ]


def _parts(megabytes: int, measured: dict[str, Any]) -> tuple[str, ...]:
    parts = _medians(measured)
    return (f"{megabytes} MB", *(f"{parts[name]:.0f}" for name in ("stf", "baskets", "checksums", "fsync", "plain")))


def _limit(megabytes: int, measured: dict[str, Any]) -> str:
    """What an STF's writing has that a plain file's has not, in one sentence."""
    parts = _medians(measured)
    most = max(("baskets", "checksums", "fsync"), key=lambda name: parts[name])
    return f"What limits at {megabytes} MB: {most}, {parts[most] / parts['stf']:.0%} of the time."


def _medians(measured: dict[str, Any]) -> dict[str, float]:
    """Medians in ms. `baskets`: laying the hits out in baskets and handing them to the operating system."""
    took = {name: median(seconds) * 1e3 for name, seconds in measured["took"].items()}
    baskets = took["stf"] - took["checksums"] - took["synced"]
    return {**took, "baskets": baskets, "fsync": took["synced"]}
