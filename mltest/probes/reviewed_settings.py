"""Settings that were in effect when a model was trained, against those in the file that was reviewed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

import yaml

from mltest.evidence import PartFailure, ReasonCode, Withheld
from mltest.offers.review import Provenance, Specification


def compared(
    specification: Specification, content: Mapping[str, bytes], told: Provenance, training: Any
) -> tuple[tuple[str, ...], int, tuple[str, ...]]:
    """Settings that differ from the reviewed file, how many were compared, and those in effect that it lacks."""
    if specification.configuration is None:
        raise Withheld(
            "the specification names no file that settings are read from, so that they cannot be held against what was "
            "reviewed: name it as its configuration",
            ReasonCode.PART_MISSING,
        )
    reviewed = _plain(_reviewed(specification.configuration, content))
    effective = {name: value for name, value in _plain(told.config).items() if name not in specification.not_decisive}
    silent = [name for name in reviewed if name not in effective and name not in specification.not_decisive]
    if silent:
        raise Withheld(
            f"the training did not write down what {', '.join(silent[:3])} was, which the reviewed file sets: write "
            "down all settings that took effect",
            ReasonCode.PART_MISSING,
        )
    differing = [_setting(name, effective[name], reviewed) for name in effective if name in reviewed]
    shipped = {} if training is None else _plain(dict(training.config))
    differing += [
        f"{name} is {shipped[name]!r} in the training that is shipped, reviewed is {reviewed[name]!r}"
        for name in shipped
        if name in reviewed and name not in specification.not_decisive and shipped[name] != reviewed[name]
    ]
    wrong = tuple(dict.fromkeys(each for each in differing if each))
    return wrong, len([n for n in effective if n in reviewed]), tuple(n for n in effective if n not in reviewed)


def _setting(name: str, value: Any, reviewed: Mapping[str, Any]) -> str:
    return "" if value == reviewed[name] else f"{name} was {value!r}, reviewed is {reviewed[name]!r}"


def _reviewed(place: str, content: Mapping[str, bytes]) -> Mapping[str, Any]:
    path, _, table = place.partition("#")
    if path not in content:
        raise Withheld(
            f"{path}, which settings are said to be read from, is not among the files of the specification: add it",
            ReasonCode.PART_MISSING,
        )
    text = content[path].decode("utf-8")
    try:
        found: Any = tomllib.loads(text) if path.endswith(".toml") else _parsed(path, text)
        for key in filter(None, table.split(".")):
            found = found[key]
        return dict(found)
    except (ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise PartFailure(f"{place} cannot be read as settings ({type(error).__name__}: {error})") from error


def _parsed(path: str, text: str) -> Any:
    return json.loads(text) if path.endswith(".json") else yaml.safe_load(text)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them: a tuple is a list, and 1 is 1.0."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(settings), default=str))
    return plain
