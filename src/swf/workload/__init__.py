"""Running payloads: in processes of their own here, or as jobs of a batch system."""
