"""What every process of a run needs to be told before it imports anything heavy."""

import os

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"
os.environ["GX_ANALYTICS_ENABLED"] = "false"
# Threads of OpenMP that wait for a busy core spin: two workers with two threads each are slower than with one each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
