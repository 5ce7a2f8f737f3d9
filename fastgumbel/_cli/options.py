"""The options of the command line."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from fastgumbel import __version__
from fastgumbel._cli.columns import Reading
from fastgumbel._cli.console import UserError
from fastgumbel._cli.output import has_lines
from fastgumbel._cli.source import STDIN, kind_of, source_of

MOST_DRAWS = 1 << 32  # the noise field counts draws in 32 bits
NAMED = (".csv", ".parquet")  # files whose columns have names
SAMPLE_DRAWS = 1000  # by default for the shipped data, which is small

CHOOSE = """\
Draw choices from a table of log-potentials: every row picks the alternative whose log-potential plus Gumbel noise is
largest, so with the probabilities of a logit model. The noise is a function of seed, row, draw and alternative alone:
rows and alternatives by their places in the table, or rows by the ids in a column (--id).

With no INPUT, run on real data: the mode choices of 210 travellers between Sydney, Canberra and Melbourne with a
published model, and a scenario in which the train costs 20 % less.
"""

FORMATS = """\
input:
  -         text as in a .csv file, on standard input; packed by gzip, too
  .npy      array of shape (rows, alternatives) or (alternatives,), float16 to float64 or integers; it is mapped, so it
            may be larger than memory
  .csv      a header with the columns' names, one line per row, plain decimal numbers (a decimal comma with
            --decimal ,); commas, semicolons or tabs, or what a first line such as sep=| says; a named pipe will do
  .csv.gz   the same, packed by gzip
  .parquet  columns of numbers, with the extra `parquet`
  Of .csv and .parquet a binary copy lies in the temporary directory (TMPDIR) meanwhile. -inf excludes an alternative.
  Messages count rows from 0 at the top of the file.

ids:
  Every column is an alternative, but that of --id and those of --exclude, unless --columns picks them. One that was
  not picked and holds only whole numbers is refused if its name is like id, person_id, caseid, index, row, obs or
  person, or if it is the first column and its numbers ascend over 10 rows or more. Of --id, whole numbers from 0 to
  2^64 - 1, all different, are the rows' ids in the noise: a row keeps its noise in any order of the file and in any
  part of it. Where one is text, all are only carried to the output; rows then count from --first-row. An
  alternative's noise belongs to its place among those to choose from: where runs are to be compared, exclude one by
  -inf or a blank cell, and not by leaving its column out.

output:
  .npy      indices of shape (draws, rows), or (rows,) for one draw: int8, int16, int32 or int64, the smallest that fits
  .csv, .parquet
            lines of row (its id, under the name of the column of --id, or counted from --first-row), draw (from 0) and
            choice (name, or index if the input is .npy)
  A file appears when it is complete, or not at all.

rate:
  The last line counts the time of drawing alone, without reading, checking, counting and writing. Kernels are compiled
  before it, once for a machine, and a line on stderr says so.

exit codes: 0 done, 2 bad input or a full disk, 130 interrupted, 141 nobody reads the summary
            (a closed pipe; files are complete), 143 terminated (SIGTERM)
"""


@dataclass(frozen=True)
class Options:
    """The arguments of `choose`; a path that was not given is None."""

    input: Path | None
    scenario: Path | None
    reading: Reading
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
        "input",
        metavar="INPUT",
        type=source_of,
        nargs="?",
        help="log-potentials, .npy, .csv, .csv.gz or .parquet, or - for standard input; by default the shipped data",
    )
    add("--scenario", metavar="FILE", type=source_of, help="a second table of the same shape, on the same noise, or -")
    add("--id", metavar="COLUMN", help="the column that names the rows; '' is the first one if it has no name")
    add("--columns", metavar="A,B,...", type=_names, help="the columns to choose from, in this order (all but --id)")
    add(
        "--exclude",
        metavar="A,B,...",
        type=_names_or_blank,
        help="columns that are no alternatives, and are not read; '' is all that have no name",
    )
    add("--delimiter", metavar="C", type=_delimiter, help="what separates the columns of a .csv file (found out)")
    add("--decimal", choices=(".", ","), help="what stands before the fraction in a .csv file (.)")
    add(
        "--blank",
        choices=("error", "unavailable"),
        help="what a blank cell, NA or NaN is: error, or an excluded alternative",
    )
    add("--draws", metavar="N", type=_positive, help=f"draws of every row (1; {SAMPLE_DRAWS} for the shipped data)")
    add("--seed", metavar="N", type=_natural, default=0, help="names the noise (0)")
    add("--first-row", metavar="N", type=_natural, default=0, help="number of the first row: a part of a split table")
    add(
        "--threads",
        metavar="N",
        type=_positive,
        help="threads to draw with (all that there are, within limits on the process)",
    )
    add("--out", metavar="FILE", type=Path, help="write the choices, .npy, .csv or .parquet")
    add("--scenario-out", metavar="FILE", type=Path, help="write the choices in the scenario")
    add("--force", action="store_true", help="replace existing output")
    add("--quiet", action="store_true", help="show no progress, and no notice of compiling")


def _checked(given: dict[str, object]) -> Options:
    shipped = given["input"] is None
    if given["draws"] is None:
        given["draws"] = SAMPLE_DRAWS if shipped else 1
    reading = _reading(given)
    options = Options(reading=reading, **given)  # type: ignore[arg-type]
    if shipped and options.scenario is not None:
        raise UserError("--scenario needs an INPUT to compare with")
    if options.input is STDIN and options.scenario is STDIN:
        raise UserError("--scenario: standard input is the INPUT already")
    if options.scenario_out is not None and options.scenario is None and not shipped:
        raise UserError("--scenario-out needs --scenario")
    if reading.id_column in ("draw", "choice") and any(map(has_lines, (options.out, options.scenario_out))):
        raise UserError(f"--id: the output has a column {reading.id_column!r} of its own; write .npy instead")
    if options.draws > MOST_DRAWS:
        raise UserError(f"--draws: at most {MOST_DRAWS} draws of a row have noise of their own")
    return options


def _reading(given: dict[str, object]) -> Reading:
    """Take the options on the columns of a table out of those given; refuse those that no input has a use for."""
    inputs = [path for path in (given["input"], given["scenario"]) if isinstance(path, Path)]
    suffixes = set(map(kind_of, inputs))
    uses: dict[str, tuple[str, ...]] = dict.fromkeys(("id", "columns", "exclude", "blank"), NAMED)
    uses |= dict.fromkeys(("delimiter", "decimal"), (".csv",))
    said = {name: given.pop(name) for name in uses}
    for name, kinds in uses.items():
        if said[name] is not None and suffixes.isdisjoint(kinds):
            raise UserError(f"--{name} needs an INPUT that is a {' or '.join(kinds)} file")
    excludes, comma = said["blank"] == "unavailable", said["decimal"] == ","
    if said["columns"] is not None and said["exclude"] is not None:
        raise UserError("--exclude: what is not among --columns is left out already; give one of both")
    columns = said["id"], said["columns"], said["exclude"] or ()
    reading = Reading(*columns, said["delimiter"], excludes, comma)  # type: ignore[arg-type]
    if reading.decimal_comma and reading.delimiter == ",":
        raise UserError("--decimal: the comma is the --delimiter already")
    if reading.id_column is not None and reading.id_column in (reading.alternatives or ()):
        raise UserError(f"--columns: {reading.id_column!r} is the column of --id")
    if reading.id_column in reading.excluded:
        raise UserError(f"--exclude: {reading.id_column!r} is the column of --id, and no alternative anyway")
    return reading


def _names(text: str) -> tuple[str, ...]:
    """Read names between commas, quoted as in a .csv file where they hold commas themselves."""
    names = _names_or_blank(text)
    if not all(names):
        raise argparse.ArgumentTypeError("expected names with commas between them")
    return names


def _names_or_blank(text: str) -> tuple[str, ...]:
    """As `_names`, of which one may be blank."""
    names = tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True), [""]))
    for name in names:
        if names.count(name) > 1:
            raise argparse.ArgumentTypeError(f"{name!r} stands there twice")
    return names or ("",)


def _delimiter(text: str) -> str:
    mark = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(mark) != 1 or mark.isalnum() or (mark.isspace() and mark != "\t") or mark in "\"'.+-_\0":
        raise argparse.ArgumentTypeError(f"{text!r} does not separate columns; give one mark such as ; or the word tab")
    return mark


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _positive(text: str) -> int:
    number = _natural(text)
    if number == 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
