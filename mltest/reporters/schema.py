"""Writes the JSON Schema of the document to `reports/`, or checks that the file there is the present one.

python -m mltest.reporters.schema [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mltest import resources
from mltest.scorecard import SCHEMA, json_schema

FILE_NAME = SCHEMA.replace("/", "-") + ".schema.json"


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """0 when written or up to date, 1 when `--check` finds another file than the code would write."""
    target: Path = resources.path("reports") / FILE_NAME
    if "--check" not in arguments:
        target.write_text(text(), encoding="utf-8")
        return 0
    if target.is_file() and target.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(f"{target.name} is not what the code describes: run python -m mltest.reporters.schema\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
