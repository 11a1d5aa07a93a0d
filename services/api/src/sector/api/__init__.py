"""The API process: takes orders, shows the state of a sim and what happened in it."""

# Before any library reads the environment.
import sector.process.environment  # noqa: F401
