"""The same work under pytest-benchmark: `python -m pytest bench/test_benchmarks.py`."""

import pytest
from cases import all_works


@pytest.fixture(scope="module", params=list(all_works()), ids=[str(i) for i, _ in enumerate(all_works())])
def work(request):
    return request.param()


def test_work(work, benchmark):
    benchmark.group = work.name
    benchmark.extra_info["elements"] = work.elements
    benchmark(work.contenders["fastgumbel"])


def test_closest_peer(work, benchmark):
    benchmark.group = work.name
    name = next(name for name in work.contenders if name != "fastgumbel")
    benchmark.name = name
    benchmark(work.contenders[name])
