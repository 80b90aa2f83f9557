"""What a search for planted values showed, as measurements with their limits, and what to do about each that failed.

No planted value is ever told, nor any other value of a raw table: columns and places are named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatch

from mltest.evidence import Evidence, Measurement, ReasonCode, Verdict
from mltest.offers.privacy import PrivacyPolicy
from mltest.probes.canary_search import Hit
from mltest.probes.containers import MOST_BYTES
from mltest.probes.privacy_run import PrivacyRun, told
from mltest.probes.private_pipeline import may_experiment
from mltest.system import System

_SHOWN = 4


def record(evidence: Evidence, run: PrivacyRun) -> None:
    """Measures everything; what decides has its limit here: none, for each of them."""
    search, erased, served = run.traces.search, run.erased, run.served
    found, planted = leaks(run), len(run.planted.canaries)
    evidence.measure("planted_columns_found", len({h.canary.name for h in found}), limit=0, n=planted, unit="columns")
    evidence.measure("files_open_to_anybody", len(run.traces.exposed), limit=0, n=run.traces.files, unit="files")
    evidence.measure("grants_to_anybody", len(run.traces.grants), limit=0, unit="settings")
    certain = [each for each in run.traces.identified if each.certain]
    evidence.measure("undeclared_identifiers", sum(each.count for each in certain), limit=0, unit="values")
    evidence.measure("erased_rows_learnt_from", erased.kept, limit=0, n=erased.theirs, unit="rows")
    evidence.measure("other_rows_erased", erased.lost, limit=0, n=erased.before - erased.theirs, unit="rows")
    evidence.measure("training_rows_from_elsewhere", run.used.strange, limit=0, n=run.used.rows, unit="rows")
    if served is not None:
        evidence.measure("erased_requests_in_log", served.kept, limit=0, n=served.theirs, unit="rows")
        evidence.measure("other_requests_erased", served.lost, limit=0, unit="rows")
        evidence.measure("files_naming_erased_requests", len(served.left_in), limit=0, unit="files")
        evidence.measure("callers_in_log", len(served.callers), limit=0, unit="columns")
        evidence.measure("requests_refused", served.refused)
    evidence.measure("places_searched", search.places, n=len(run.stages))
    evidence.measure("megabytes_searched", search.bytes / 2**20, unit="MB")
    evidence.measure("forms_that_would_be_missed", len(run.blind), limit=0, unit="forms")
    evidence.measure("suspected_identifiers", sum(e.count for e in run.traces.identified if not e.certain))
    evidence.attach("where planted values turned up", _table(run, found))
    texts: list[str | bytes] = [advice(run, evidence.measurements), *evidence.blobs.values()]
    evidence.measure("planted_values_in_this_report", len(told(texts, run.planted.canaries).hits), limit=0)


def failures(evidence: Evidence) -> list[Measurement]:
    """Measurements that decide against the system; a search that would miss something decides nothing."""
    failed = [m for m in evidence.measurements if m.decides and m.verdict() is Verdict.FAILED]
    return [m for m in failed if m.name != "forms_that_would_be_missed"]


def leaks(run: PrivacyRun) -> tuple[Hit, ...]:
    """Canaries that turned up where the policy does not permit them; what chance finds too is no leak."""
    search = run.traces.search
    return tuple(
        hit
        for hit in search.hits.values()
        if hit.canary.name not in search.by_chance and not _permitted(run.policy, hit)
    )


def doubt(run: PrivacyRun, system: System) -> tuple[str, ReasonCode] | None:
    """Why nothing found does not mean that nothing is there, or None."""
    search = run.traces.search
    if run.blind:
        return f"the search would miss a planted value in {', '.join(run.blind[:_SHOWN])}", ReasonCode.WITHHELD
    if search.by_chance:
        names = ", ".join(sorted(search.by_chance)[:_SHOWN])
        return f"values shaped like those of {names} turn up by chance: run again", ReasonCode.WITHHELD
    if run.planted.untraceable:
        names = ", ".join(f"{c.table}.{c.column}" for c in run.planted.untraceable[:_SHOWN])
        reason = f"{names} is too narrow for a value that exists nowhere else: offer it as text, or as a wider number"
        return reason, ReasonCode.WITHHELD
    large = [each for each in search.unread if f"{MOST_BYTES >> 20} MB" in each]
    if large:
        return f"not everything was searched: {large[0]}", ReasonCode.WITHHELD
    if run.doubt is not None:
        return run.doubt, ReasonCode.WITHHELD
    if system.serving is not None and not may_experiment(system):
        reason = (
            "batch features and training show nothing, and no server was started to see what it logs: allow it with "
            "`experiments = true` outside production"
        )
        return reason, ReasonCode.NO_CONSENT
    return None


def advice(run: PrivacyRun, measurements: list[Measurement]) -> str:
    """What was seen, what is allowed, and what to do about it, one sentence for each kind of trouble."""
    failed = {m.name for m in measurements if m.failed}
    return "; ".join(sentence for name, sentence in _sentences(run) if name in failed)


def _sentences(run: PrivacyRun) -> Iterator[tuple[str, str]]:
    found, traces, served = leaks(run), run.traces, run.served
    if found:
        columns = list(dict.fromkeys(hit.canary.name for hit in found))
        shown = [f"{h.canary.name} {h.form} in {h.place}" for h in _one_each(found)]
        yield (
            "planted_columns_found",
            f"a value planted in {_few(columns)} came out of the pipeline ({'; '.join(shown[:_SHOWN])}), none may: "
            "select columns by name, log a keyed hash in place of the payload, or permit the place in the policy and "
            "say why",
        )
    if traces.exposed:
        shown = [each.sentence() for each in traces.exposed]
        yield (
            "files_open_to_anybody",
            f"{'; '.join(shown[:_SHOWN])}, no file may be that the policy does not declare public: write with mode "
            "0600, or in a folder of mode 0700",
        )
    yield "grants_to_anybody", f"the configuration grants everybody access ({_few(traces.grants)}): withdraw it"
    certain = [f"{each.count} of kind {each.kind} in {each.place}" for each in traces.identified if each.certain]
    yield (
        "undeclared_identifiers",
        f"personal data that the policy does not name came out of the pipeline ({_few(certain)}): drop the column, or "
        "declare where it comes from as sensitive or public",
    )
    yield (
        "erased_rows_learnt_from",
        f"{run.erased.kept} of {run.erased.theirs} training rows of subjects on the list of erasures are still "
        "learnt from, none may be: apply the list when the training rows are made",
    )
    yield (
        "other_rows_erased",
        f"subjects were put on the list of erasures and {run.erased.lost} training rows of others went, none may: "
        "match subjects exactly",
    )
    yield (
        "training_rows_from_elsewhere",
        f"{run.used.strange} of {run.used.rows} rows of the split `train` do not come out of training_rows(raw()), all "
        f"must ({run.used.listed} subjects are on the list of erasures): make the split on that very path",
    )
    if served is not None:
        yield (
            "erased_requests_in_log",
            f"{served.kept} of {served.theirs} requests of a subject are still in the log after erase(subject), none "
            "may be: delete them from every log",
        )
        yield (
            "other_requests_erased",
            f"erase(subject) took {served.lost} requests of others out of the log, none may go: match subjects exactly",
        )
        yield (
            "files_naming_erased_requests",
            f"{_few(served.left_in)} still names requests of a subject that was erased, no file may: erase there too",
        )
        yield (
            "callers_in_log",
            f"the log holds the network address of whoever asked (column {_few(served.callers)}), none may: drop it",
        )
    yield "planted_values_in_this_report", "a planted value stands in this report: report the defect to the harness"


def _permitted(policy: PrivacyPolicy, hit: Hit) -> bool:
    place = hit.place.partition("!")[0]
    return any(
        permission.column == hit.canary.column and any(fnmatch(place, pattern) for pattern in permission.places)
        for permission in policy.permitted
    )


def _one_each(found: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """One hit for each place, so that a sentence names many places and not many columns."""
    return tuple({hit.place: hit for hit in reversed(found)}.values())[::-1]


def _few(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _table(run: PrivacyRun, found: tuple[Hit, ...]) -> str:
    rows = [{"column": hit.canary.name, "place": hit.place, "form": hit.form} for hit in found[:200]]
    nothing = {"column": "all planted columns", "place": f"none of {run.traces.search.places} places", "form": ""}
    stages = {"column": "stages that ran", "place": ", ".join(run.stages), "form": ""}
    refused = {"column": "new columns", "place": "the pipeline refuses raw tables that have them", "form": ""}
    return json.dumps([*(rows or [nothing]), stages, *([refused] if run.refused else [])])
