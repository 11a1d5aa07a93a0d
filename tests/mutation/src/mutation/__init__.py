"""Mutation testing: changes the code on purpose, and checks that a test fails."""
