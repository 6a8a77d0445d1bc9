"""Payloads for slices of particle-physics data."""
