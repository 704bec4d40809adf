"""The example service: an API that accepts tasks for agents, and a worker that runs them."""

__version__ = "0.1.0"
