"""The bot process: plays a faction over HTTP, as any client would."""

# Before any library reads the environment.
import sector.process.environment  # noqa: F401
