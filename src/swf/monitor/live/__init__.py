"""Live events: the rows of the event log as server-sent events, to any number of readers from one cursor."""
