"""The command `choose`: its options, and its way from them to the printed summary."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from fastgumbel import __version__, set_num_threads
from fastgumbel._cli.console import UserError, compile_notice, progress, say
from fastgumbel._cli.counts import Flows, Tally
from fastgumbel._cli.draws import Arm, Simulation, chunk_size
from fastgumbel._cli.output import CsvSink, NpySink, Sink, is_csv, replacing, require_free
from fastgumbel._cli.study import own_study, shipped_study
from fastgumbel._cli.summary import summary
from fastgumbel._cli.table import Table

MOST_DRAWS = 1 << 32  # the noise field counts draws in 32 bits
SAMPLE_DRAWS = 1000  # by default for the shipped data, which is small

CHOOSE = """\
Draw choices from a table of log-potentials: every row picks the alternative whose log-potential plus Gumbel noise is
largest, so with the probabilities of a logit model. The noise is a function of seed, row, draw and alternative alone.

With no INPUT, run on real data: the mode choices of 210 travellers between Sydney, Canberra and Melbourne with a
published model, and a scenario in which the train costs 20 % less.
"""

FORMATS = """\
input:
  .npy   array of shape (rows, alternatives) or (alternatives,), float16 to float64 or integers; it is mapped, so it may
         be larger than memory
  .csv   commas, a header with the alternatives' names, one line per row; a binary copy lies in the temporary directory
         (TMPDIR) meanwhile
  -inf excludes an alternative. Messages count rows from 0 at the top of the file.

output:
  .npy   indices of shape (draws, rows), or (rows,) for one draw: int8, int16, int32 or int64, the smallest that fits
  .csv   lines of row (counted from --first-row), draw (from 0) and choice (name, or index if the input is .npy)
  A file appears when it is complete, or not at all.

rate:
  The last line counts the time of drawing alone, without reading, checking, counting and writing. Kernels are compiled
  before it, once for a machine, and a line on stderr says so.

exit codes: 0 done, 2 bad input or a full disk, 130 interrupted
"""


@dataclass(frozen=True)
class Options:
    """The arguments of `choose`; a path that was not given is None."""

    input: Path | None
    scenario: Path | None
    draws: int
    seed: int
    first_row: int
    threads: int | None
    out: Path | None
    scenario_out: Path | None
    force: bool
    quiet: bool


def parse(arguments: Sequence[str] | None) -> Options | str:
    """Read the command line; if it has no command, return the help to show instead."""
    parser = _Parser(prog="python -m fastgumbel", description="Exact, reproducible Gumbel-max sampling.")
    parser.add_argument("--version", action="version", version=f"fastgumbel {__version__}")
    _add_choose(parser.add_subparsers(title="commands", dest="command"))
    given = vars(parser.parse_args(arguments))
    if given.pop("command") is None:
        return parser.format_help()
    return _checked(given)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help")


def _add_choose(commands: argparse._SubParsersAction[_Parser]) -> None:
    choose = commands.add_parser(
        "choose",
        help="draw choices from a table of log-potentials",
        description=CHOOSE,
        epilog=FORMATS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = choose.add_argument
    add(
        "input", metavar="INPUT", type=Path, nargs="?", help="log-potentials, .npy or .csv; by default the shipped data"
    )
    add("--scenario", metavar="FILE", type=Path, help="a second table of the same shape, drawn with the same noise")
    add("--draws", metavar="N", type=_positive, help=f"draws of every row (1; {SAMPLE_DRAWS} for the shipped data)")
    add("--seed", metavar="N", type=_natural, default=0, help="names the noise (0)")
    add("--first-row", metavar="N", type=_natural, default=0, help="number of the first row: a part of a split table")
    add("--threads", metavar="N", type=_positive, help="threads to draw with (all)")
    add("--out", metavar="FILE", type=Path, help="write the choices, .npy or .csv")
    add("--scenario-out", metavar="FILE", type=Path, help="write the choices in the scenario")
    add("--force", action="store_true", help="replace existing output")
    add("--quiet", action="store_true", help="show no progress, and no notice of compiling")


def _checked(given: dict[str, object]) -> Options:
    shipped = given["input"] is None
    if given["draws"] is None:
        given["draws"] = SAMPLE_DRAWS if shipped else 1
    options = Options(**given)  # type: ignore[arg-type]
    if shipped and options.scenario is not None:
        raise UserError("--scenario needs an INPUT to compare with")
    if options.scenario_out is not None and options.scenario is None and not shipped:
        raise UserError("--scenario-out needs --scenario")
    if options.draws > MOST_DRAWS:
        raise UserError(f"--draws: at most {MOST_DRAWS} draws of a row have noise of their own")
    return options


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _positive(text: str) -> int:
    number = _natural(text)
    if number == 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


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
    size = chunk_size(rows, alternatives, options.draws, rows_complete=any(map(is_csv, targets)))
    with ExitStack() as stack:
        arms = [
            Arm(table, Tally(alternatives, options.draws), _open_sink(stack, target, table, options))
            for table, target in zip(study.tables, targets, strict=False)
        ]
        with compile_notice(quiet=options.quiet):
            simulation.warm_up(study.tables)
        total = len(arms) * rows * options.draws
        advance = stack.enter_context(progress(total, " choices", quiet=options.quiet))
        seconds = simulation.run(arms, flows, size, advance)
    say(summary(study, simulation, arms, flows, seconds))


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
    if is_csv(target):
        return CsvSink(target, file, header=table.header, first_row=options.first_row)
    rows, alternatives = table.shape
    return NpySink(target, file, rows=rows, draws=options.draws, alternatives=alternatives)
