"""Soak: a day in the life of a world, in an hour: all services, hundreds who play and watch, and faults all the while."""
