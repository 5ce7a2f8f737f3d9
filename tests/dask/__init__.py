"""Dask arrays, in one process and on a cluster."""
