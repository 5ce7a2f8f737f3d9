"""Words become the same exponentials and Gumbels on a device as on the CPU."""

import numba
import numpy as np
import pytest

from fastgumbel._cuda.seam import cuda, kernel
from fastgumbel._law.field import block_exponential
from fastgumbel._law.real import exponential32, exponential64, gumbel32, gumbel64
from tests.cuda.arrays import host, on_device
from tests.cuda.driver import FakeDriver

THREADS = 256


@kernel(threads=THREADS)
def lanes32(words, exponentials, gumbels):
    """Convert 32-bit words."""
    i = np.uint64(cuda.blockIdx.x) * np.uint64(THREADS) + np.uint64(cuda.threadIdx.x)
    e = exponential32(words[i])
    exponentials[i] = e
    gumbels[i] = gumbel32(e)


@kernel(threads=THREADS)
def lanes64(words, exponentials, gumbels):
    """Convert 64-bit words."""
    i = np.uint64(cuda.blockIdx.x) * np.uint64(THREADS) + np.uint64(cuda.threadIdx.x)
    e = exponential64(words[i])
    exponentials[i] = e
    gumbels[i] = gumbel64(block_exponential(words[i]) + e)


@numba.njit(error_model="numpy")
def host32(words, exponentials, gumbels):
    """Convert as `lanes32`."""
    for i in range(words.size):
        exponentials[i] = exponential32(words[i])
        gumbels[i] = gumbel32(exponentials[i])


@numba.njit(error_model="numpy")
def host64(words, exponentials, gumbels):
    """Convert as `lanes64`."""
    for i in range(words.size):
        exponentials[i] = exponential64(words[i])
        gumbels[i] = gumbel64(block_exponential(words[i]) + exponentials[i])


def differences(on_gpu, on_cpu, words, dtype):
    """Count words that are converted to other bits."""
    there = [on_device(np.zeros(words.size, dtype)) for _ in range(2)]
    here = [np.empty(words.size, dtype) for _ in range(2)]
    with FakeDriver().installed() as device:
        device.launch(on_gpu, words.size // THREADS, THREADS, 1, (on_device(words), *there))
    on_cpu(words, *here)
    unsigned = f"u{here[0].itemsize}"
    return sum(int((host(a).view(unsigned) != b.view(unsigned)).sum()) for a, b in zip(there, here, strict=True))


def test_words_of_32_bits():
    """Both ends, every power of two, and a sample of the rest with a step that is odd."""
    edges = np.concatenate([np.arange(2**12), 2**32 - 1 - np.arange(2**12), 2 ** np.arange(32), 2 ** np.arange(32) - 1])
    words = np.concatenate([edges, np.arange(0, 2**32, 2**14 + 1)]).astype(np.uint32)
    assert differences(lanes32, host32, np.resize(words, 2**18 + 2**15), np.float32) == 0


def test_words_of_64_bits():
    """Both ends, every power of two, and random words, in whose upper ends logarithms are nearly 0."""
    rng = np.random.default_rng(1)
    edges = np.concatenate([np.arange(2**12, dtype=np.uint64), np.uint64(1) << np.arange(64, dtype=np.uint64)])
    random = rng.integers(0, 2**64, 2**17, np.uint64)
    few_bits = random >> rng.integers(0, 64, random.size, np.uint64)
    words = np.concatenate([edges, ~edges, random, few_bits, ~few_bits])
    assert differences(lanes64, host64, np.resize(words, 2**18 + 2**17), np.float64) == 0


@pytest.mark.heavy
def test_all_words_of_32_bits():
    step = 2**22
    for first in range(0, 2**32, step):
        words = np.arange(first, first + step, dtype=np.uint64).astype(np.uint32)
        assert differences(lanes32, host32, words, np.float32) == 0, hex(first)
