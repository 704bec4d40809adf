"""The producers: an API that takes tasks for agents, and a worker that does them."""

__version__ = "0.1.0"
