"""The command line: it draws choices from a table of log-potentials and says how good they are.

``fastgumbel.__main__`` is the way through these rooms:

- What was asked: ``options``, with the text of ``--help``. ``console`` talks to the user meanwhile.
- What is drawn from: ``input`` opens the user's files by their suffixes, or the shipped data; ``source`` knows
  standard input and packed text. ``csv`` and ``parquet`` read and write files of their kind; ``columns`` tells
  alternatives from ids and numbers from text, and refuses rows that cannot be drawn from. A ``table`` keeps rows and
  their ids on disk.
- What comes out: ``draws`` makes choices, ``counts`` and ``summary`` judge them, and ``output`` puts a file of them in
  place.
"""
