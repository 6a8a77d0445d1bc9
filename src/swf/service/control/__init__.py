"""Control of the processes of a data directory: its supervisord, the agents, and servers that are started here."""
