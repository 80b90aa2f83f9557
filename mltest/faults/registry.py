"""The one door through which faults are registered, found again and applied.

    @mltest.fault("X-1", item="data.schema", seam="raw", doses=(1, 7, 30), must_catch=7)
    def miles_become_kilometres(system, dose, workdir):
        "The distance arrives in kilometres for the last `dose` days."
        return ...

A conftest, an installed package (entry point group `mltest.faults`, whose values are module names) and our own
modules all come through it. In another process a `FaultRef` is resolved by importing its module, or by loading
the file that registers it.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mltest.faults import liveness
from mltest.faults.discovery import BUILTIN, entry_point_modules, import_module, portable_name
from mltest.faults.fault import SEAMS, Alive, Apply, Fault, FaultError, Kind, NotApplicable
from mltest.system import PARTS, FaultRef, System

_registered: dict[str, Fault] = {}
_origins: dict[str, tuple[str, str]] = {}


def fault(
    id: str,
    *,
    item: str,
    seam: str,
    doses: Sequence[float] = (1,),
    must_catch: float | None = None,
    alive: Alive | None = None,
    parts: Sequence[str] = (),
    why: str = "",
    kind: Kind = "fault",
    evidence_removal: bool = False,
) -> Callable[[Apply], Apply]:
    """Registers the decorated function as a fault; the first line of its docstring is the summary.

    Without `must_catch` the highest dose must be caught; without `alive` any visible change of the data, the model
    or the training proves life. `parts` names what a system has to offer. Raises FaultError for a wrong declaration.
    """

    def register(function: Apply) -> Apply:
        _add(
            Fault(
                id=id,
                item=item,
                seam=seam,
                doses=tuple(float(d) for d in doses),
                must_catch=float(doses[-1] if must_catch is None and doses else must_catch or 0.0),
                summary=_summary(function),
                why=why,
                apply=function,
                alive=alive or liveness.anything_changed,
                module=portable_name(function),
                kind=kind,
                evidence_removal=evidence_removal,
                parts=tuple(parts),
            ),
            function,
        )
        return function

    return register


def twin(
    of: str,
    *,
    id: str | None = None,
    seam: str | None = None,
    doses: Sequence[float] = (1,),
    alive: Alive | None = None,
    parts: Sequence[str] | None = None,
    why: str = "",
) -> Callable[[Apply], Apply]:
    """Registers a harmless change that looks like the fault `of`, which must be registered first.

    Its id is `of` with `.twin` unless another is given; item, seam and parts are those of the fault. The highest
    dose is the one that every item must bear quietly. Raises FaultError for a wrong declaration.
    """

    def register(function: Apply) -> Apply:
        original = _registered.get(of)
        if original is None:
            raise FaultError(f"twin {function.__name__!r}: no fault {of!r} is registered: register the fault first")
        fault(
            id or f"{of}.twin",
            item=original.item,
            seam=seam or original.seam,
            doses=doses,
            alive=alive or original.alive,
            parts=original.parts if parts is None else parts,
            why=why,
            kind="twin",
        )(function)
        name = id or f"{of}.twin"
        _registered[name] = replace(_registered[name], twin_of=of)
        return function

    return register


def registered() -> tuple[Fault, ...]:
    """Every fault known to this process: ours, those of installed packages, and those registered so far."""
    for module in (*BUILTIN, *entry_point_modules()):
        import_module(module)
    return tuple(_registered.values())


def find(fault_id: str) -> Fault:
    """The fault of that id. Raises FaultError that suggests the nearest one."""
    if fault_id not in _registered:
        registered()
    if fault_id in _registered:
        return _registered[fault_id]
    raise FaultError(_unknown(fault_id))


def parse(text: str) -> FaultRef:
    """Reads `ID`, `ID=DOSE` or `ID=DOSE@MODULE`. Without a dose it is the one that must be caught.

    Raises FaultError for a dose that is no number or is not on the fault's ladder.
    """
    head, _, module = text.partition("@")
    fault_id, equals, dose = head.partition("=")
    try:
        number = float(dose) if equals else math.nan
    except ValueError:
        raise FaultError(f"fault {text!r}: the dose {dose!r} is no number: write {fault_id}=1 for dose 1") from None
    if module:
        import_module(module)
    found = find(fault_id)
    ref = found.ref(number if equals else None)
    _require_dose(found, ref.dose)
    return replace(ref, module=module) if module else ref


def resolve(ref: FaultRef) -> Fault:
    """The fault that `ref` names, imported from its module or loaded from its file when this process lacks it.

    A reference without a module is looked up among ours and those of installed packages.
    """
    if ref.fault not in _registered and ref.module:
        import_module(ref.module)
        if ref.fault not in _registered:
            raise FaultError(f"fault {ref.fault!r} is not registered by {ref.module}: check the id and the module")
    found = find(ref.fault)
    _require_dose(found, dose_of(found, ref))
    return found


def dose_of(found: Fault, ref: FaultRef) -> float:
    """The dose that `ref` asks for; NaN stands for the one that must be caught."""
    return found.must_catch if math.isnan(ref.dose) else ref.dose


def apply_all(system: System, refs: Sequence[FaultRef], workdir: Path) -> System:
    """The system with every fault applied in turn, each with a folder of its own below `workdir`.

    Raises NotApplicable when the system lacks a part that a fault changes.
    """
    for ref in refs:
        found = resolve(ref)
        absent = found.missing(system)
        if absent:
            raise NotApplicable(f"fault {ref.fault!r} needs the part {absent[0]!r}, which {system.name} does not offer")
        dose = dose_of(found, ref)
        own = workdir / f"fault-{ref.fault.replace('/', '-')}-{dose:g}"
        own.mkdir(parents=True, exist_ok=True)
        system = found.apply(system, dose, own)
    return system


def _add(new: Fault, function: Apply) -> None:
    _require_declaration(new, function)
    origin = (inspect.getsourcefile(function) or new.module, function.__qualname__)
    if _origins.get(new.id, origin) != origin:
        where = _registered[new.id].module
        raise FaultError(f"fault {new.id!r} is registered twice, by {where} and by {new.module}: rename one")
    _registered[new.id] = new
    _origins[new.id] = origin


def _require_declaration(new: Fault, function: Apply) -> None:
    """One clear line for whatever is wrong with a declaration."""
    problem = None
    if not new.id or any(sign in new.id for sign in "=@, \n"):
        problem = "an id has at least one sign, and no '=', '@', comma or blank: rename it"
    elif not new.item:
        problem = "it names no item: give item='section.name'"
    elif new.seam not in SEAMS:
        problem = f"seam {new.seam!r} is none of {', '.join(SEAMS)}"
    elif any(part not in PARTS for part in new.parts):
        problem = f"parts {', '.join(new.parts)} must be among {', '.join(PARTS)}"
    elif not new.doses or any(d <= 0 or not math.isfinite(d) for d in new.doses):
        problem = "doses are positive numbers, at least one (dose 0 is always there)"
    elif list(new.doses) != sorted(set(new.doses)):
        problem = f"doses {_ladder(new)} must rise: sort them"
    elif new.must_catch not in new.doses:
        problem = f"must_catch={new.must_catch:g} is not among its doses {_ladder(new)}"
    elif not _takes_three(function):
        problem = f"its function {function.__name__} must take (system, dose, workdir)"
    elif not _is_function(new.alive):
        problem = "alive must be a function of (healthy, faulted) that returns a sentence"
    if problem:
        raise FaultError(f"fault {new.id!r}: {problem}")


def _takes_three(function: Apply) -> bool:
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError:
        return False
    return True


def _is_function(given: object) -> bool:
    return callable(given)


def _require_dose(found: Fault, dose: float) -> None:
    if dose != 0 and dose not in found.doses:
        raise FaultError(f"fault {found.id!r} has no dose {dose:g}: choose 0 or one of {_ladder(found)}")


def _ladder(of: Fault) -> str:
    return ", ".join(f"{dose:g}" for dose in of.doses)


def _summary(function: Apply) -> str:
    text = inspect.getdoc(function) or function.__name__.replace("_", " ")
    return text.splitlines()[0]


def _unknown(fault_id: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(fault_id, _registered, n=1, cutoff=0.4)
    hint = f": did you mean {near[0]}?" if near else ": give its module as ID=DOSE@MODULE"
    return f"no fault {fault_id!r} is registered{hint}"
