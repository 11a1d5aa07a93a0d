"""The worker process: it ticks the sims whose leases it holds."""

# Before any library reads the environment.
import sector.process.environment  # noqa: F401
