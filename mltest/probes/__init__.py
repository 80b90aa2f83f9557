"""What the built-in probes measure: pure functions on tables, arrays and parts, one topic a module."""
