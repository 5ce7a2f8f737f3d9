"""The command `choose`, from options to printed summary."""

from contextlib import ExitStack
from pathlib import Path

from fastgumbel import set_num_threads

from .blocks import block_size
from .console import say
from .errors import UserError
from .flows import Flows
from .options import Options
from .output import replacing, require_free
from .progress import progress
from .report import report
from .simulation import Arm, Simulation
from .sinks import CsvSink, NpySink, Sink
from .study import own_study, shipped_study
from .tables import Table
from .tally import Tally


def choose(options: Options) -> None:
    """Draw, write and report as asked."""
    _require_free_outputs(options)
    if options.threads is not None:
        set_num_threads(options.threads)
    if options.input is None:
        study = shipped_study()
    else:
        study = own_study(options.input, options.scenario, quiet=options.quiet)
    rows, alternatives = study.base.shape
    if options.first_row + rows > 1 << 64:
        raise UserError("--first-row: rows are numbered up to 2^64 - 1")
    simulation = Simulation(options.seed, options.first_row, options.draws)
    flows = None if study.scenario is None else Flows(alternatives)
    targets = (options.out, options.scenario_out)
    size = block_size(rows, alternatives, options.draws, rows_complete=any(map(_is_csv, targets)))
    with ExitStack() as stack:
        arms = [
            Arm(table, Tally(alternatives, options.draws), _open_sink(stack, target, table, options))
            for table, target in zip(study.tables, targets, strict=False)
        ]
        total = len(arms) * rows * options.draws
        advance = stack.enter_context(progress(total, " choices", quiet=options.quiet))
        seconds = simulation.run(arms, flows, size, advance)
    say(report(study, simulation, arms, flows, seconds))


def _require_free_outputs(options: Options) -> None:
    inputs = [path for path in (options.input, options.scenario) if path is not None]
    outputs = [path for path in (options.out, options.scenario_out) if path is not None]
    for path in outputs:
        require_free(path, inputs, force=options.force)
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise UserError(f"{outputs[0]}: is the output of both --out and --scenario-out")


def _open_sink(stack: ExitStack, target: Path | None, table: Table, options: Options) -> Sink | None:
    if target is None:
        return None
    file = stack.enter_context(replacing(target))
    if _is_csv(target):
        return CsvSink(target, file, header=table.header, first_row=options.first_row)
    rows, alternatives = table.shape
    return NpySink(target, file, rows=rows, draws=options.draws, alternatives=alternatives)


def _is_csv(target: Path | None) -> bool:
    return target is not None and target.suffix.lower() == ".csv"
