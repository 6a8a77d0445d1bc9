"""What the pages of all instruments share: access, accounts, components of pages, static files."""
