"""Reading, restoring, splitting, embedding and storing talks: the ground floor."""
