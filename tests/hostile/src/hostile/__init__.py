"""Hostile clients: tables of attempts to stop the world, and a bystander that plays on meanwhile."""
