"""The lifecycle of sims: create, list, delete, request, fork, export and import."""

from sector.models.deprecated_names import moved_names

__getattr__ = moved_names(__name__, f"{__name__}.lifecycle")
