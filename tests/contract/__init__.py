"""The bits that never change: words, logarithms, the field, and its frozen values."""
