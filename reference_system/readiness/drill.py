"""How a feature is added to this system: one declaration, from which the catalogue, both paths and the model follow."""

from __future__ import annotations

from mltest.offers.drill import FeatureDrill, Insertion

FEATURE = "drill_departures_5min"
DECLARATION = f'''    WindowFeature(
        "{FEATURE}",
        "departures",
        ("origin",),
        Span(before=5 * MINUTES),
        "count",
        description="push-backs at the origin in the last 5 minutes",
    ),
'''


def feature_drill() -> FeatureDrill:
    """A window feature more, tried on the small sample."""
    return FeatureDrill(
        feature=FEATURE,
        edits=(Insertion("reference_system/declarations.py", after="CONGESTION = (\n", text=DECLARATION),),
        source="reference_system.readiness:sample",
        config={"epochs": 3, "batch_size": 128},
        libraries=("duckdb", "onnxruntime", "onnx", "torch", "pyarrow.parquet", "pandas"),
    )
