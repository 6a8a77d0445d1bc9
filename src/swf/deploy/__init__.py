"""What is needed to set the services up: configurations that are shipped, and code that lays them out."""
