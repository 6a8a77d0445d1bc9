"""Measurements of the platform, each beside a baseline of the same minutes: `python -m benchmarks`, or `make bench`."""
