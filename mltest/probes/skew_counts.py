"""What all stretches together say about two paths, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mltest.probes.skew import Passage
from mltest.probes.skew_values import Compared


@dataclass(frozen=True)
class Counts:
    """What all stretches together say; an `_apart` counts what differs among that which the name before it counts."""

    rows: int
    rows_apart: int
    values: int
    values_apart: int
    moments: int
    moments_apart: int
    answers: int
    answers_apart: int
    replies: int
    replies_apart: int
    asked: int
    refused: int
    unasked: int
    strangers: int
    inputs: int
    unlogged: int
    controls: int
    controls_noticed: int


def count(passages: Sequence[Passage]) -> Counts:
    """Adds up all stretches."""
    features = [column for passage in passages for column in passage.features]
    moments = [passage.moment for passage in passages if passage.moment is not None]
    replies = [passage.replies for passage in passages if passage.replies is not None and passage.doubt is None]
    answers = [passage.answers for passage in passages if passage.answers is not None]
    return Counts(
        rows=sum(len(passage.keys) for passage in passages),
        rows_apart=sum(int(passage.different_rows.sum()) for passage in passages),
        values=_size(features),
        values_apart=_apart(features),
        moments=_size(moments),
        moments_apart=_apart(moments),
        answers=_size(answers),
        answers_apart=_apart(answers),
        replies=_size(replies),
        replies_apart=_apart(replies),
        asked=sum(passage.asked for passage in passages),
        refused=sum(0 if passage.refused is None else passage.refused.rows for passage in passages),
        unasked=sum(passage.unasked for passage in passages),
        strangers=sum(passage.strangers for passage in passages if passage.doubt is None),
        inputs=len({name for p in passages for name in (*p.unlogged, *(column.name for column in p.features))}),
        unlogged=len({name for passage in passages for name in passage.unlogged}),
        controls=sum(passage.controls[1] for passage in passages),
        controls_noticed=sum(passage.controls[0] for passage in passages),
    )


def _size(columns: Sequence[Compared]) -> int:
    return sum(len(column.differs) for column in columns)


def _apart(columns: Sequence[Compared]) -> int:
    return sum(column.mismatches for column in columns)
