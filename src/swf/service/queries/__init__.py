"""What may be asked of rows that belong to no instrument: lists and details, for the command line, REST, pages and
tools alike. Imports models."""
