"""The agents of the particle-physics workflows: handlers and reconcilers, one module per role."""
