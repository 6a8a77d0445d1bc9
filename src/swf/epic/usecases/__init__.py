"""What a person or another program can ask of particle-physics runs, and do about them.

The command line is a thin skin over these functions: they read or change the store, and return values that `as_json`
turns into what JSON knows. Their docstrings are the help texts.
"""
