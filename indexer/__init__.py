"""Reading, restoring, splitting, embedding and storing talks: the ground floor, which imports nothing from the others."""
