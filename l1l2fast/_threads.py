"""Pieces of one pass over X, shared by threads."""


def in_threads(work, pieces, n_jobs):
    """work(piece) of every piece, in their order; an exception, Ctrl-C too, leaves out those not begun."""
    if n_jobs == 1 or len(pieces) == 1:
        return map(work, pieces)
    from concurrent.futures import ThreadPoolExecutor  # only whoever has several jobs pays for this import

    pool = ThreadPoolExecutor(min(n_jobs, len(pieces)))
    try:
        return list(pool.map(work, pieces))
    finally:
        pool.shutdown(cancel_futures=True)
