"""The API process: takes orders, shows the state of a sim and what happened in it."""
