"""The REST interface: its root, and the routes for rows that belong to no instrument."""
