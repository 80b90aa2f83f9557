"""Measures what each feature costs when a request comes in: what it opens, what it holds, and how long it takes.

Every feature is asked for alone. What its first call opens and goes on holding is heard, and not timed; after many
calls it is heard once more, for what it opens then it opens for every request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mltest.evidence import ReasonCode, Withheld
from mltest.probes import cost_timing, declared_sources, heard_access, held_memory, machine_lock
from mltest.probes.cost_ledger import CostLedger, Opened
from mltest.probes.lookup_requests import Material, Requests, looked_up, online_of, requests, speaking_for
from mltest.system import Effort, FeatureInfo

_HEARD_RECORDS = 8
_COLD_RECORDS = 4


@dataclass(frozen=True)
class Catalogued:
    """The catalogue's entries of the inputs, in their order."""

    infos: tuple[FeatureInfo, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(info.name for info in self.infos)


def catalogued(catalogue: Sequence[FeatureInfo], inputs: Sequence[str]) -> Catalogued:
    """The entries of all inputs. Raises Withheld for an input without an entry, or without a budget."""
    entries = {info.name: info for info in catalogue}
    absent = [name for name in inputs if name not in entries]
    if absent:
        raise Withheld(
            f"the catalogue has no entry for {_few(absent)}, which the model reads: enter it with source and budget",
            ReasonCode.PART_MISSING,
        )
    free = [name for name in inputs if not (entries[name].cost_budget_us or 0) > 0]
    if free:
        raise Withheld(
            f"no budget says what {_few(free)} may cost: give each entry a cost_budget_us in microseconds",
            ReasonCode.PART_MISSING,
        )
    return Catalogued(tuple(entries[name] for name in inputs))


def measured(
    features: Any, source: Material, listed: Catalogued, effort: Effort, seed: int
) -> tuple[Requests, CostLedger]:
    """Builds the lookup and measures it. Raises Withheld where the machine is too noisy to time anything on."""
    held_memory.give_back()
    before = held_memory.resident_bytes()
    with heard_access.listening() as building:
        lookup = online_of(features, source)
    held_memory.give_back()
    holds = held_memory.resident_bytes() - before
    asked = requests(lookup, source)
    cold, strangers = _first_calls(asked, listed)
    strangers += [place for place in building.places if not _declared_by_any(place, listed)]
    with machine_lock.alone(), speaking_for("values"):
        timed = cost_timing.timed(asked, listed.infos, effort, seed)
    warm, reopened = _warm_calls(asked, listed)
    rows = tuple(
        replace(
            timed.features[info.name],
            held_bytes=cold[info.name].held,
            opened=_opened(info, cold[info.name].places, warm[info.name]),
        )
        for info in listed.infos
    )
    ledger = CostLedger(
        features=rows,
        shared=timed.shared,
        whole=timed.whole,
        whole_growth=timed.whole_growth,
        slowness=timed.slowness,
        same_apart=timed.same_apart,
        requests=len(asked.records),
        calls=timed.calls,
        raw_bytes=asked.raw_bytes,
        held_bytes=max(0, holds),
        strangers=tuple(dict.fromkeys(strangers)),
        reopened=reopened,
    )
    return asked, ledger


@dataclass(frozen=True)
class _Cold:
    places: tuple[str, ...]
    held: int


def _first_calls(asked: Requests, listed: Catalogued) -> tuple[dict[str, _Cold], list[str]]:
    """What the first call of each feature opens and goes on holding; and the undeclared places of shared work."""
    batches, strangers, found = asked.fresh(_COLD_RECORDS), list[str](), dict[str, _Cold]()
    with held_memory.traced():
        for names in ((), *((name,) for name in listed.names), listed.names):
            records = next(batches)
            with held_memory.held() as kept, heard_access.listening() as heard:
                looked_up(asked, records, names)
            if len(names) == 1 and names[0] not in found:
                found[names[0]] = _Cold(heard.places, kept.bytes)
            else:
                strangers += [place for place in heard.places if not _declared_by_any(place, listed)]
    return found, strangers


@dataclass(frozen=True)
class _Warm:
    opened: int
    native: int
    places: tuple[str, ...]


def _warm_calls(asked: Requests, listed: Catalogued) -> tuple[dict[str, _Warm], tuple[str, ...]]:
    """What each feature still opens after many calls: the middle of three, so that one refill of a cache is none."""
    batches = asked.fresh(_HEARD_RECORDS)
    found = {name: _heard(asked, batches, (name,)) for name in listed.names}
    shared = [_heard(asked, batches, names) for names in ((), listed.names)]
    nothing = all(not warm.opened and not warm.native for warm in found.values())
    reopened = [place for warm in shared for place in warm.places if warm.opened] if nothing else []
    unseen = ["what native code reads"] if nothing and any(warm.native for warm in shared) else []
    return found, tuple(dict.fromkeys((*reopened, *unseen)))


def _heard(asked: Requests, batches: Iterator[list[Any]], names: Sequence[str]) -> _Warm:
    opened, native, places = [], [], list[str]()
    for _ in range(3):
        records = next(batches)
        with heard_access.listening() as heard, speaking_for("values"):
            asked.lookup.values(records, names)
        opened.append(heard.count)
        native.append(heard.native_reads)
        places += heard.places
    return _Warm(sorted(opened)[1], sorted(native)[1], tuple(dict.fromkeys(places)))


def _opened(info: FeatureInfo, cold: Sequence[str], warm: _Warm) -> Opened:
    places = tuple(dict.fromkeys((*cold, *warm.places)))
    undeclared = tuple(place for place in places if not declared_sources.declares(info.source, place))
    return Opened(places, undeclared, warm.opened, warm.native)


def _declared_by_any(place: str, listed: Catalogued) -> bool:
    return any(declared_sources.declares(info.source, place) for info in listed.infos)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"
