"""The command line: train a model, serve it, ask it. It needs no test plugin."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Arrival times of flights out of New York, predicted at push-back: train, serve, predict.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Home = Annotated[Path, typer.Option(help="Folder for models, features, registry and logs.")]
Data = Annotated[Path | None, typer.Option(help="Folder of raw tables; the bundled year by default.")]
Origins = Annotated[list[str] | None, typer.Option("--origin", help="Only this airport; may be repeated.")]
AsOf = Annotated[str | None, typer.Option(help="What is known: everything before this instant (ISO, with offset).")]
Version = Annotated[str | None, typer.Option(help="A registered version; the champion by default.")]

HOME = Path(".reference_system")
END_OF_YEAR = datetime(2014, 1, 1, 12, tzinfo=UTC)


@app.command()
def train(
    home: Home = HOME,
    preset: Annotated[str, typer.Option(help="full (all airports) or sample (LGA, in seconds).")] = "full",
    seed: Annotated[int, typer.Option(help="Everything left to chance follows from it.")] = 0,
    data: Data = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs instead of the preset's.")] = None,
    track: Annotated[bool, typer.Option(help="Record the run in MLflow and the rows in Delta Lake.")] = True,
) -> None:
    """Train on January to August, judge on September and October, and promote what the gate accepts."""
    with _plain_errors():
        from dataclasses import replace

        from reference_system import config, pipeline, raw

        chosen = config.preset(preset)
        if epochs is not None:
            chosen = replace(chosen, config=chosen.config.overridden({"epochs": epochs}))
        outcome = pipeline.run(home, raw.load(data, origins=chosen.origins), chosen, seed=seed, track=track)
        metrics = outcome.artifact.metrics
        typer.echo(f"version   {outcome.artifact.version}")
        typer.echo(f"digest    {outcome.artifact.digest}")
        typer.echo(f"error     {metrics['validation_mae']:.2f} min on {metrics['validation_rows']:,.0f} later flights")
        typer.echo(f"coverage  {metrics['validation_coverage']:.1%} of outcomes between p10 and p90")
        if not outcome.judgement.accepted:
            typer.echo(f"refused   {'; '.join(outcome.judgement.reasons)}", err=True)
            raise typer.Exit(1)
        typer.echo("accepted  champion")


@app.command()
def tune(
    home: Home = HOME,
    preset: Annotated[str, typer.Option(help="full (all airports) or sample (LGA).")] = "full",
    trials: Annotated[int, typer.Option(help="Trials, the shipped configuration first.")] = 24,
    every: Annotated[int, typer.Option(help="Learn from every so many days.")] = 2,
    seed: Annotated[int, typer.Option(help="Where the sampler starts.")] = 0,
    data: Data = None,
    keep: Annotated[bool, typer.Option(help="Keep the record beside the configuration.")] = False,
) -> None:
    """Search hyperparameters on the validation months, and say which configuration the best trial leads to."""
    with _plain_errors():
        from reference_system import config, feature_cache, raw, tuning

        chosen = config.preset(preset)
        table = feature_cache.load(home, raw.load(data, origins=chosen.origins))
        record = tuning.search(home, table, chosen, trials=trials, every=every, seed=seed)
        path = tuning.write(record, tuning.FOLDER if keep else home / "tuned")
        typer.echo(f"shipped   {record.trials[0]['value']:.4f} min")
        typer.echo(f"best      {record.best['value']:.4f} min with {dict(record.led_to)}")
        typer.echo(f"record    {path}")


@app.command()
def serve(
    home: Home = HOME,
    version: Version = None,
    as_of: AsOf = None,
    data: Data = None,
    origins: Origins = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for any free one.")] = 8000,
    port_file: Annotated[Path | None, typer.Option(help="Write the port here once it is open.")] = None,
    logs: Annotated[Path | None, typer.Option(help="Folder of the request log.")] = None,
    until_stdin_closes: Annotated[bool, typer.Option(help="Stop when standard input ends.")] = False,
) -> None:
    """Serve the champion over HTTP: POST /predict, POST /events, GET /health, /ready and /metrics."""
    with _plain_errors():
        from reference_system.server_process import ServerOptions
        from reference_system.server_process import serve as serve_until_stopped

        serve_until_stopped(
            ServerOptions(
                home, _instant(as_of), version, data, origins or None, host, port, port_file, logs, until_stdin_closes
            )
        )


@app.command()
def predict(
    flight: Annotated[
        Path | None, typer.Argument(help="JSON of one flight or of {flights: [...]}; else stdin.")
    ] = None,
    home: Home = HOME,
    version: Version = None,
    as_of: AsOf = None,
    data: Data = None,
    origins: Origins = None,
) -> None:
    """Answer flights once, without a server; features see what was known at each push-back."""
    with _plain_errors():
        from reference_system import flight_request
        from reference_system.server_process import ServerOptions, load_service

        asked, many = flight_request.parse(flight.read_bytes() if flight else sys.stdin.buffer.read())
        options = ServerOptions(home, _instant(as_of), version, data, origins or None)
        answers = [answer.as_mapping() for answer in load_service(options).predict([f.model_dump() for f in asked])]
        typer.echo(json.dumps(answers if many else answers[0], indent=2))


def _instant(text: str | None) -> datetime:
    if text is None:
        return END_OF_YEAR + timedelta(days=1)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"--as-of {text}: add an offset from UTC, such as {text}+00:00")
    return moment


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Turns the errors that a user can mend into one line and exit status 2; progress goes to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("reference_system").setLevel(logging.INFO)
    try:
        yield
    except (ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
