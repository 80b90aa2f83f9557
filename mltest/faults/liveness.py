"""Proofs of life: what differs between a healthy and a faulted system, seen without any probe.

Each function takes both systems and returns one sentence, or an empty text when it sees no difference. They are what
keeps a catalogue free of mutants that change nothing (Humbatova et al., DeepCrime, ISSTA 2021).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltest.system import Data, Split, System

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 512
"""Rows that answers are compared on."""


def anything_changed(healthy: System, faulted: System) -> str:
    """The first difference in data, features, training or model; no server is started for it."""
    for look in (data_changed, features_changed, training_changed, answers_changed):
        sentence = look(healthy, faulted)
        if sentence:
            return sentence
    return ""


def data_changed(healthy: System, faulted: System) -> str:
    """Rows of a split or of a raw table, roles, or expectations that differ."""
    if healthy.data is None or faulted.data is None:
        return "" if healthy.data is faulted.data else "the data part is gone"
    from mltest.faults.columns import SPLITS

    before, after = healthy.data, faulted.data
    for split in SPLITS:
        sentence = _difference(partial(_split_of, split), before, after)
        if sentence:
            return f"split {split}: {sentence}"
    sentence = _raw_difference(before, after)
    if sentence:
        return sentence
    if _seen(lambda: before.roles) != _seen(lambda: after.roles):
        return "the roles of the columns differ"
    if _expectations(before) != _expectations(after):
        return "the declared schemas differ"
    return ""


def features_changed(healthy: System, faulted: System) -> str:
    """Features of the healthy raw tables, or the catalogue, that differ."""
    if healthy.features is None or faulted.features is None or healthy.data is None:
        return "" if healthy.features is faulted.features else "the features part is gone"
    if healthy.features is faulted.features:
        return ""
    data = healthy.data
    sentence = _difference(lambda features: features.compute(data.raw()), healthy.features, faulted.features)
    if sentence:
        return f"computed features: {sentence}"
    before, after = healthy.features, faulted.features
    return (
        "" if _seen(lambda: tuple(before.catalogue)) == _seen(lambda: tuple(after.catalogue)) else "another catalogue"
    )


def training_changed(healthy: System, faulted: System) -> str:
    """Rows that the training is really handed, or its configuration, that differ."""
    if healthy.training is None or faulted.training is None or healthy.data is None:
        return "" if healthy.training is faulted.training else "the training part is gone"
    from mltest.faults.columns import learned_from

    before, after = healthy.training, faulted.training
    if _seen(lambda: dict(before.config)) != _seen(lambda: dict(after.config)):
        return "the configuration of the training differs"
    rows = learned_from(healthy.data)
    sentence = _difference(lambda training: _handed_over(training, rows), before, after)
    return f"rows handed to the training: {sentence}" if sentence else ""


def answers_changed(healthy: System, faulted: System) -> str:
    """Answers of the model to the newest rows, its trace of them, or its description of itself, that differ."""
    if healthy.model is None or faulted.model is None:
        return "" if healthy.model is faulted.model else "the model part is gone"
    if healthy.model is faulted.model:
        return ""
    before, after = healthy.model, faulted.model
    if _seen(lambda: before.metadata) != _seen(lambda: after.metadata):
        return "the model describes itself otherwise"
    if healthy.data is None:
        return ""
    batch = telling_rows(healthy)
    moved = _moved(_seen(lambda: before.predict(batch)), _seen(lambda: after.predict(batch)))
    if moved or not hasattr(before, "trace"):
        return moved
    first, second = (_seen(partial(_stages_of, m, batch)) for m in (before, after))
    changed = [n for n in first if _moved(first[n], second.get(n))] if isinstance(second, dict) else ["all"]
    return f"stages of the trace that moved: {', '.join(changed)}" if changed else ""


def log_changed(healthy: System, faulted: System) -> str:
    """What the request log would say otherwise about the newest rows; no server is started for it."""
    rows = newest_rows(healthy)
    logged_as = getattr(faulted.serving, "logged_as", None)
    return "" if logged_as is None else difference(rows, logged_as(rows))


def trainings_differ(healthy: System, faulted: System) -> str:
    """Two trainings on the same rows with the same seed that answer differently, where healthy ones do not."""
    if healthy.training is None or faulted.training is None or healthy.data is None:
        return ""
    if _trained_twice(healthy, healthy.training):
        return ""
    return _trained_twice(healthy, faulted.training)


def difference(before: pa.Table, after: pa.Table) -> str:
    """What differs between two tables: columns, number of rows, or values (missing equals missing)."""
    gone = sorted(set(before.column_names) - set(after.column_names))
    new = sorted(set(after.column_names) - set(before.column_names))
    if gone or new:
        return f"columns gone: {_few(gone)}; new: {_few(new)}"
    if before.num_rows != after.num_rows:
        return f"{before.num_rows} rows became {after.num_rows}"
    counts = {name: _changed(before.column(name), after.column(name)) for name in before.column_names}
    moved = {name: count for name, count in counts.items() if count}
    if moved:
        most = max(moved, key=lambda name: moved[name])
        return f"{moved[most]} of {before.num_rows} values of {most} changed, in {len(moved)} columns"
    return "" if before.column_names == after.column_names else "the order of the columns changed"


def _split_of(split: Split, data: Data) -> Any:
    return data.dataset(split)


def _stages_of(model: Any, batch: pa.Table) -> dict[str, Any]:
    return dict(model.trace(batch))


def _changed(before: Any, after: Any) -> int:
    import numpy as np
    import pyarrow.compute as pc

    from mltest.faults.rows import floats, is_numeric, text

    if before.equals(after):
        return 0
    if before.type != after.type and not (is_numeric(before) and is_numeric(after)):
        return len(before)
    if is_numeric(before):
        old, new = floats(before), floats(after)
        return int(np.sum((old != new) & ~(np.isnan(old) & np.isnan(new))))
    one, other = text(before), text(after)
    differs = pc.fill_null(pc.not_equal(one, other), False)
    half_missing = pc.xor(pc.is_null(one), pc.is_null(other))
    return int(pc.sum(pc.or_(differs, half_missing)).as_py() or 0)


def _difference(look: Callable[[Any], Any], before: Any, after: Any) -> str:
    """Compares what `look` sees; an exception is something seen too."""
    old, new = _seen(lambda: look(before)), _seen(lambda: look(after))
    if isinstance(old, str) or isinstance(new, str):
        return "" if isinstance(old, str) and isinstance(new, str) and old == new else f"{_short(old)} -> {_short(new)}"
    from mltest.faults.rows import as_arrow

    return "" if old is new else difference(as_arrow(old), as_arrow(new))


def _raw_difference(before: Any, after: Any) -> str:
    old, new = _seen(before.raw), _seen(after.raw)
    if isinstance(old, str) or isinstance(new, str):
        return "" if isinstance(old, str) and isinstance(new, str) and old == new else "the raw tables cannot be read"
    if set(old) != set(new):
        return f"{len(old)} raw tables became {len(new)}"
    for name in old:
        sentence = _difference(itemgetter(name), old, new)
        if sentence:
            return f"raw table {name}: {sentence}"
    return ""


def _expectations(data: Any) -> Any:
    seen = _seen(lambda: dict(data.schema))
    return {name: repr(schema) for name, schema in seen.items()} if isinstance(seen, dict) else seen


def _handed_over(training: Any, rows: pa.Table) -> pa.Table:
    handed_over = getattr(training, "handed_over", None)
    return rows if handed_over is None else handed_over(rows)


def newest_rows(system: System) -> pa.Table:
    """The last rows of the newest split."""
    from mltest.faults.columns import data_of, splits_of

    newest = list(splits_of(data_of(system)).values())[-1]
    return newest.slice(max(0, newest.num_rows - SAMPLE))


def telling_rows(system: System) -> pa.Table:
    """The newest rows, and after them the rows where some numeric input is smallest or largest."""
    import numpy as np
    import pyarrow as pa

    from mltest.faults.columns import data_of, learned_from, number_inputs
    from mltest.faults.rows import floats

    learned, newest = learned_from(data_of(system)), newest_rows(system)
    ends: set[int] = set()
    for name in number_inputs(system):
        values = floats(learned.column(name))
        if np.isfinite(values).any():
            ends |= {int(np.nanargmin(values)), int(np.nanargmax(values))}
    return pa.concat_tables(
        [newest, learned.select(newest.column_names).take(sorted(ends))], promote_options="permissive"
    )


def _trained_twice(system: System, training: Any) -> str:
    from mltest.faults.columns import data_of, learned_from

    rows = learned_from(data_of(system))
    batch = newest_rows(system)
    answers = []
    for _ in range(2):
        with tempfile.TemporaryDirectory(prefix="mltest-alive-") as folder:
            artifact = training.train(rows, seed=0, config={}, workdir=Path(folder))
            answers.append(training.load(artifact).predict(batch))
    moved = _moved(answers[0], answers[1])
    return f"two trainings with one seed: {moved}" if moved else ""


def _moved(before: Any, after: Any) -> str:
    import numpy as np

    if isinstance(before, str) or isinstance(after, str):
        return "" if isinstance(before, str) and isinstance(after, str) and before == after else f"{_short(after)}"
    if after is None:
        return "a stage is gone"
    old, new = np.asarray(before), np.asarray(after)
    if old.shape != new.shape:
        return f"answers of shape {old.shape} became {new.shape}"
    if np.array_equal(old, new, equal_nan=old.dtype.kind == "f"):
        return ""
    if old.dtype.kind != "f":
        return "answers changed"
    with np.errstate(invalid="ignore"):
        gap = np.abs(new.astype(np.float64) - old.astype(np.float64))
    lost = int(np.sum(np.isfinite(old) & ~np.isfinite(new)))
    moved = int(np.sum(~(gap == 0) & ~(np.isnan(old) & np.isnan(new))))
    reach = np.max(gap[np.isfinite(gap)], initial=0.0)
    return f"{moved} of {gap.size} answers moved, by up to {reach:.3g}, and {lost} are no longer numbers"


def _seen(look: Callable[[], Any]) -> Any:
    """What is seen, or the text of the exception that stood in the way."""
    try:
        return look()
    except Exception as error:
        return f"raises {type(error).__name__}: {error}"


def _few(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{', '.join(names[:4]) or 'none'}{more}"


def _short(seen: Any) -> str:
    return seen if isinstance(seen, str) else "readable"
