"""A load that a thread sends, until its test has seen enough."""

import threading
from typing import Self


class Background:
    """Runs `_send` in a thread, as a context manager; `error` is the first one, which ends it."""

    def __init__(self, name: str) -> None:
        self.error: Exception | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def end(self) -> None:
        """Stop, and wait for what is on its way. Raises the first error."""
        self.__exit__()
        if self.error:
            raise self.error

    def _send(self) -> None:
        """Send until `_end` is set."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            self._send()
        except Exception as error:  # the test's thread raises it
            self.error = error
