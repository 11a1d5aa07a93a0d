"""Measures the speed and memory that the project promises."""
