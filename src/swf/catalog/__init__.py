"""The dataset catalogue: its port and its adapters."""
