import numpy as np
from numpy.typing import NDArray

_Vector = NDArray[np.float64]

def simplex(
    Z: _Vector,
    y: _Vector,
    left: _Vector,
    right: _Vector,
    c: _Vector,
    b: _Vector,
    basis: NDArray[np.int64],
    psi: _Vector,
    max_pivots: int,
) -> tuple[int, int]: ...
