"""The benchmarks: kernels, whole fits, and what importing costs."""
