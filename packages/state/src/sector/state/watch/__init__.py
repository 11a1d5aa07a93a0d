"""Reading a sim while it runs: its newest state, and its events as they come."""
