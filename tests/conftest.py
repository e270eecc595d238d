"""Settings of the whole suite."""

import signal
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every run: a failure here is a failure everywhere.
settings.register_profile(
    "l1l2fast",
    derandomize=True,
    deadline=None,
    max_examples=50,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("l1l2fast")

LIMIT = 60  # seconds for one test; none takes more than a few

# A wheel is tested away from its sources: what reads the source tree is not collected there.
collect_ignore = [] if (Path(__file__).parents[1] / "src").is_dir() else ["test_layers.py"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A solve that never ends fails its test after a minute, instead of holding up the others (POSIX)."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return (yield)

    def late(signum, frame):
        raise TimeoutError(f"{item.name} takes more than {LIMIT} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
