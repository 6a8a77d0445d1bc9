"""What the system knows, in one relational database: the Django app that every process shares."""
