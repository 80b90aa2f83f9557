"""Parcels again: servers that treat some requests otherwise, and clients that ask for too little."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from mltest.system import System, SystemRef, Window
from tests.suites import parcels as plain
from tests.suites.parcels import Handle, ParcelServing

Records = Sequence[Mapping[str, Any]]


@dataclass
class OtherHandle(Handle):
    predicts: Callable[[Callable[[Records], Records], Records], Records] = lambda ask, records: ask(records)

    def predict(self, records: Records) -> Records:
        return self.predicts(super().predict, records)


@dataclass(frozen=True)
class OtherServing(ParcelServing):
    predicts: Callable[[Callable[[Records], Records], Records], Records] = lambda ask, records: ask(records)
    keeps: Callable[[Mapping[str, Any]], bool] = lambda record: True

    @contextmanager
    def start(self, workdir: Path, *, version: str | None = None, as_of: datetime | None = None) -> Iterator[Handle]:
        yield OtherHandle(self.change, self.logs, self.version, predicts=self.predicts)

    def records(self, raw: Mapping[str, Any], window: Window) -> Records:
        return [record for record in super().records(raw, window) if self.keeps(record)]


def asked(ref: SystemRef, serving: ParcelServing) -> System:
    return replace(plain.system(ref), serving=serving)


def answers_reversed(ref: SystemRef) -> System:
    """The answers of a batch come in another order than its records."""
    return asked(ref, OtherServing(predicts=lambda ask, records: list(reversed(ask(records)))))


def two_answers_swapped(ref: SystemRef) -> System:
    """The first and the last answer of a long request change places."""

    def swapped(ask: Callable[[Records], Records], records: Records) -> Records:
        first, *others, last = [*ask(records)] if len(records) > 100 else [None, *ask(records), None]
        return [last, *others, first] if len(records) > 100 else others

    return asked(ref, OtherServing(predicts=swapped))


def answers_rounded(ref: SystemRef) -> System:
    """Clients get two decimals, the log keeps them all."""

    def rounded(ask: Callable[[Records], Records], records: Records) -> Records:
        return [{**answer, "prediction": round(answer["prediction"], 2)} for answer in ask(records)]

    return asked(ref, OtherServing(predicts=rounded))


def wrong_in_long_requests(ref: SystemRef) -> System:
    """From the seventeenth record of a request on every depot is the same."""
    return asked(
        ref, ParcelServing(lambda rows: [{**row, "depot": "oak"} if n > 15 else row for n, row in enumerate(rows)])
    )


def without_gaps(record: Mapping[str, Any]) -> bool:
    return record["weight"] is not None


def gaps_unasked(ref: SystemRef) -> System:
    """The server fills gaps in a way of its own, and nobody asks for a parcel with one."""
    return asked(ref, OtherServing(plain.nought_for_a_gap(ref).serving.change, keeps=without_gaps))


def newcomers_unasked(ref: SystemRef) -> System:
    """The server knows the new depot under another name, and nobody asks for a parcel from there."""
    change = plain.newcomer_is_other(ref).serving.change
    return asked(ref, OtherServing(change, keeps=lambda record: record["depot"] != plain.OPENS_LATER))


def some_unasked(ref: SystemRef) -> System:
    """One parcel in seven has no request, whatever is in it."""
    return asked(ref, OtherServing(keeps=lambda record: int(record["parcel"][1:]) % 7 != 0))


def refuse(why: Exception, when: Callable[[Records], bool], ask: Callable[[Records], Records], records: Records) -> Any:
    if when(records):
        raise why
    return ask(records)


def gap_refused(ref: SystemRef) -> System:
    """The server fails on a parcel without a weight, and on every request that has one in it."""
    refused = partial(refuse, KeyError("weight"), lambda records: not all(map(without_gaps, records)))
    return asked(ref, OtherServing(predicts=refused))


def long_requests_refused(ref: SystemRef) -> System:
    """The server takes at most fifty records at once."""
    return asked(ref, OtherServing(predicts=partial(refuse, ValueError("too long"), lambda records: len(records) > 50)))


@dataclass
class Failing:
    """Whether a server fails in this request: some of those that it counts."""

    fails: Callable[[int], bool]
    count: int = field(default=0)

    def __call__(self, records: Records) -> bool:
        self.count += 1
        return self.fails(self.count)


def hiccups(ref: SystemRef) -> System:
    """One request in forty fails, and succeeds when it is sent again."""
    return asked(ref, OtherServing(predicts=partial(refuse, ConnectionError("reset"), Failing(lambda n: n % 40 == 7))))


def dies(ref: SystemRef) -> System:
    """The server stops answering in the middle."""
    return asked(ref, OtherServing(predicts=partial(refuse, ConnectionError("gone"), Failing(lambda n: n > 100))))


def never_answers(ref: SystemRef) -> System:
    return asked(ref, OtherServing(predicts=partial(refuse, ConnectionError("refused"), lambda records: True)))


def wrong_in_september(ref: SystemRef) -> System:
    """A live path that was put right before the holdout begins."""
    right_from = plain.FIRST_DAY + timedelta(days=30)
    return plain.served(ref, lambda row, rows: {"local_hour": 12} if row["sent_at"] < right_from else {})
