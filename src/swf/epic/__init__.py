"""Particle physics: from the DAQ's exit buffer to processed time frames."""
