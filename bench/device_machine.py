"""Say what a machine with a GPU has: driver, compilers, versions, the device. The status is 3 where there is no GPU."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

NO_DEVICE = 3
# The beginnings of the names of packages that CUDA support, the contenders and the tests stand on.
PACKAGES = ("numba", "llvmlite", "numpy", "cuda", "nvidia", "torch", "triton", "cupy", "jax", "pytest", "hypothesis")


def require_device() -> None:
    """End the process where there is no GPU; raises what keeps an installation from working."""
    from tests.requirements import missing_device

    missing = missing_device()
    if missing is not None:
        print(f"There is no GPU to run on: {missing}", file=sys.stderr)
        raise SystemExit(NO_DEVICE)


def command(*words: str) -> None:
    """Run a program that may be missing, or fail, and that tells about the machine."""
    print(f"$ {' '.join(words)}", flush=True)
    if shutil.which(words[0]) is None:
        print("not found", flush=True)
    else:
        subprocess.run(words, stderr=subprocess.STDOUT, check=False)


def packages() -> str:
    found = {f"{d.name} {d.version}" for d in distributions() if d.name.lower().startswith(PACKAGES)}
    return ", ".join(sorted(found, key=str.lower))


def device() -> str:
    """Name and size of the device, and where the modules that run on it come from."""
    import numba_cuda
    from numba import cuda

    device = cuda.get_current_device()
    memory = cuda.current_context().get_memory_info()
    return (
        f"{device.name}, compute capability {'.'.join(map(str, device.compute_capability))}, "
        f"{device.MULTIPROCESSOR_COUNT} multiprocessors, {memory.free / 2**30:.1f} of {memory.total / 2**30:.1f} GiB "
        f"free; numba-cuda {numba_cuda.__version__} from {cuda.__file__}"
    )


def main() -> None:
    # What needs the least comes first: it is there even if the rest fails.
    command("nvidia-smi")
    command("nvcc", "--version")
    print(f"Python {sys.version} at {sys.executable}")
    print(packages(), flush=True)
    import fastgumbel

    fastgumbel.show_config(cuda=True)
    sys.stdout.flush()
    require_device()
    print(device())


if __name__ == "__main__":
    main()
