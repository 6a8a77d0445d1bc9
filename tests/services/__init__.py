"""Real servers for tests, each private to the test session: own folder, own port of 127.0.0.1."""
