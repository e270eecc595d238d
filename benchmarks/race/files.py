"""Tasks and answers as plain files, so that any language can read them.

A folder holds `meta` (lines "name value") and arrays in little endian: `.f8` float64, `.i4` int32,
X in Fortran order or as data, indices and indptr of CSC; the coefficients of an answer always as CSC.
"""

from pathlib import Path

import numpy as np
import scipy.sparse as sp

from race.course import Task


def put(folder, name, array, dtype):
    np.asarray(array, dtype).ravel(order="F").tofile(Path(folder) / f"{name}.{dtype[1:]}")


def get(folder, name, dtype):
    return np.fromfile(Path(folder) / f"{name}.{dtype[1:]}", dtype)


def write_task(folder, task):
    meta = {"n": task.X.shape[0], "p": task.X.shape[1], "sparse": int(sp.issparse(task.X)), "kind": task.kind}
    meta |= {"l1_ratio": task.l1_ratio, "blocks": task.blocks, "alpha_max": repr(float(task.alpha_max))}
    meta |= {"loss": task.loss, "parameter": task.parameter, "intercept": int(task.intercept), "gamma": task.gamma}
    Path(folder, "meta").write_text("".join(f"{name} {value}\n" for name, value in meta.items()))
    if sp.issparse(task.X):
        write_csc(folder, task.X)
    else:
        put(folder, "X", task.X, "<f8")
    put(folder, "y", task.y, "<f8")
    put(folder, "alphas", task.alphas, "<f8")


def read_task(folder):
    meta = dict(line.split() for line in Path(folder, "meta").read_text().splitlines())
    n, p = int(meta["n"]), int(meta["p"])
    X = read_csc(folder, n) if int(meta["sparse"]) else get(folder, "X", "<f8").reshape((n, p), order="F")
    y, alphas = get(folder, "y", "<f8"), get(folder, "alphas", "<f8")
    numbers = float(meta["l1_ratio"]), meta["kind"], int(meta["blocks"]), float(meta["alpha_max"])
    parameter, gamma = (None if meta[name] == "None" else float(meta[name]) for name in ("parameter", "gamma"))
    return Task(X, y, alphas, *numbers, meta["loss"], parameter, bool(int(meta["intercept"])), gamma)


def write_csc(folder, matrix):
    put(folder, "data", matrix.data, "<f8")
    put(folder, "indices", matrix.indices, "<i4")
    put(folder, "indptr", matrix.indptr, "<i4")


def read_csc(folder, rows):
    indptr = get(folder, "indptr", "<i4")
    return sp.csc_matrix((get(folder, "data", "<f8"), get(folder, "indices", "<i4"), indptr), (rows, len(indptr) - 1))


def write_answer(folder, coef, intercept):
    write_csc(folder, sp.csc_matrix(coef))
    put(folder, "intercept", intercept, "<f8")


def read_answer(folder, rows):
    return read_csc(folder, rows), get(folder, "intercept", "<f8")
