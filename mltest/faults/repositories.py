"""A repository with one aspect exchanged; everything else is passed on to the part that it wraps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mltest.faults.fault import NotApplicable
from mltest.probes import tree_copy
from mltest.system import System

Change = Callable[[Any], Any]


@dataclass(frozen=True)
class ExchangedRepository:
    """`moved` is another root; `lists` changes what the methods of those names return, `values` plain attributes."""

    inner: Any
    moved: Path | None = None
    lists: tuple[tuple[str, Change], ...] = ()
    values: tuple[tuple[str, Any], ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name == "inner" or name.startswith("__"):
            raise AttributeError(name)
        values, lists = dict(self.values), dict(self.lists)
        if name == "root" and self.moved is not None:
            return self.moved
        found = getattr(self.inner, name)
        if name in values:
            return values[name]
        if name in lists and callable(found):
            return lambda *args, **kwargs: lists[name](found(*args, **kwargs))
        return found


def offered(system: System, name: str) -> Any:
    """What the repository offers under a name. Raises NotApplicable when it does not."""
    found = getattr(system.repository, name, None)
    if found is None:
        raise NotApplicable(f"{system.name} offers no {name} in its repository")
    return found() if callable(found) else found


def moved_copy(system: System, workdir: Path) -> tuple[Path, System]:
    """A copy of the tree in `workdir`, and the system whose repository lies there."""
    root = workdir / "tree"
    tree_copy.copy(Path(offered(system, "root")).resolve(), root.resolve())
    return root, system.with_parts(repository=ExchangedRepository(system.repository, moved=root))


def every_list(inner: Any, change: Callable[[Sequence[Any]], Sequence[Any]]) -> ExchangedRepository:
    """The repository with every list that it gives passed through one change."""
    names = (name for name in dir(inner) if not name.startswith("_") and callable(getattr(inner, name)))
    return ExchangedRepository(inner, lists=tuple((name, lambda given: _changed(given, change)) for name in names))


def _changed(given: Any, change: Callable[[Sequence[Any]], Sequence[Any]]) -> Any:
    return change(tuple(given)) if isinstance(given, Sequence) and not isinstance(given, str | bytes) else given
