"""Read models that follow from events: noted in a journal, put in order, folded, rebuilt beside the live ones."""
