"""The web monitor: one process with pages, REST, live events and tools for AI assistants, over the store."""
