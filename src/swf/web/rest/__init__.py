"""What the REST routes of all packages are made of: lists from listings, details with tags, audited writes."""
