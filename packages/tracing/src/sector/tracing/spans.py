"""OpenTelemetry spans. Parents are traceparents (W3C Trace Context), and times are nanoseconds since 1970."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sector.process.tracing import Attributes, Span, Tracer

_QUEUE = 4096
_SEND_AFTER_MS = 1000
_SEND_WITHIN_S = 3.0
_PATH = "/v1/traces"
_propagator = TraceContextTextMapPropagator()


class OtlpSpan(Span):
    """A span that has started."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """Return the traceparent for children of this span, in any process."""
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-01"

    def end(self, attributes: Attributes, ended_ns: int | None, error: str = "") -> None:
        """End the span, now or at `ended_ns`. `error`: why the operation failed, or ""."""
        self._span.set_attributes(attributes)
        if error:
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, error))
        self._span.end(ended_ns)


class OtlpTracer(Tracer):
    """Creates spans and sends them to a collector."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("sector")

    def begin(self, name: str, parent: str, began_ns: int | None, attributes: Attributes) -> Span:
        """Start a span, now or at `began_ns`. `parent`: a traceparent; a new trace starts if it is empty or invalid."""
        context = _propagator.extract({"traceparent": parent})
        return OtlpSpan(self._tracer.start_span(name, context, attributes=attributes, start_time=began_ns))

    def close(self) -> None:
        """Send the queued spans that the collector accepts. It blocks for a few seconds at most."""
        self._provider.shutdown()


def connect(url: str, service: str, instance: str) -> OtlpTracer:
    """Return a tracer that sends spans to the collector at `url`.

    `url`: the OTLP endpoint, with or without the path /v1/traces. `service` and `instance`: attributes of all spans.
    """
    resource = Resource.create({SERVICE_NAME: service, SERVICE_INSTANCE_ID: instance})
    # The callers decide which traces to record.
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    endpoint = url if url.rstrip("/").endswith(_PATH) else url.rstrip("/") + _PATH
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_SEND_WITHIN_S)
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=_QUEUE, schedule_delay_millis=_SEND_AFTER_MS)
    )
    return OtlpTracer(provider)
