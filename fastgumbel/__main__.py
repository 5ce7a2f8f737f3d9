"""The command line, `python -m fastgumbel`: exit codes, and the way from the options to the printed summary."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from fastgumbel import get_num_threads, set_num_threads
from fastgumbel._cli.console import UserError, compile_notice, note, progress, say
from fastgumbel._cli.counts import Flows, Tally
from fastgumbel._cli.draws import Arm, Simulation, chunk_size
from fastgumbel._cli.input import own_study, shipped_study
from fastgumbel._cli.options import Options, parse
from fastgumbel._cli.output import has_lines, open_sink, require_free
from fastgumbel._cli.summary import summary
from fastgumbel._cli.table import Table

FAILED = 2
INTERRUPTED = 130  # what shells report of a program ended by Ctrl-C


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default this process's own, and return its exit code; whatever goes wrong is one line."""
    try:
        options = parse(arguments)
        if isinstance(options, str):
            say(options)
        else:
            choose(options)
    except (UserError, OSError) as fault:
        return _fail(str(fault))
    except MemoryError:
        return _fail("not enough memory: a row of the table must fit, beside some 400 MiB for the libraries")
    except KeyboardInterrupt:
        note("interrupted")
        return INTERRUPTED
    return 0


def _fail(complaint: str) -> int:
    note(f"error: {complaint}")
    return FAILED


def choose(options: Options) -> None:
    """Draw, write and report as asked."""
    _require_free_outputs(options)
    _settle_threads(options.threads)
    if options.input is None:
        study = shipped_study()
    else:
        study = own_study(options.input, options.scenario, options.reading, quiet=options.quiet)
    rows, alternatives = study.base.shape
    simulation = Simulation(options.seed, options.first_row, options.draws, _row_ids(study.base, options.first_row))
    flows = None if study.scenario is None else Flows(alternatives)
    targets = (options.out, options.scenario_out)
    size = chunk_size(rows, alternatives, options.draws, rows_complete=any(map(has_lines, targets)))
    with ExitStack() as stack:
        arms = [
            Arm(
                table,
                Tally(alternatives, options.draws),
                open_sink(stack, target, table, draws=options.draws, first_row=options.first_row),
            )
            for table, target in zip(study.tables, targets, strict=False)
        ]
        with compile_notice(quiet=options.quiet):
            simulation.warm_up(study.tables, size)
        total = len(arms) * rows * options.draws
        advance = stack.enter_context(progress(total, " choices", quiet=options.quiet))
        seconds = simulation.run(arms, flows, size, advance)
    say(summary(study, simulation, arms, flows, seconds))


def _settle_threads(threads: int | None) -> None:
    if threads is not None:
        set_num_threads(threads)
    try:
        get_num_threads()
    except ValueError as fault:  # the environment variable is no number
        raise UserError(str(fault)) from fault


def _row_ids(table: Table, first_row: int) -> NDArray[np.uint64] | None:
    """Row ids of the noise field that a column of the table gives; None if rows are counted."""
    if table.ids is not None and table.ids.numbers is not None:
        if first_row:
            raise UserError(f"--first-row: rows are numbered by the column {table.ids.name!r} already")
        return table.ids.numbers
    if first_row + table.shape[0] > 1 << 64:
        raise UserError("--first-row: rows are numbered up to 2^64 - 1")
    return None


def _require_free_outputs(options: Options) -> None:
    inputs = [path for path in (options.input, options.scenario) if path is not None]
    outputs = [path for path in (options.out, options.scenario_out) if path is not None]
    for path in outputs:
        require_free(path, inputs, force=options.force)
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise UserError(f"{outputs[0]}: is the output of both --out and --scenario-out")


if __name__ == "__main__":
    sys.exit(main())
