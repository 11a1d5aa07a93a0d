"""A whole world on one machine, in one command."""

# Before any library reads the environment.
import sector.process.environment  # noqa: F401
