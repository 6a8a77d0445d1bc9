"""Routes, pages and tools of the particle-physics workflows. Only the monitor's process imports them."""
