"""One call on both sides: on NumPy's arrays, and on copies of them on the device."""

import numpy as np

from tests.cuda.arrays import host, on_device


def there(value):
    """Return an argument with every NumPy array in it on the device."""
    if isinstance(value, tuple):
        return tuple(map(there, value))
    return on_device(value) if isinstance(value, np.ndarray) and value.ndim else value


def differing(on_gpu, on_cpu):
    """Return the places at which bits differ; one NaN is as good as another."""
    a, b = np.ascontiguousarray(host(on_gpu)), np.ascontiguousarray(on_cpu)
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    bits = f"u{b.itemsize}"
    return np.argwhere((a.view(bits) != b.view(bits)) & ~(np.isnan(a) & np.isnan(b)))


def same(function, *arguments, **options):
    """Check that a function gives the same bits on both sides, and return the CPU's results."""
    expected = function(*arguments, **options)
    results = function(*map(there, arguments), **{k: there(v) for k, v in options.items()})
    pairs = zip(results, expected, strict=True) if isinstance(expected, tuple) else [(results, expected)]
    for got, want in pairs:
        wrong = differing(got, want)
        assert not len(wrong), f"{len(wrong)} of {want.size} differ, first {wrong[0]}"
    return expected


def messages(function, *arguments, **options):
    """Return what both sides say of a call that must be refused."""
    said = []
    for side in (lambda value: value, there):
        try:
            function(*map(side, arguments), **{k: side(v) for k, v in options.items()})
        except ValueError as error:
            said.append(str(error))
    return said
