"""The DAQ of the detector, simulated: states, the script of a run, and the exit buffer. Values and decisions only."""
