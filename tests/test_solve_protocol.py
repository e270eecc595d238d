"""How a solve starts, stops, warns and repeats, whatever the cell."""

import _thread
import copy
import dataclasses
import pickle
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import reference
import scipy.sparse as sp
from cells import check, every_cell, quiet_solve
from data import load, random_problem

from l1l2fast import L1, L1L2, L2, Absolute, ConvergenceWarning, Result, Squared, Status, solve


def solve_and_warnings(X, y, cell, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = solve(X, y, cell.loss, cell.penalty(), **options)
    assert all(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    assert len(caught) <= 1
    return result, caught


def same_bits(result, other):
    arrays = [(r.coef, np.array([r.intercept, r.objective, r.gap]), r.certificate().theta) for r in (result, other)]
    return all(a.tobytes() == b.tobytes() for a, b in zip(*arrays)) and result.n_iter == other.n_iter


# 10. Stopping


@every_cell
@pytest.mark.parametrize("tol", [0.0, 1e-300, 1e-17, 1e-14, 1e-10, 1e-3, 1.0, 10.0])
@pytest.mark.parametrize("max_iter", [0, 1, 2, 1000])
def test_a_warning_if_and_only_if_the_gap_exceeds_the_tolerance(cell, tol, max_iter):
    X, y = random_problem(31, n=40, p=15)
    result, caught = solve_and_warnings(X, y, cell, tol=tol, max_iter=max_iter)
    assert bool(caught) == (result.gap > result.tolerance)
    assert (result.status is Status.CONVERGED) == (result.gap <= result.tolerance)
    pb = reference.problem(X, y, cell.loss, cell.l1, cell.l2)
    best, null = reference.solve(pb).objective, reference.null_objective(pb)
    assert result.gap >= result.objective - best - 64 * np.finfo(float).eps * null
    assert result.tolerance == pytest.approx(tol * null, rel=1e-12, abs=1e-13 * null)
    reference.check_certificate(pb, result)
    if max_iter == 1000:
        # No accuracy is beyond reach but the last bits; asking for those must end all the same.
        assert result.gap <= max(1e-11, tol) * null


@every_cell
def test_without_iterations_comes_the_start(cell):
    X, y = random_problem(31)
    start = np.arange(6.0)
    result, _ = solve_and_warnings(X, y, cell, max_iter=0, warm_start=start, tol=1e-12)
    pb = reference.problem(X, y, cell.loss, cell.l1, cell.l2)
    # The start, or anything better that costs no iteration (a closed form, the null model).
    best_start = min(reference.objective(pb, b0, start) for b0 in [*(y - X @ start), np.mean(y - X @ start)])
    assert result.objective <= best_start * (1 + 1e-12)
    reference.check_certificate(pb, result)


@every_cell
def test_warm_start_at_the_optimum(cell):
    X, y = random_problem(32, n=60, p=20)
    first = quiet_solve(X, y, cell.loss, cell.penalty(), tol=1e-10)
    for start in (first, first.coef, first.coef.tolist()):
        again = check(cell, X, y, warm_start=start)
        assert again.objective == pytest.approx(first.objective, rel=1e-10)
        # n_iter adds reweightings to pivots; what costs time on large data are the passes.
        assert again.n_passes <= first.n_passes


@every_cell
@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
def test_warm_start_from_anywhere(cell, size):
    X, y = random_problem(32)
    start = size * np.random.default_rng(0).standard_normal(6)
    before = start.copy()
    check(cell, X, y, warm_start=start, lower=-0.5, upper=0.5)
    assert np.array_equal(start, before)


# Callback and interrupt


@every_cell
def test_callback_sees_every_round(cell):
    X, y = random_problem(33, n=60, p=20)
    seen = []
    result = quiet_solve(X, y, cell.loss, cell.penalty(), callback=seen.append, tol=1e-10)
    assert len(seen) >= 1
    assert [info.round for info in seen] == list(range(len(seen)))
    passes = [info.n_passes for info in seen]
    assert passes == sorted(passes) and passes[-1] <= result.n_passes
    best = reference.solve(reference.problem(X, y, cell.loss, cell.l1, cell.l2)).objective
    for info in seen:
        assert info.objective >= best * (1 - 1e-12)
        assert info.gap >= info.objective - best - 1e-12 * abs(best)
    assert same_bits(result, quiet_solve(X, y, cell.loss, cell.penalty(), tol=1e-10))


@every_cell
def test_callback_that_stops(cell):
    """True, and nothing else, stops: the best point so far comes back with an honest gap."""
    X, y = random_problem(33, n=60, p=20)
    seen = []

    def stop(info):
        seen.append(info)
        return True

    result, caught = solve_and_warnings(X, y, cell, callback=stop, tol=1e-10)
    assert len(seen) == 1
    assert result.status is (Status.STOPPED if result.gap > result.tolerance else Status.CONVERGED)
    assert bool(caught) == (result.gap > result.tolerance)
    assert result.objective <= seen[0].objective * (1 + 1e-12)
    reference.check_certificate(reference.problem(X, y, cell.loss, cell.l1, cell.l2), result)
    for go_on in (None, False, 0):
        assert quiet_solve(X, y, cell.loss, cell.penalty(), callback=lambda info, go_on=go_on: go_on)


@every_cell
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_exception_in_the_callback_leaves_nothing_behind(cell, error):
    X, y = random_problem(33, n=60, p=20)
    before = X.copy(), y.copy()
    clean = quiet_solve(X, y, cell.loss, cell.penalty())

    def fail(info):
        raise error

    with pytest.raises(error):
        solve(X, y, cell.loss, cell.penalty(), callback=fail)
    assert np.array_equal(X, before[0]) and np.array_equal(y, before[1])
    assert same_bits(clean, quiet_solve(X, y, cell.loss, cell.penalty()))


@pytest.mark.parametrize(
    "loss, penalty, n, p", [("squared", L1(1e-4), 3000, 3000), ("absolute", L2(1e-4), 2000, 1500)], ids=["lasso", "lad"]
)
def test_ctrl_c_within_a_second(loss, penalty, n, p):
    """A problem of a second or many is interrupted after 0.1 s, as Ctrl-C does it."""
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    y = X[:, : p // 2] @ rng.standard_normal(p // 2) + rng.standard_normal(n)
    # A process started in the background ignores SIGINT, and Python then leaves it so.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.1, _thread.interrupt_main)
    start = time.perf_counter()
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            solve(X, y, loss, penalty, tol=1e-12)
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)
    assert time.perf_counter() - start < 1.6  # half a second for a busy machine


# Result


def test_result_says_what_it_is():
    data = load("stackloss")
    result = solve(data.X, data.y, penalty=L1(10.0))
    text = repr(result)
    assert text.startswith("Result(converged") and "\n" not in text and len(text) < 200
    assert f"{result.objective:.6g}"[:5] in text and "1 of 3" in text
    assert isinstance(result.intercept, float) and result.coef.dtype == np.float64 and result.coef.shape == (3,)
    assert result.time > 0 and result.n_passes >= 1
    assert isinstance(result.n_passes, int) and isinstance(result.n_iter, int)
    assert result.objective - result.dual_objective == pytest.approx(result.gap, abs=1e-12 * result.objective)
    names = {"converged", "stationary", "max_iter", "stopped", "unbounded"}
    assert result.message and {status.value for status in Status} == names
    for part, name in ((result, "coef"), (result, "gap"), (result.certificate(), "theta")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, name, 0)


@every_cell
def test_result_survives_pickling(cell):
    X, y = random_problem(34)
    result = quiet_solve(X, y, cell.loss, cell.penalty())
    for other in (pickle.loads(pickle.dumps(result)), copy.copy(result), copy.deepcopy(result)):
        assert type(other) is Result and repr(other) == repr(result)
        assert same_bits(result, other) and other.status is result.status
        reference.check_certificate(reference.problem(X, y, cell.loss, cell.l1, cell.l2), other)


def test_results_can_be_compared():
    X, y = random_problem(34)
    result, other = solve(X, y), solve(X, y)
    assert result == result
    assert isinstance(result == other, bool)
    assert result in [other, result]


@pytest.mark.parametrize(
    "form", [np.asarray, list, sp.csc_array, sp.csr_array, sp.csr_matrix, lambda X: X.astype(np.float32)]
)
def test_predict(form):
    X, y = random_problem(34)
    result = solve(X, y)
    new = np.round(X[:7] * 4)
    found = result.predict(form(new))
    assert type(found) is np.ndarray and found.shape == (7,) and found.dtype == np.float64
    np.testing.assert_allclose(found, new @ result.coef + result.intercept, rtol=1e-12)


def test_predict_on_a_frame():
    pd = pytest.importorskip("pandas")
    X, y = random_problem(34)
    result = solve(X, y)
    np.testing.assert_allclose(result.predict(pd.DataFrame(X)), result.predict(X), rtol=1e-12)


@pytest.mark.parametrize("wrong", [np.ones((2, 5)), np.ones(6), sp.csc_array(np.ones((2, 7)))])
def test_predict_refuses_other_shapes(wrong):
    X, y = random_problem(34)
    with pytest.raises(ValueError):
        solve(X, y).predict(wrong)


# One problem, one answer


@every_cell
def test_the_same_bits_on_every_repeat(cell):
    X, y = random_problem(35, n=80, p=30)
    first = quiet_solve(X, y, cell.loss, cell.penalty())
    for _ in range(3):
        assert same_bits(first, quiet_solve(X, y, cell.loss, cell.penalty()))


@every_cell
@pytest.mark.parametrize("sparse", [False, True])
def test_the_same_bits_in_eight_threads(cell, sparse):
    """One X and one penalty object, shared."""
    X, y = random_problem(35, n=80, p=30, sparse=sparse)
    X, penalty = (sp.csc_array(X) if sparse else X), cell.penalty()
    first = solve(X, y, cell.loss, penalty)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: solve(X, y, cell.loss, penalty), range(32)))
    assert all(same_bits(first, result) for result in results)


@pytest.mark.parametrize("name, loss", [("squared", Squared()), ("absolute", Absolute())])
def test_names_are_objects(name, loss):
    X, y = random_problem(36)
    for named, penalty in [
        ({}, None),
        ({"penalty": "l1"}, L1(1.0)),
        ({"penalty": "l2", "alpha": 0.3}, L2(0.3)),
        ({"penalty": "elasticnet"}, L1L2(0.5, 0.5)),
        ({"penalty": "elasticnet", "alpha": 0.25, "l1_ratio": 0.75}, L1L2(0.1875, 0.0625)),
    ]:
        assert same_bits(solve(X, y, name, **named), solve(X, y, loss, penalty))


def test_the_default_is_least_squares():
    X, y = random_problem(36)
    assert same_bits(solve(X, y), solve(X, y, "squared", None, fit_intercept=True, tol=1e-8, max_iter=1000))


@every_cell
def test_order_of_rows_and_columns_is_nobodys_business(cell):
    X, y = random_problem(37)
    rows, columns = np.random.default_rng(0).permutation(30), np.random.default_rng(1).permutation(6)
    plain = check(cell, X, y)
    moved = check(cell, X[rows][:, columns], y[rows])
    assert moved.objective == pytest.approx(plain.objective, rel=1e-9)
    np.testing.assert_allclose(moved.coef, plain.coef[columns], rtol=1e-4, atol=1e-4 * np.max(abs(plain.coef)))


def test_a_result_survives_pickling_without_the_data():
    X = np.arange(12.0).reshape(6, 2) ** 2
    result = solve(X, np.arange(6.0), penalty=L1(0.1))
    copied = pickle.loads(pickle.dumps(result))
    assert len(pickle.dumps(result)) < 2000 and repr(copied) == repr(result)
    np.testing.assert_array_equal(copied.certificate().theta, result.certificate().theta)
