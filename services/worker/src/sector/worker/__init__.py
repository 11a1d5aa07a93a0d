"""The worker process: ticks sims by their leases."""
