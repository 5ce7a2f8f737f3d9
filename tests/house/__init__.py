"""The house itself: its layers, pages, types, and what its scripts and suites do where something is missing."""
