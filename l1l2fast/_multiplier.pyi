import numpy as np
from numpy.typing import NDArray

_Vector = NDArray[np.float64]

def multiplier(
    Z: _Vector,
    y: _Vector,
    left: _Vector,
    right: _Vector,
    c: _Vector,
    d: _Vector,
    b: _Vector,
    psi: _Vector,
    max_rounds: int,
) -> tuple[int, int]: ...
