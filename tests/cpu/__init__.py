"""Kernels of the CPU, each around its limits: equality with the definition on noise that is written out."""
