"""What was said word for word, or nearly: candidates by words, alignment, the stretch that was said."""
