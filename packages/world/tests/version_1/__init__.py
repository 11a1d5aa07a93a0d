"""Frames of version 1, as they were written, in Base85."""
