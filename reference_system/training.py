"""Trains the net on a feature table and exports it: same rows, configuration and seed, same bytes (on a CPU)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from reference_system import artifact, catalogue, digest, encoding, evaluation, export
from reference_system.artifact import Artifact
from reference_system.config import TrainingConfig
from reference_system.device import choose
from reference_system.encoding import Encoding
from reference_system.loss import pinball
from reference_system.net import Architecture, QuantileNet
from reference_system.runtime import Predictor

logger = logging.getLogger(__name__)

TIME = "pushed_back_at"
ORDER = (TIME, "flight_id")


class TrainingError(RuntimeError):
    """A training that must not give a model: no rows to learn from, or a loss that is no longer a number."""


@dataclass(frozen=True)
class _Rows:
    """Training rows as tensors on one device: numbers (n, f), codes (n, c), target (n,)."""

    numbers: torch.Tensor
    codes: torch.Tensor
    target: torch.Tensor


def train(
    table: pa.Table,
    *,
    seed: int,
    config: TrainingConfig | Mapping[str, Any],
    workdir: Path,
    validation: pa.Table | None = None,
) -> Artifact:
    """Trains on all rows that have a target, and writes the artefact below `workdir`.

    A mapping as `config` overrides single keys of the shipped configuration. The result does not depend on the
    order of the rows. `validation` rows are only measured, never learned from. Raises ConfigError, InputError,
    TrainingError.
    """
    settings = config if isinstance(config, TrainingConfig) else TrainingConfig().overridden(config)
    inputs = settings.inputs or tuple(feature.name for feature in catalogue.FEATURES)
    rows = _labelled(_ordered(table), settings.target)
    encoded = encoding.fit(rows, inputs, nullable=_nullable(), minimum_category_rows=settings.minimum_category_rows)
    started = time.perf_counter()
    net, architecture, loss = _fit(rows, encoded, settings, seed)
    until = pc.max(rows.column(TIME)).as_py().isoformat() if TIME in rows.column_names else None
    effective = settings.overridden({"inputs": inputs}).as_mapping()
    described = {"config": effective, "seed": seed, "trained_until": until}
    model = export.to_onnx(net, encoded, architecture, described)
    metrics = {"train_rows": float(rows.num_rows), "unlabelled_rows": float(table.num_rows - rows.num_rows)}
    metrics["train_loss"] = loss
    if validation is not None:
        metrics.update(evaluation.measure(Predictor(model, version="candidate"), validation, settings.target))
    origin = artifact.Origin(
        seed=seed,
        data_digest=digest.of_table(rows, [*inputs, settings.target]),
        environment=digest.environment(),
        trained_until=until,
    )
    made = artifact.write(workdir, model, config=effective, metrics=metrics, origin=origin)
    logger.info("trained %s on %d rows in %.1f s", made.version, rows.num_rows, time.perf_counter() - started)
    return made


def _nullable() -> frozenset[str]:
    return frozenset(feature.name for feature in catalogue.FEATURES if feature.nullable)


def _ordered(table: pa.Table) -> pa.Table:
    keys = [(name, "ascending") for name in ORDER if name in table.column_names]
    return table.sort_by(keys) if keys else table


def _labelled(table: pa.Table, target: str) -> pa.Table:
    values = encoding.number_values(encoding.column_of(table, target), target)
    known = table.filter(pa.array(~np.isnan(values)))
    if known.num_rows < 2:
        raise TrainingError(f"{known.num_rows} rows have a value in {target!r}: give the training more rows")
    return known


def _fit(
    rows: pa.Table, encoded: Encoding, config: TrainingConfig, seed: int
) -> tuple[QuantileNet, Architecture, float]:
    device = choose(config.device)
    target = encoding.number_values(rows.column(config.target), config.target)
    architecture = Architecture(config.hidden, config.dropout, float(np.median(target)), float(target.std()) or 1.0)
    with _reproducible(seed, config.threads):
        net = QuantileNet(encoded, architecture).to(device)
        tensors = _Rows(
            torch.from_numpy(encoding.number_matrix(rows, encoded)).float().to(device),
            torch.from_numpy(encoding.code_matrix(rows, encoded)).to(device),
            torch.tensor(target, dtype=torch.float32, device=device),
        )
        loss = _descend(net, tensors, config)
    return net, architecture, loss


def _descend(net: QuantileNet, rows: _Rows, config: TrainingConfig) -> float:
    """Runs all epochs and returns the mean loss of the last one, in minutes."""
    count = rows.target.shape[0]
    size = min(config.batch_size, count)
    steps = -(-count // size)
    optimiser = torch.optim.AdamW(
        net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, foreach=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=config.learning_rate, total_steps=steps * config.epochs
    )
    quantiles = torch.tensor(config.quantiles, device=rows.target.device)
    mean = float("nan")
    net.train()
    for epoch in range(1, config.epochs + 1):
        total = torch.zeros((), device=rows.target.device)
        order = torch.randperm(count).to(rows.target.device)
        for batch in torch.split(order, size):
            optimiser.zero_grad(set_to_none=True)
            loss = pinball(net(rows.numbers[batch], rows.codes[batch]), rows.target[batch], quantiles)
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            total += loss.detach() * batch.shape[0]
        mean = float(total) / count
        if not np.isfinite(mean):
            raise TrainingError(f"the loss of epoch {epoch} is {mean}: lower learning_rate or check the inputs")
        logger.info("epoch %d of %d: pinball loss %.3f min", epoch, config.epochs, mean)
    return mean


@contextmanager
def _reproducible(seed: int, threads: int) -> Iterator[None]:
    """Fixes every source of chance, and gives back what it changed."""
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    cuda = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True, warn_only=bool(cuda))
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
