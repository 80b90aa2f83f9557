"""Faults: changes of a system that its items must notice, registered and applied through one door."""

from __future__ import annotations

from mltest.faults.fault import ANY_ITEM, SEAMS, Fault, FaultError, NotApplicable
from mltest.faults.registry import apply_all, fault, find, parse, registered, resolve, twin

__all__ = [
    "ANY_ITEM",
    "SEAMS",
    "Fault",
    "FaultError",
    "NotApplicable",
    "apply_all",
    "fault",
    "find",
    "parse",
    "registered",
    "resolve",
    "twin",
]
