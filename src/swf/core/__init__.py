"""The vocabulary: values, states and decisions. Imports the standard library and pydantic, and does no input or output."""
