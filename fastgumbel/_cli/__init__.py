"""The command line: it draws choices from a table of log-potentials and says how good they are."""
