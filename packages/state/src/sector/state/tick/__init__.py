"""One tick: the lease, the tick transaction, the head of a sim, and the workers that share the sims."""
