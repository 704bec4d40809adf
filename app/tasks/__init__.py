"""The tasks: their types, the queue, where they are stored, and one execution."""
