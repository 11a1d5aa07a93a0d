"""Spans, sent to a collector by OTLP over HTTP. They are queued, and sent by a thread of its own; where the queue is full they are lost."""

from sector.tracing.spans import Span, Tracer, connect

__all__ = ["Span", "Tracer", "connect"]
