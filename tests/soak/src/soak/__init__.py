"""A soak test: all services, hundreds of players and spectators, and faults for an hour or longer."""
