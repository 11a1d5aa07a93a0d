"""Hostile clients: tables of attempts to stop the world, and a legitimate client that plays meanwhile."""
