"""What the user may ask for."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from fastgumbel import __version__

from .errors import UserError

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
    """Read the command line; with no command on it, give the help to show instead."""
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


def _add_choose(commands: "argparse._SubParsersAction[_Parser]") -> None:
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
    add("--quiet", action="store_true", help="show no progress")


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
