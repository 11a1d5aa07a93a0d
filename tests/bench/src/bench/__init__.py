"""What the project promises of speed and memory, measured."""
