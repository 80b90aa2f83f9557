"""Finds the folders that travel with the package: `rubric`, `suites`, `reports`.

In a wheel they lie in `mltest/_data/`; in a checkout they lie beside the package. The search starts from this
file, because an editable install leaves stale copies of forced files in site-packages.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """The folder or file called `name`, e.g. `rubric` or `rubric/breck-2017.yaml`.

    Raises FileNotFoundError when the installation is incomplete.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        candidate = root / name
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"the installation of pytest-ml-score lacks {name!r}: install it again")
