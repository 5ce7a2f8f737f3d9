"""Parts of kernels that are only linked: the kernel that they are made for is optimised as a whole.

Numba treats every function as one that Python could call. It links all that the function calls, optimises it and makes
machine code of it, and does the same again in whatever calls it. Of a part, others link the code and want nothing else,
so all this is done once, at the end. It saves over a quarter of the time to compile. How code is linked is Numba's own
affair: versions that this was tested with get it; with any other, parts are functions like all, and all works.
"""

import functools
from collections.abc import Callable
from typing import Any

import numba

_TESTED = ("0.68",)
# What is overridden: where it has another name, it is another thing.
_OVERRIDDEN = ("_finalized", "_finalize_final_module", "_optimize_final_module")


def _pipeline() -> Any:
    """The compiler of parts; None for a Numba that it was not tested with."""
    if not numba.__version__.startswith(tuple(f"{version}." for version in _TESTED)):
        return None
    try:
        from numba.core.codegen import JITCodeLibrary
        from numba.core.compiler import Compiler
    except ImportError:
        return None

    if not all(hasattr(JITCodeLibrary, name) for name in _OVERRIDDEN):
        return None

    class Part(JITCodeLibrary):  # type: ignore[misc]
        """The code of a function and of all that it calls, as it was written down."""

        def _optimize_final_module(self) -> None:
            pass

        def _finalize_final_module(self) -> None:
            self._finalized = True

    class PartCompiler(Compiler):  # type: ignore[misc]
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.state.library = Part(self.state.targetctx.codegen(), "part")
            self.state.flags.no_compile = True

    return PartCompiler


PIPELINE = _pipeline()


def _refuse(*arguments: Any) -> None:
    raise TypeError("only compiled code can call a part of a kernel")


def linked(njit: Callable[..., Any], function: Any) -> Any:
    """Compile a part by `njit`, only to be linked where that is known to work."""
    if PIPELINE is None:
        return njit(function)
    dispatcher = njit(function, pipeline_class=PIPELINE)

    def add_overload(compiled: Any) -> None:
        # Numba finds code by its entry point, an object of its own for each.
        compiled = compiled._replace(entry_point=functools.partial(_refuse))
        dispatcher.targetctx.insert_user_function(compiled.entry_point, compiled.fndesc, [compiled.library])
        dispatcher.overloads[tuple(compiled.signature.args)] = compiled

    dispatcher.add_overload = add_overload
    return dispatcher
