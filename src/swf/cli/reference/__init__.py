"""The reference pages of the documentation, generated from the code: `python -m swf.cli.reference FOLDER`."""
