"""Which requests are traced: a limited number per second, and only if the caller allows it."""

import subprocess
import sys

import pytest

from fixtures.processes import environment
from sector.process.tracing import Attributes, Traces

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class TracerStub:
    """A tracer that records the parents of its spans. It is its own span."""

    traceparent = CALLER

    def __init__(self) -> None:
        self.parents: list[str] = []

    def begin(self, name: str, parent: str, began_ns: int | None, attributes: Attributes) -> "TracerStub":
        self.parents.append(parent)
        return self

    def end(self, attributes: Attributes, ended_ns: int | None, error: str = "") -> None:
        """Send nothing."""

    def close(self) -> None:
        """Send nothing."""


def test_without_a_collector_nothing_is_traced() -> None:
    assert Traces().begin("any", CALLER, {}) is None
    assert Traces().record("any", CALLER, 1, 2, {}) == ""


def test_the_rate_of_traces_is_limited() -> None:
    tracer = TracerStub()
    traces = Traces(tracer, max_per_second=0.01)
    for _ in range(1000):
        traces.begin("any", CALLER, {})
    assert tracer.parents == [CALLER]


def test_spans_of_existing_traces_are_not_limited() -> None:
    tracer = TracerStub()
    traces = Traces(tracer, max_per_second=0.01)
    for _ in range(100):
        assert traces.record("any", CALLER, 1, 2, {}) == CALLER
    assert len(tracer.parents) == 100


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        CALLER + "-more",
        CALLER.upper(),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        "ff" + CALLER[2:],
    ],
)
def test_an_invalid_traceparent_begins_a_new_trace(traceparent: str) -> None:
    tracer = TracerStub()
    assert Traces(tracer, max_per_second=1000).begin("any", traceparent, {}) is not None
    assert tracer.parents == [""]
    assert (
        Traces(tracer, max_per_second=1000).record("any", traceparent, 1, 2, {}) == ""
    ), "a span without a parent is not recorded"


def test_a_request_of_an_untraced_caller_is_not_traced() -> None:
    tracer = TracerStub()
    assert Traces(tracer, max_per_second=1000).begin("any", CALLER.removesuffix("1") + "0", {}) is None
    assert not tracer.parents


def test_a_collector_without_sector_tracing_is_a_wrong_setting() -> None:
    script = (
        "import sys; sys.modules['sector.tracing'] = None; from sector.process.tracing import Traces;"
        "from sector.process import TracedSettings; Traces.from_settings(TracedSettings(), 'sector-api')"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(TRACES_URL="http://127.0.0.1:4318"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("wrong setting TRACES_URL='http://127.0.0.1:4318': sector.tracing is not installed")
