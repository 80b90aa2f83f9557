"""Parts made of what a team already has: one module for each kind."""
