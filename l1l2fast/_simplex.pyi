import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

def simplex(
    Z: Vector,
    y: Vector,
    left: Vector,
    right: Vector,
    c: Vector,
    b: Vector,
    basis: NDArray[np.int64],
    psi: Vector,
    max_pivots: int,
) -> tuple[int, int]: ...
