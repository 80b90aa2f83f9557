"""What was trained, with what and how well: one run in MLflow, on a SQLite file, without a server."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reference_system import artifact
from reference_system.artifact import Artifact

EXPERIMENT = "eta"
DATABASE = "mlflow.db"
LONGEST_PARAMETER = 500


def record(home: Path, trained: Artifact, tags: Mapping[str, str]) -> str:
    """Writes one run with parameters, metrics and tags to `home`/mlflow.db, and returns its id.

    The metrics that are not numbers are left out of the run and named in its tag `not_a_number`.
    """
    client = _client(home)
    found = client.get_experiment_by_name(EXPERIMENT)
    experiment = found.experiment_id if found else client.create_experiment(EXPERIMENT)
    run = str(client.create_run(experiment, run_name=trained.version).info.run_id)
    manifest = artifact.manifest_of(trained.path)
    described = {**trained.config, "seed": manifest["seed"]}
    for name, value in described.items():
        client.log_param(run, name, str(value)[:LONGEST_PARAMETER])
    for name, number in trained.metrics.items():
        if math.isfinite(number):
            client.log_metric(run, name, number)
    unknown = ",".join(name for name, number in trained.metrics.items() if not math.isfinite(number))
    held = {"digest": trained.digest, "data_digest": manifest["data_digest"], "not_a_number": unknown, **tags}
    for name, text in held.items():
        client.set_tag(run, name, text)
    client.set_terminated(run)
    return run


def runs(home: Path) -> list[dict[str, Any]]:
    """All recorded runs, newest first: id, parameters, metrics and tags."""
    client = _client(home)
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        return []
    return [
        {"id": run.info.run_id, "params": run.data.params, "metrics": run.data.metrics, "tags": run.data.tags}
        for run in client.search_runs([found.experiment_id])
    ]


def _client(home: Path) -> Any:
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    home.mkdir(parents=True, exist_ok=True)
    from mlflow import MlflowClient

    # Creating the database reports some thirty migrations at level INFO.
    for chatty in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return MlflowClient(f"sqlite:///{(home / DATABASE).resolve()}")
