"""Work is cut so that all threads end together."""

import pytest

import fastgumbel
from fastgumbel._host.threads import even


@pytest.fixture(params=[1, 2, 3, 8])
def threads(request):
    before = fastgumbel.get_num_threads()
    fastgumbel.set_num_threads(request.param)
    yield request.param
    fastgumbel.set_num_threads(before)


def test_all_threads_get_as_many_items(threads):
    """But for what pieces of whole items cannot share: less than an item a piece."""
    for count in (1, 2, 3, 17, 100, 1001, 65_537):
        for at_most in (1, 2, 7, 64, 1000, 10**6):
            step = even(count, at_most)
            assert 1 <= step <= max(at_most, 1)
            pieces = -(-count // step)
            assert pieces == 1 or step * -(-pieces // threads) <= count / threads + -(-pieces // threads)


def test_a_short_piece_of_work_is_one(threads):
    assert even(1000, 1000) == 1000
    assert even(0, 10) == 1
