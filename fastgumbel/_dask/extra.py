"""What is used of dask, or an error that names the extra."""

try:
    import dask.array as da
    from dask.base import tokenize
    from dask.delayed import delayed
    from dask.highlevelgraph import HighLevelGraph
    from dask.layers import ArraySliceDep
except ImportError as missing:
    raise ImportError("fastgumbel.dask needs dask: pip install 'fastgumbel[dask]'") from missing

__all__ = ["ArraySliceDep", "HighLevelGraph", "da", "delayed", "tokenize"]
