"""Policy as code: the catalogue entry of each input that the model really reads, held against the policy."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mltest.evidence import ReasonCode, Withheld
from mltest.offers import governance
from mltest.offers.governance import DATASET, FeaturePolicy, Governance
from mltest.probes import model_inputs
from mltest.system import FeatureInfo, RawColumn, System

NOBODY = frozenset(
    {"", "-", "?", "n/a", "na", "nan", "nobody", "none", "null", "owner", "tba", "tbd", "todo", "unknown"}
)
"""Words that people write into a field to have written something."""

Tables = Mapping[str, Sequence[str]]
"""Columns by raw table."""


@dataclass(frozen=True)
class Breach:
    """One rule that one input breaks; `said` completes a sentence that begins with its name."""

    feature: str
    rule: str
    said: str


@dataclass(frozen=True)
class Judged:
    """The inputs that the artefact names, and the rules that they break."""

    inputs: tuple[str, ...]
    breaches: tuple[Breach, ...]

    @property
    def breaking(self) -> int:
        """How many inputs break a rule."""
        return len({breach.feature for breach in self.breaches})


def of_system(system: System) -> Judged:
    """Catalogue and policy against the artefact and the raw tables. Raises Withheld where one of them is missing."""
    if system.data is None or system.model is None:
        raise Withheld("data and a model are needed", ReasonCode.PART_MISSING)
    found = governance.of(system)
    inputs = tuple(str(name) for name in system.model.metadata.inputs)
    raw = {name: tuple(model_inputs.column_names(table)) for name, table in system.data.raw().items()}
    if system.features is None:
        raw = {governance.DATASET: tuple(dict.fromkeys(name for columns in raw.values() for name in columns))}
    return Judged(inputs, tuple(breaches(inputs, found, raw, governance.today(system.clock))))


def breaches(inputs: Sequence[str], found: Governance, tables: Tables, today: date) -> list[Breach]:
    """Every rule that an input breaks. Raises Withheld for a policy or an artefact that says nothing."""
    _require_content(inputs, found.policy)
    listed = Counter(entry.name for entry in found.catalogue)
    entries = {entry.name: entry for entry in found.catalogue}
    broken: list[Breach] = []
    for name in inputs:
        entry = entries.get(name)
        if entry is None:
            broken.append(Breach(name, "entry", "has no entry in the catalogue"))
            continue
        if listed[name] > 1:
            broken.append(Breach(name, "entry", f"has {listed[name]} entries"))
        broken += (Breach(name, rule, said) for rule, said in _of_entry(entry, found.policy, tables, today))
    return broken


def declared_columns(entry: FeatureInfo, tables: Tables) -> tuple[RawColumn, ...]:
    """Columns of raw tables that the source of an entry names, such as `planes: year; flights: tailnum, date`."""
    return tuple(
        RawColumn(table, column)
        for table, text in _parts(entry.source)
        for column in tables.get(table, ())
        if re.search(rf"(?<!\w){re.escape(column)}(?!\w)", text)
    )


def sentence(broken: Sequence[Breach]) -> str:
    """What the first breaches are, how many more there are, what was allowed and what to do."""
    shown = "; ".join(f"{breach.feature} {breach.said}" for breach in broken[:4])
    more = f" and {len(broken) - 4} more" if len(broken) > 4 else ""
    return (
        f"{len({b.feature for b in broken})} inputs of the model break the policy ({shown}{more}), none may: complete "
        "the catalogue, or train without them"
    )


def table(broken: Sequence[Breach]) -> str:
    """The breaches as JSON rows."""
    return json.dumps([{"input": b.feature, "rule": b.rule, "what": b.said} for b in broken[:200]])


def _require_content(inputs: Sequence[str], policy: FeaturePolicy) -> None:
    if not inputs:
        raise Withheld(
            "the artefact does not say which columns it reads, so that no catalogue can be held against it: give its "
            "metadata `inputs`",
            ReasonCode.PART_MISSING,
        )
    for rule in ("sources", "licences", "sensitivities"):
        if not getattr(policy, rule):
            raise Withheld(f"the policy permits no {rule}, which decides nothing: name those that may be used")


def _of_entry(entry: FeatureInfo, policy: FeaturePolicy, tables: Tables, today: date) -> Iterator[tuple[str, str]]:
    if _is_blank(entry.owner):
        yield "owner", f"has no owner ({entry.owner!r})"
    elif policy.owners and entry.owner not in policy.owners:
        yield "owner", f"belongs to {entry.owner!r}, who is none of the owners"
    if _is_blank(entry.available_at):
        yield "available_at", "does not say when it is known"
    if entry.sensitivity not in policy.sensitivities:
        yield "sensitivity", f"is {entry.sensitivity or 'of no sensitivity'}, which is not permitted"
    yield from _of_deprecation(entry.deprecated_after, today)
    yield from _of_sources(entry, policy, tables)


def _of_deprecation(deprecated_after: str | None, today: date) -> Iterator[tuple[str, str]]:
    if deprecated_after is None:
        return
    try:
        last = datetime.fromisoformat(str(deprecated_after)).date()
    except ValueError:
        yield "deprecation", f"is deprecated after {deprecated_after!r}, which is no date"
        return
    if today > last:
        yield "deprecation", f"is deprecated since {last}"


def _of_sources(entry: FeatureInfo, policy: FeaturePolicy, tables: Tables) -> Iterator[tuple[str, str]]:
    parts = _parts(entry.source)
    if not parts:
        yield "source", "names no source"
    columns = declared_columns(entry, tables)
    for table, _ in parts:
        if table not in policy.sources:
            yield "source", f"comes from {table!r}, which is no permitted source"
        elif policy.sources[table] not in policy.licences:
            yield "licence", f"comes from {table}, whose licence {policy.sources[table]!r} is not permitted"
        if table not in tables:
            yield "source", f"comes from {table!r}, which is no raw table"
        elif not any(column.table == table for column in columns):
            yield "source", f"names no column of {table}"
    barred = {*policy.forbidden, *policy.known_later}
    own = RawColumn(DATASET, entry.name)
    for column in dict.fromkeys((*columns, own)):
        if column in policy.forbidden or (column.table == DATASET and column in barred):
            why = "is forbidden" if column in policy.forbidden else "is known later"
            yield "forbidden", f"is made from {column.table}.{column.column}, which {why}"


def _parts(source: str) -> list[tuple[str, str]]:
    """Table and text of each part of a source; a part without a colon is a table and names no column."""
    parts = (part.partition(":") for part in source.split(";"))
    return [(table.strip(), text) for table, _, text in parts if table.strip()]


def _is_blank(text: str) -> bool:
    return text.strip().casefold() in NOBODY or not any(sign.isalpha() for sign in text)
