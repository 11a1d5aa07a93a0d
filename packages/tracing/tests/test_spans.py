"""Spans, as a collector receives them."""

import time

from fixtures.collector import Collector
from sector.tracing import connect


def test_spans_have_their_parents_times_and_attributes() -> None:
    with Collector() as collector:
        tracer = connect(collector.url, "sector-test", "here")
        root = tracer.begin("root", "", None, {"at": "first", "count": 3})
        child = tracer.begin("child", root.traceparent, 1_000_000_007, {})
        child.end({"more": 1}, 2_000_000_009, "it went wrong")
        root.end({}, None)
        tracer.close()
        child_span, root_span = collector.spans
    assert (root_span.name, root_span.service, root_span.parent, root_span.failed) == ("root", "sector-test", "", False)
    assert root_span.attributes == {"at": "first", "count": 3}
    assert abs(root_span.ended_ns / 1e9 - time.time()) < 60
    assert root.traceparent == f"00-{root_span.trace}-{root_span.id}-01"
    assert (child_span.trace, child_span.parent, child_span.failed) == (root_span.trace, root_span.id, True)
    assert (child_span.began_ns, child_span.ended_ns, child_span.attributes) == (
        1_000_000_007,
        2_000_000_009,
        {"more": 1},
    )


def test_the_url_may_have_the_path_of_traces() -> None:
    with Collector() as collector:
        for url in (f"{collector.url}/v1/traces", f"{collector.url}/"):
            tracer = connect(url, "sector-test", "here")
            tracer.begin("one", "", None, {}).end({}, None)
            tracer.close()
        assert len(collector.spans) == 2
