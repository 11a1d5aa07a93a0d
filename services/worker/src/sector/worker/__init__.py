"""The worker process: ticks sims by their leases."""

# Before any library reads the environment.
import sector.process.environment  # noqa: F401
