"""`python -m reference_system`."""

from reference_system.cli import app

app(prog_name="python -m reference_system")
