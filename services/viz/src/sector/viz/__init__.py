"""The viz process: a page that draws the world, live."""

# Before any library reads the environment.
import sector.process.environment  # noqa: F401
