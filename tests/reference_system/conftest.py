"""Made-up flights of the shape of the feature table: small, and with an outcome that a net can learn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from reference_system import config, pipeline, raw, training
from reference_system.artifact import Artifact

INPUTS = ("distance", "departure_delay", "plane_age", "carrier", "dest")
BEGIN = datetime(2013, 1, 1, tzinfo=UTC)


def made_up_flights(rows: int, *, seed: int = 0, begin: datetime = BEGIN, days: int = 50) -> pa.Table:
    """Flights spread over `days`; every tenth plane has no known age, and every 97th flight never arrived."""
    chance = np.random.default_rng(seed)
    moments = [begin + timedelta(seconds=int(second)) for second in np.linspace(0, days * 86_400 - 1, rows)]
    distance = chance.uniform(100, 2_500, rows)
    delay = chance.gamma(1.0, 20.0, rows)
    age = np.where(np.arange(rows) % 10 == 0, np.nan, chance.uniform(0, 30, rows))
    carrier = chance.choice(["AA", "B6", "UA"], rows)
    dest = chance.choice(["ATL", "BOS", "LAX", "ORD"], rows)
    gained = 0.008 * distance - 0.3 * delay + 12.0 * (dest == "LAX") - 8.0 * (carrier == "B6")
    outcome = gained + chance.normal(0, 4 + distance / 500, rows)
    outcome[::97] = np.nan
    return pa.table(
        {
            "flight_id": [f"{moment:%Y-%m-%d}-{index:06d}" for index, moment in enumerate(moments)],
            "pushed_back_at": pa.array(moments, pa.timestamp("us", "UTC")),
            "day": [f"{moment:%Y-%m-%d}" for moment in moments],
            "distance": distance,
            "departure_delay": delay,
            "plane_age": pa.array(age, from_pandas=True),
            "carrier": carrier.tolist(),
            "dest": dest.tolist(),
            "block_deviation": pa.array(outcome, from_pandas=True),
        }
    )


@pytest.fixture(scope="session")
def flights() -> pa.Table:
    return made_up_flights(5_000)


@pytest.fixture(scope="session")
def later_flights() -> pa.Table:
    return made_up_flights(3_000, seed=1, begin=BEGIN + timedelta(days=60), days=60)


@pytest.fixture
def quick() -> dict[str, Any]:
    return {"inputs": INPUTS, "epochs": 3, "batch_size": 256, "learning_rate": 1e-2}


@pytest.fixture(scope="session")
def trained(flights: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return train_quickly(flights, tmp_path_factory.mktemp("trained"))


def train_quickly(table: pa.Table, workdir: Path, *, seed: int = 7, **changes: Any) -> Artifact:
    config = {"inputs": INPUTS, "epochs": 3, "batch_size": 256, "learning_rate": 1e-2, **changes}
    return training.train(table, seed=seed, config=config, workdir=workdir)


@pytest.fixture(scope="session")
def quick_training() -> Any:
    return train_quickly


@pytest.fixture(scope="session")
def flights_of() -> Any:
    return made_up_flights


@pytest.fixture(scope="session")
def raw_sample() -> dict[str, pa.Table]:
    """Real flights from LGA to three destinations: enough for a whole run in seconds."""
    tables = dict(raw.load(origins=("LGA",)))
    few = pa.array(["ATL", "MIA", "ORD"])
    tables["flights"] = tables["flights"].filter(pc.is_in(tables["flights"]["dest"], value_set=few))
    return tables


@pytest.fixture(scope="session")
def run_of_the_sample(
    raw_sample: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, pipeline.Outcome]:
    """A home with a champion, and what the run that made it gave."""
    home = tmp_path_factory.mktemp("home")
    return home, pipeline.run(home, raw_sample, config.preset("sample"), seed=0, track=False)
