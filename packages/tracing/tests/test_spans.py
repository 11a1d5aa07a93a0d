"""Spans, as a collector gets them."""

import time

from fixtures.collector import Collector
from sector.tracing import connect


def test_spans_come_with_their_parents_times_and_what_is_told_of_them() -> None:
    with Collector() as collector:
        tracer = connect(collector.url, "sector-test", "here")
        root = tracer.begin("root", "", None, {"at": "first", "count": 3})
        child = tracer.begin("child", root.traceparent, 1_000_000_007, {})
        child.end({"more": 1}, 2_000_000_009, "it went wrong")
        root.end({}, None)
        tracer.close()
        told, whole = collector.spans
    assert (whole.name, whole.service, whole.parent, whole.failed) == ("root", "sector-test", "", False)
    assert whole.attributes == {"at": "first", "count": 3}
    assert abs(whole.ended_ns / 1e9 - time.time()) < 60
    assert root.traceparent == f"00-{whole.trace}-{whole.id}-01"
    assert (told.trace, told.parent, told.failed) == (whole.trace, whole.id, True)
    assert (told.began_ns, told.ended_ns, told.attributes) == (1_000_000_007, 2_000_000_009, {"more": 1})


def test_the_path_may_be_told_with_the_collector() -> None:
    with Collector() as collector:
        for url in (f"{collector.url}/v1/traces", f"{collector.url}/"):
            tracer = connect(url, "sector-test", "here")
            tracer.begin("one", "", None, {}).end({}, None)
            tracer.close()
        assert len(collector.spans) == 2
