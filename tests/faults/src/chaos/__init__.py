"""Faults on purpose: processes that are killed, networks that fail, Redis that restarts, and a checker of what is left."""
