"""The public C face: signatures are frozen, functions do what their declarations say."""

import ctypes
from ctypes import POINTER, c_double, c_ssize_t

import numpy as np
import pytest

from l1l2fast import L1, L1L2, L2, cython_api, solve

# At import, cimport compares these strings: a changed one breaks every package built before.
SIGNATURES = {
    "soft_threshold_d": "double (double, double)",
    "prox_l1_d": "double (double, double, double)",
    "prox_l2_d": "double (double, double, double)",
    "prox_l1l2_d": "double (double, double, double, double)",
    "prox_group_d": "void (Py_ssize_t, double const *, double, double *)",
    "soft_threshold_n_d": "void (Py_ssize_t, double const *, double, double *)",
    "enet_gram_epoch_d": "double (Py_ssize_t, double const *, Py_ssize_t, double *, double *, double, double)",
    "enet_epoch_d": "double (Py_ssize_t, Py_ssize_t, double const *, Py_ssize_t, double const *, double *, double *, "
    "double, double)",
    "lad_weights_d": "void (Py_ssize_t, double const *, double, double *)",
}
TYPES = {
    "double": c_double,
    "Py_ssize_t": c_ssize_t,
    "void": None,
    "double const *": POINTER(c_double),
    "double *": POINTER(c_double),
}


def name_of(capsule):
    get = ctypes.pythonapi.PyCapsule_GetName
    get.restype, get.argtypes = ctypes.c_char_p, [ctypes.py_object]
    return get(capsule).decode()


def function(name):
    """The C function behind a capsule, callable with floats and float64 arrays."""
    capsule, (returns, takes) = cython_api.__pyx_capi__[name], SIGNATURES[name].rstrip(")").split(" (")
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    kinds = [TYPES[kind] for kind in takes.split(", ")]
    call = ctypes.CFUNCTYPE(TYPES[returns], *kinds)(get(capsule, name_of(capsule).encode()))

    def wrapped(*args):
        return call(*(arg.ctypes.data_as(POINTER(c_double)) if isinstance(arg, np.ndarray) else arg for arg in args))

    return wrapped


def test_signatures_are_frozen():
    assert {name: name_of(capsule) for name, capsule in cython_api.__pyx_capi__.items()} == SIGNATURES


@pytest.mark.parametrize("z", [-3.0, -0.5, 0.0, 0.25, 2.0])
def test_proximal_maps(z):
    assert function("soft_threshold_d")(z, 0.5) == np.sign(z) * max(abs(z) - 0.5, 0)
    assert function("prox_l1_d")(z, 2.0, 0.25) == L1(0.25).apply_prox(z, 2.0)
    assert function("prox_l2_d")(z, 2.0, 0.25) == L2(0.25).apply_prox(z, 2.0)
    assert function("prox_l1l2_d")(z, 2.0, 0.25, 3.0) == L1L2(0.25, 3.0).apply_prox(z, 2.0)


def test_vector_maps():
    z, b = np.array([3.0, -4.0]), np.empty(2)
    function("prox_group_d")(2, z, 1.0, b)
    np.testing.assert_allclose(b, 0.8 * z, rtol=1e-15)
    function("prox_group_d")(2, z, 5.0, b)
    assert not b.any()
    function("soft_threshold_n_d")(2, z, 3.5, z)  # in place
    np.testing.assert_array_equal(z, [0.0, -0.5])


def test_epochs_descend_to_the_elastic_net():
    rng = np.random.default_rng(0)
    X, y = np.asfortranarray(rng.standard_normal((40, 6))), rng.standard_normal(40)
    G, q, b = X.T @ X, X.T @ y, np.zeros(6)
    r, other, square = y.copy(), np.zeros(6), np.diag(G).copy()
    for _ in range(200):
        in_gram = function("enet_gram_epoch_d")(6, G, 6, q, b, 4.0, 2.0)
        in_residual = function("enet_epoch_d")(40, 6, X.T.ravel(), 40, square, r, other, 4.0, 2.0)
    assert in_gram < 1e-25 and in_residual < 1e-25
    best = solve(X, y, penalty=L1L2(4.0 / 40, 2.0 / 40), fit_intercept=False, tol=1e-14).coef
    np.testing.assert_allclose(b, best, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(other, best, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(r, y - X @ other, rtol=1e-9, atol=1e-12)


def test_lad_weights():
    r, w = np.array([0.0, 3.0, -1e200]), np.empty(3)
    function("lad_weights_d")(3, r, 4.0, w)
    np.testing.assert_allclose(w, [0.25, 0.2, 1e-200], rtol=1e-15)
