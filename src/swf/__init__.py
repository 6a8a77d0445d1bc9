"""swf-testbed: the data workflows of three instruments on one platform."""

__version__ = "0.1.0"
