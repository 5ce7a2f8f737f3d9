"""The public functions, an operation a file; ``cases.py`` has the log-potentials that they are tried with."""
