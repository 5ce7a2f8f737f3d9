"""The command line: it draws choices from a table of log-potentials and says how good they are.

- What was asked: ``options``, whose help ends with ``manual``; ``command`` runs it, and ``console`` talks meanwhile.
- Tables: ``input`` opens a file by its suffix (``read_npy``, ``read_csv``, ``read_parquet``); ``columns`` picks the
  alternatives and the ids, ``number`` says which text is a number, and ``spool`` keeps rows on disk, with their
  ``ids``, as a ``table``. A ``study`` is one table or two, by default of the shipped data.
- Choices: ``draws`` makes them, ``counts`` and ``summary`` judge them, ``sink`` opens a file of them by its suffix
  (``write_npy``, ``write_csv``, ``write_parquet``, with ``labels`` of rows), and ``output`` puts it in place.
- ``arrow`` loads pyarrow, when a ``.parquet`` file is named.
"""
