"""The API process: accepts orders, and serves the state and the events of sims."""

# Before any library reads the environment.
import sector.process.environment  # noqa: F401
