"""A whole world on one machine, in one command."""
