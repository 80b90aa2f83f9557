"""One module per format, each with `render(scorecard) -> str`, a pure function that sees nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from mltest.scorecard import Scorecard

Render = Callable[[Scorecard], str]


@dataclass(frozen=True)
class Reporter:
    """A report format: the file that it is written to by default (None: the terminal), and its pure function."""

    filename: str | None
    render: Render


FORMATS: Mapping[str, str | None] = {"terminal": None, "html": "report.html", "json": "report.json"}
"""Each format and the file it is written to by default; None is for what goes to the terminal."""


def renderer(name: str) -> Render:
    """The `render` of a format. Raises KeyError for a name that is not in `FORMATS`."""
    if name not in FORMATS:
        raise KeyError(name)
    return cast(Render, import_module(f"{__name__}.{name}").render)
