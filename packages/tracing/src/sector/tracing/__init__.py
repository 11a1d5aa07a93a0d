"""Spans for a collector, with OTLP over HTTP.

A thread sends them from a bounded queue, and spans that do not fit are dropped.
"""

from sector.models.deprecated_names import deprecated_names
from sector.tracing.spans import OtlpSpan, OtlpTracer, connect

__all__ = ["OtlpSpan", "OtlpTracer", "connect"]

__getattr__ = deprecated_names(__name__, {"Span": "OtlpSpan", "Tracer": "OtlpTracer"})
