"""Messages between agents: the bus port and its adapters, the agent runtime and the relay."""
