"""What every process shares: composition, logs, metrics, heartbeats, signals, and threads for slow input and output."""
