"""Access to bytes: local files and `root://` addresses, checksums, atomic writes."""
