"""Several vectors side by side, as one pass over X takes them along."""

import numpy as np


def panels(R):
    """Columns of R in panels of 8 by rows, each a cache line a row: shape (ceil(K / 8), n, 8), zeros at the end."""
    n, K = R.shape
    memory = np.zeros(8 * ((K + 7) // 8 * n + 1))
    first = (-memory.ctypes.data % 64) // 8
    packed = memory[first : first + len(memory) - 8].reshape((K + 7) // 8, n, 8)
    for k in range(len(packed)):
        packed[k, :, : min(8, K - 8 * k)] = R[:, 8 * k : 8 * k + 8]
    return packed
