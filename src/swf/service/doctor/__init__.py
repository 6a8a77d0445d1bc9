"""The doctor: looks at what the testbed stands on, and says of each thing what it found and what to do.

finding       what is said of one thing
machine       Python, packages, clock
place         the data directory: leave to write, space, secrets
store         the database of either mode
broker        whether it lets us in, gives every role its copy, and gives back what was refused
crew          supervisord, and the agents' rows
examination   all of it, in order
note          the messages that are sent for it, DOCTOR and SIMULATED to be read in each
dropping      a bus that is lost at chosen moments
loss_plan     how much a loss test sends, and what became of it
loss_test     messages through a bus that is lost again and again: what is lost, what is done twice
"""
