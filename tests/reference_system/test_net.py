from __future__ import annotations

import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_system import encoding, training
from reference_system.config import TrainingConfig
from reference_system.loss import pinball
from reference_system.net import Architecture, QuantileNet, embedding_width

LEVELS = torch.tensor([0.1, 0.5, 0.9])


def made(hidden: tuple[int, ...], dropout: float) -> QuantileNet:
    torch.manual_seed(0)
    table = pa.table({"distance": [100.0, 900.0, None], "carrier": ["AA", "B6", "UA"]})
    found = encoding.fit(table, table.column_names, nullable=(), minimum_category_rows=1)
    return QuantileNet(found, Architecture(hidden, dropout, location=-4.0, spread=18.0))


@pytest.fixture
def net() -> QuantileNet:
    return made((16, 8), 0.1)


def batch(rows: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(1)
    numbers = torch.rand(rows, 1, generator=chance) * 1000
    codes = torch.randint(0, 4, (rows, 1), generator=chance)
    return numbers, codes, torch.randn(rows, generator=chance) * 20


def test_quantiles_have_one_row_a_flight_and_do_not_cross(net: QuantileNet) -> None:
    numbers, codes, _ = batch(64)
    quantiles = net.eval()(numbers, codes)
    assert quantiles.shape == (64, 3)
    assert (quantiles.diff(dim=1) >= 0).all()


def test_dropout_acts_in_training_only(net: QuantileNet) -> None:
    numbers, codes, _ = batch(64)
    assert not torch.equal(net.train()(numbers, codes), net(numbers, codes))
    assert torch.equal(net.eval()(numbers, codes), net(numbers, codes))


def test_a_gradient_reaches_every_parameter(net: QuantileNet) -> None:
    numbers, codes, target = batch(256)
    torch.autograd.backward(pinball(net.train()(numbers, codes), target, LEVELS))
    without = [name for name, value in net.named_parameters() if value.grad is None or not value.grad.abs().sum() > 0]
    assert without == []


def test_the_net_can_learn_32_flights_by_heart() -> None:
    net = made((128, 64), 0.0)
    numbers, codes, target = batch(32)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2)
    before = pinball(net.eval()(numbers, codes), target, LEVELS).item()
    net.train()
    for _ in range(400):
        optimiser.zero_grad()
        torch.autograd.backward(pinball(net(numbers, codes), target, LEVELS))
        optimiser.step()
    assert pinball(net.eval()(numbers, codes), target, LEVELS).item() < 0.4 * before


def test_pinball_equals_its_definition_on_paper() -> None:
    loss = pinball(torch.tensor([[0.0, 10.0, 10.0]]), torch.tensor([5.0]), LEVELS)
    assert loss.item() == pytest.approx((0.1 * 5 + 0.5 * 5 + 0.1 * 5) / 3)


@settings(max_examples=30)
@given(st.integers(2, 6))
def test_pinball_refuses_shapes_that_would_broadcast(rows: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        pinball(torch.zeros(rows, 3), torch.zeros(rows, 1), LEVELS)
    with pytest.raises(ValueError, match="does not fit"):
        pinball(torch.zeros(rows, 1), torch.zeros(rows), LEVELS)


def test_the_pinball_loss_is_least_at_the_quantile() -> None:
    target = torch.arange(1001, dtype=torch.float32)
    losses = {
        guess: pinball(torch.full((1001, 1), float(guess)), target, torch.tensor([0.9])).item()
        for guess in (800, 900, 950)
    }
    assert min(losses, key=losses.__getitem__) == 900


def test_large_vocabularies_get_wider_embeddings_up_to_a_limit() -> None:
    assert [embedding_width(size) for size in (2, 4, 17, 106)] == [1, 2, 9, 10]


def test_epochs_of_training_lower_the_loss(flights: pa.Table, quick_training: object, tmp_path) -> None:
    losses = [
        training.train(
            flights,
            seed=3,
            config=TrainingConfig(inputs=("distance", "departure_delay", "carrier", "dest"), epochs=epochs),
            workdir=tmp_path,
        ).metrics["train_loss"]
        for epochs in (1, 10)
    ]
    assert losses[1] < losses[0]
