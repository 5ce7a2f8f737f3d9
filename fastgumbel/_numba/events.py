"""When Numba compiles."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core import event


class _First(event.Listener):
    """Calls a function when the first event begins."""

    def __init__(self, tell: Callable[[], object]) -> None:
        self._tell = tell
        self._told = False

    def on_start(self, _event: event.Event) -> None:
        if not self._told:
            self._told = True
            self._tell()

    def on_end(self, _event: event.Event) -> None:
        """Nothing is to be done."""


@contextmanager
def before_compiling(tell: Callable[[], object]) -> Iterator[None]:
    """Call `tell` once, before anything is compiled within the context; code that is loaded from disk does not count.

    Numba looks for a function on disk first, and only if it is not there does it announce that it compiles.
    """
    with event.install_listener("numba:compile", _First(tell)):
        yield
