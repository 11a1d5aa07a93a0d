"""Fault injection: kills processes, disturbs networks, restarts Redis, and checks the history afterwards."""
