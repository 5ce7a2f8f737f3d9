"""What `python -m fastgumbel choose --help` says above and below the options."""

CHOOSE = """\
Draw choices from a table of log-potentials: every row picks the alternative whose log-potential plus Gumbel noise is
largest, so with the probabilities of a logit model. The noise is a function of seed, row, draw and alternative alone:
rows and alternatives by their places in the table, or rows by the ids in a column (--id).

With no INPUT, run on real data: the mode choices of 210 travellers between Sydney, Canberra and Melbourne with a
published model, and a scenario in which the train costs 20 % less.
"""

FORMATS = """\
input:
  .npy      array of shape (rows, alternatives) or (alternatives,), float16 to float64 or integers; it is mapped, so it
            may be larger than memory
  .csv      a header with the columns' names, one line per row, plain decimal numbers; commas, semicolons or tabs
  .parquet  columns of numbers, with the extra `parquet`
  Of .csv and .parquet a binary copy lies in the temporary directory (TMPDIR) meanwhile. -inf excludes an alternative.
  Messages count rows from 0 at the top of the file.

ids:
  Without --id and --columns, every column is an alternative; one that holds only whole numbers and is named id,
  *_id or index is refused. Of --id, whole numbers from 0 to 2^64 - 1, all different, are the rows' ids in the noise: a
  row keeps its noise in any order of the file and in any part of it. Any other text is only carried to the output; rows
  then count from --first-row. An alternative's noise belongs to its place among those to choose from: where runs are to
  be compared, exclude one by -inf or a blank cell, and not by leaving its column out.

output:
  .npy      indices of shape (draws, rows), or (rows,) for one draw: int8, int16, int32 or int64, the smallest that fits
  .csv, .parquet
            lines of row (its id, under the name of the column of --id, or counted from --first-row), draw (from 0) and
            choice (name, or index if the input is .npy)
  A file appears when it is complete, or not at all.

rate:
  The last line counts the time of drawing alone, without reading, checking, counting and writing. Kernels are compiled
  before it, once for a machine, and a line on stderr says so.

exit codes: 0 done, 2 bad input or a full disk, 130 interrupted
"""
