"""Dense blocks of A = diag(root) X~_J diag(scale), and A'A or A A' from them: a copy of X is never made.

J are the columns `which`, in the order given; root is the square root of the weights.
"""

import numpy as np
from scipy.linalg import blas, lapack, qr

from l1l2fast.problem import EPS

# Numbers in one block, beyond half the size of the Gram matrix: it stays in the second-level cache.
BLOCK = 1 << 18
# Multiplications in one call of BLAS, so that Ctrl-C is heard within a second.
WORK = 1e10


def steps(size, other):
    """Slices of `size` so that a block of them by `other` is neither tiny nor much of X."""
    step = max(other // 2, BLOCK // (other + 1), 16)
    return [slice(lo, min(lo + step, size)) for lo in range(0, size, step)]


def row_block(X, part, which, scale, root=None):
    """The rows `part` of A, without root if there is none; in the order of X's memory."""
    every = len(which) == X.p
    if X.sparse:
        block = X.block(part.start, part.stop, np.ones(X.n)).T
        return finish(block if every else block[:, which], scale, None if root is None else root[part])
    rows = X.owner[part]
    block = np.subtract(rows if every else rows[:, which], X.mean[which], dtype=np.float64)
    return finish(block, scale * X.scale[which], None if root is None else root[part])


def column_block(X, part, which, scale, root):
    """The columns which[part] of A."""
    chosen = which[part]
    columns = X.owner[:, part if len(which) == X.p else chosen]
    columns = columns.toarray() if X.sparse else columns
    block = np.subtract(columns, X.mean[chosen], dtype=np.float64)
    return finish(block, scale[part] * X.scale[chosen], root)


def finish(block, scale, root):
    """Scale a block in place, by columns and by rows; equal rows cost nothing."""
    if root is not None and (root == root[0]).all():
        scale = scale * root[0]
    elif root is not None:
        block *= root[:, None]
    if not (scale == 1).all():
        block *= scale
    return block


def add_syrk(gram, block):
    """gram += block'block, in its lower triangle; gram is Fortran-ordered."""
    block, turned = (block.T, 0) if block.flags.c_contiguous else (block, 1)
    return blas.dsyrk(1.0, block, 1.0, gram, trans=turned, lower=1, overwrite_c=1)


def plain(problem, which):
    """Can BLAS read X where it lies, all of it and all rows counting the same, without losing digits to the means?"""
    X, weight = problem.columns, problem.weight
    if X.sparse or X.owner.dtype != np.float64 or len(which) < X.p or not (weight == weight[0]).all():
        return False
    return X.near(which.astype(np.intp), problem.square)


def gram_of_columns(problem, which, scale, root):
    """A'A, its lower triangle, Fortran-ordered."""
    X, k = problem.columns, len(which)
    gram = np.zeros((k, k), order="F")
    if X.sparse or plain(problem, which):
        X.gram(which.astype(np.intp), root, gram.T, 0, True)
        gram *= scale
        gram *= scale[:, None]
        return gram
    for part in steps(X.n, k):
        gram = add_syrk(gram, row_block(X, part, which, scale, root))
    return gram


def even(problem, which, scale):
    """The one scale of all columns, if BLAS can read X where it lies; else 0."""
    scale = scale * problem.columns.scale[which]
    return scale[0] if (scale == scale[0]).all() and plain(problem, which) else 0.0


def gram_of_rows(problem, which, scale, root):
    """A A', both triangles, Fortran-ordered."""
    X, n = problem.columns, problem.columns.n
    gram = np.zeros((n, n), order="F")
    unit = even(problem, which, scale)
    if X.sparse and X.near(which.astype(np.intp), problem.square):
        columns = X.owner[:, which].astype(np.float64).multiply(scale * X.scale[which]).tocsc()
        gram[:] = (columns @ columns.T).toarray()
        if problem.intercept:
            mean = gram @ problem.weight
            gram -= mean[:, None] + (mean - problem.weight @ mean)
        gram *= root
        gram *= root[:, None]
        return gram
    if unit:
        for part in steps(X.p, 2 * n + int(WORK / (n * n + 1))):
            gram = add_syrk(gram, X.owner[:, part].T)
        gram = mirror(gram)
        if problem.intercept:
            mean = gram.mean(0)
            gram -= mean[:, None] + (mean - mean.mean())
        gram *= (root[0] * unit) ** 2
        return gram
    for part in steps(len(which), n):
        gram = add_syrk(gram, column_block(X, part, which, scale, root).T)
    return mirror(gram)


def mirror(gram):
    """Copy the lower triangle to the upper one, block by block, in place."""
    n, step = len(gram), 256
    for lo in range(0, n, step):
        hi = min(lo + step, n)
        gram[lo:hi, hi:] = gram[hi:, lo:hi].T
        corner = gram[lo:hi, lo:hi]
        corner[:] = np.tril(corner) + np.tril(corner, -1).T
    return gram


def triangle(problem, which, scale, root, Y):
    """The upper triangle (or trapezoid) R of an orthogonal factorisation of [A, root Y], folded from row blocks."""
    X, R = problem.columns, np.empty((0, len(which) + Y.shape[1]))
    for part in steps(X.n, 4 * len(which)):
        block = row_block(X, part, which, scale, root)
        stacked = np.empty((len(R) + len(block), R.shape[1]), order="F")
        stacked[: len(R)] = R
        stacked[len(R) :, : len(which)] = block
        stacked[len(R) :, len(which) :] = root[part, None] * Y[part]
        R = np.triu(lapack.dgeqrf(stacked, lwork=64 * R.shape[1], overwrite_a=1)[0][: R.shape[1]])
    return R


def cross(problem, which, scale, root, Y):
    """A' diag(root) Y."""
    if plain(problem, which):  # sum w y is zero with an intercept, so that the means drop out
        return (scale * problem.columns.scale)[:, None] * (problem.columns.owner.T @ (root[:, None] ** 2 * Y))
    out = np.zeros((len(which), Y.shape[1]))
    for part in steps(len(root), len(which)):
        out += row_block(problem.columns, part, which, scale, root).T @ (root[part, None] * Y[part])
    return out


def residuals(problem, b, Y):
    """r = y - X~ b, less its mean if there is an intercept, and X~'(w r), for all columns of b in one pass.

    The columns of b belong to those of Y in equal shares, one after the other.
    """
    X, weight, count = problem.columns, problem.weight, b.shape[1] // Y.shape[1]
    every, one = np.arange(X.p), np.ones(X.p)
    r, u = np.empty((X.n, b.shape[1])), np.zeros(b.shape)
    for part in steps(X.n, X.p):
        block = row_block(X, part, every, one)
        np.matmul(block, b, out=r[part])
        np.subtract(np.repeat(Y[part], count, axis=1), r[part], out=r[part])
        u += block.T @ (weight[part, None] * r[part])
    if problem.intercept:  # X~'w is zero: u does not notice
        r -= weight @ r
    return r, u


def residuals_of_few(problem, b, Y):
    """As `residuals`, up to the rounding of y and X~ b, from what few directions span b."""
    few, mixture = narrow(b)
    if mixture is None:
        return residuals(problem, b, Y)
    X, weight, count, t = problem.columns, problem.weight[:, None], b.shape[1] // Y.shape[1], Y.shape[1]
    if plain(problem, np.arange(X.p)):
        fit = np.hstack([Y, X.owner @ (X.scale[:, None] * few) - (X.mean * X.scale) @ few])
        back = X.scale[:, None] * (X.owner.T @ (weight * fit) - X.mean[:, None] * (weight * fit).sum(0))
    else:
        every, one = np.arange(X.p), np.ones(X.p)
        fit, back = np.hstack([Y, np.empty((X.n, few.shape[1]))]), np.zeros((X.p, t + few.shape[1]))
        for part in steps(X.n, X.p):
            block = row_block(X, part, every, one)
            fit[part, t:] = block @ few
            back += block.T @ (weight[part] * fit[part])
    r, u = (np.repeat(both[:, :t], count, axis=1) - both[:, t:] @ mixture for both in (fit, back))
    return (r - weight[:, 0] @ r if problem.intercept else r), u


def turn_back(problem, which, scale, root, z):
    """b = diag(scale) A'z in the rows `which`, zero in the others."""
    X = problem.columns
    z, mixture = narrow(z)
    unit = even(problem, which, scale)
    if unit:  # sum root z is zero with an intercept, so that the means drop out
        b = X.owner.T @ (root[0] * unit * scale[0] * z)
    else:
        b = np.zeros((X.p, z.shape[1]))
        for part in steps(len(which), X.n):
            b[which[part]] = scale[part, None] * (column_block(X, part, which, scale, root).T @ z)
    return b if mixture is None else b @ mixture


def narrow(z):
    """few, mixture with few @ mixture = z up to rounding: the solutions of 100 alphas have far fewer directions."""
    size = np.linalg.norm(z, axis=0)
    size[size == 0] = 1.0
    Q, R, pivot = qr(z / size, mode="economic", pivoting=True)
    extent = np.abs(R.diagonal())
    rank = int(np.count_nonzero(extent > 4 * EPS * extent[0]))
    if not 0 < 2 * rank < z.shape[1]:
        return z, None
    mixture = np.empty((rank, len(pivot)))
    mixture[:, pivot] = R[:rank]
    return Q[:, :rank], mixture * size
