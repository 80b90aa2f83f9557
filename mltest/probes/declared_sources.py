"""Whether a place that was opened is one that a catalogue entry's source speaks of."""

from __future__ import annotations

import re
from pathlib import PurePath

_WORD = re.compile(r"[\w./:\-]+")
_PARTITION = re.compile(r"[\d_.\-]*")


def declares(source: str, place: str) -> bool:
    """Whether the words of `source` name `place`: a table, a file, a folder of its parts, or a host.

    The table `planes` may lie in planes.csv, planes-2013-01.parquet or planes/part-0.parquet.
    """
    words = {word.strip(".,:;").lower() for word in _WORD.findall(source)}
    path = PurePath(place.lower())
    if place.lower() in words or any(word.endswith(f"//{place.lower()}") for word in words):
        return True
    folders = {part.partition(".")[0] for part in path.parts[1:-1][-2:]}
    return path.name in words or bool(folders & words) or any(_holds(word, path.name) for word in words)


def _holds(table: str, name: str) -> bool:
    """Whether a file's name is that of the table, but for a date or a number and its suffixes."""
    if not table or not name.startswith(table):
        return False
    rest = name[len(table) :].partition(".")
    return bool(_PARTITION.fullmatch(rest[0]))
