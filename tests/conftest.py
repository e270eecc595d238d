"""Settings of the whole suite."""

from pathlib import Path

from hypothesis import HealthCheck, settings

# The same examples on every run: a failure here is a failure everywhere.
settings.register_profile("l1l2fast", derandomize=True, deadline=None, max_examples=50, database=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("l1l2fast")

# A wheel is tested away from its sources: what reads the source tree is not collected there.
collect_ignore = [] if (Path(__file__).parents[1] / "src").is_dir() else ["test_layers.py"]
