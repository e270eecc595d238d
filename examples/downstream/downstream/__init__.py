"""An example of a package that calls l1l2fast's kernels from Cython, without the GIL."""

from downstream._kernels import lasso_gram, soft_threshold

__all__ = ["lasso_gram", "soft_threshold"]
