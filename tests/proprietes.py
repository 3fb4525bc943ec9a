"""How Hypothesis runs here: the same examples each time, and no stopwatch on a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "maison",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("maison")
