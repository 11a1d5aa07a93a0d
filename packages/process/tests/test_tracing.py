"""Which requests are traced: so many a second, and only where the caller does not mind."""

import subprocess
import sys

import pytest

from fixtures.processes import environment
from sector.process.tracing import Attributes, Traces

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Begun:
    """Remembers what was begun, and is every span that comes of it."""

    traceparent = CALLER

    def __init__(self) -> None:
        self.parents: list[str] = []

    def begin(self, name: str, parent: str, began_ns: int | None, attributes: Attributes) -> "Begun":
        self.parents.append(parent)
        return self

    def end(self, attributes: Attributes, ended_ns: int | None, fault: str = "") -> None:
        """Nothing is told."""

    def close(self) -> None:
        """Nothing is left."""


def test_without_a_collector_nothing_is_traced() -> None:
    assert Traces().begin("any", CALLER, {}) is None
    assert Traces().note("any", CALLER, 1, 2, {}) == ""


def test_no_more_are_begun_than_a_second_allows_whatever_the_caller_says() -> None:
    begun = Begun()
    traces = Traces(begun, a_second=0.01)
    for _ in range(1000):
        traces.begin("any", CALLER, {})
    assert begun.parents == [CALLER]


def test_what_others_began_is_noted_however_many_there_are() -> None:
    begun = Begun()
    traces = Traces(begun, a_second=0.01)
    for _ in range(100):
        assert traces.note("any", CALLER, 1, 2, {}) == CALLER
    assert len(begun.parents) == 100


@pytest.mark.parametrize(
    "said",
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
def test_a_caller_that_says_nothing_to_go_on_from_gets_a_trace_of_its_own(said: str) -> None:
    begun = Begun()
    assert Traces(begun, a_second=1000).begin("any", said, {}) is not None
    assert begun.parents == [""]
    assert Traces(begun, a_second=1000).note("any", said, 1, 2, {}) == "", "what has no parent is nobody's"


def test_a_caller_that_does_not_trace_is_not_traced() -> None:
    begun = Begun()
    assert Traces(begun, a_second=1000).begin("any", CALLER.removesuffix("1") + "0", {}) is None
    assert not begun.parents


def test_a_collector_without_the_extra_is_a_wrong_setting() -> None:
    script = (
        "import sys; sys.modules['sector.tracing'] = None; from sector.process.tracing import Traces;"
        "from sector.process import TracedSettings; Traces.of(TracedSettings(), 'sector-api')"
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
