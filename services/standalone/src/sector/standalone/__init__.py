"""Runs a complete world on one machine with one command."""

# Before any library reads the environment.
import sector.process.environment  # noqa: F401
