"""What `bench/first_run.sh` puts beside the wheels it unpacks, as `sitecustomize`, which Python imports at start."""

import site
from pathlib import Path

# Numba-cuda takes the place of Numba's own `numba.cuda` by a .pth file, which Python reads in site directories alone.
site.addsitedir(str(Path(__file__).parent))

try:
    import numpy as np
except ImportError:
    pass
else:
    # Numba-cuda 0.30.4 still asks for this name at its first compilation, and NumPy 2.5 has it no more.
    vars(np).setdefault("row_stack", np.vstack)
