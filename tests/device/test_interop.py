"""Arrays of CuPy and PyTorch go in, and results are of use to them."""

import numpy as np
import pytest
from numba import cuda

import fastgumbel
from tests.calls import assert_same_bits, logits
from tests.requirements import skip_if

NOISE = fastgumbel.NoiseField(1)
X = logits((50, 1000), np.float32)


@pytest.fixture
def cupy():
    """Give CuPy."""
    return pytest.importorskip("cupy", reason="CuPy is not installed")


@pytest.fixture
def torch():
    """Give PyTorch with CUDA."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if torch.version.cuda is None:
        pytest.skip("PyTorch is built without CUDA")
    skip_if(None if torch.cuda.is_available() else "PyTorch finds no GPU")
    return torch


def test_cupy_arrays_are_written(cupy):
    out = cupy.empty(X.shape, cupy.float32)
    assert fastgumbel.gumbel(X.shape, noise=NOISE, dtype=np.float32, out=out) is out
    assert_same_bits(cupy.asnumpy(out), fastgumbel.gumbel(X.shape, noise=NOISE, dtype=np.float32))


def test_cupy_streams_are_named_by_its_arrays(cupy):
    with cupy.cuda.Stream(non_blocking=True) as stream:
        out = cupy.zeros(X.shape, cupy.float32)
        assert out.__cuda_array_interface__["stream"] == stream.ptr
        fastgumbel.gumbel(X.shape, noise=NOISE, dtype=np.float32, out=out)
        values = cupy.asnumpy(out, stream=stream)
        stream.synchronize()
    assert_same_bits(values, fastgumbel.gumbel(X.shape, noise=NOISE, dtype=np.float32))


def test_cupy_uses_results(cupy):
    index = cupy.asarray(fastgumbel.gumbel_max(cupy.asarray(X), noise=NOISE))
    assert_same_bits(cupy.asnumpy(index), fastgumbel.gumbel_max(X, noise=NOISE))
    y = cupy.asarray(fastgumbel.gumbel_softmax(cupy.asarray(X), 0.5, noise=NOISE))
    assert (y.argmax(-1) == index).all()


def test_torch_tensors_are_written(torch):
    out = torch.empty(X.shape, dtype=torch.float32, device="cuda")
    assert fastgumbel.gumbel(X.shape, noise=NOISE, dtype=np.float32, out=out) is out
    assert_same_bits(out.cpu().numpy(), fastgumbel.gumbel(X.shape, noise=NOISE, dtype=np.float32))


def test_torch_uses_results(torch):
    index = torch.as_tensor(fastgumbel.gumbel_max(torch.from_numpy(X).cuda(), noise=NOISE), device="cuda")
    assert_same_bits(index.cpu().numpy(), fastgumbel.gumbel_max(X, noise=NOISE))
    y = torch.as_tensor(fastgumbel.gumbel_softmax(torch.from_numpy(X).cuda(), 0.5, noise=NOISE), device="cuda")
    assert (y.argmax(-1) == index).all()


def test_results_outlive_what_they_were_made_of(torch):
    """Memory of temporary tensors may be reused only by work that comes later on the stream."""
    results = [fastgumbel.gumbel_max(torch.from_numpy(X).cuda(), noise=NOISE.at(draw=draw)) for draw in range(20)]
    for draw, result in enumerate(results):
        here = fastgumbel.gumbel_max(X, noise=NOISE.at(draw=draw))
        assert_same_bits(cuda.as_cuda_array(result).copy_to_host(), here)
