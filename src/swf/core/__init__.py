"""The vocabulary: values, states and decisions. Imports the standard library and pydantic; does no input or output."""
