"""The viz process: a page that draws the world, live."""
