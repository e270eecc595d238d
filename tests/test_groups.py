"""Group: the group lasso, the norm as a penalty, the sparse group lasso, with every loss."""

import numpy as np
import pytest
import reference_groups as judge
import scipy.sparse as sp

from l1l2fast import L1, L2, Absolute, Group, Huber, Logistic, Pinball, Squared, Status, solve

LOSSES = [Squared(), Absolute(), Pinball(0.3), Huber(0.7), Logistic()]
LABELS = ["b", "a", "a", "c", "b", "c", "d", "a", "e", "e"]
PENALTIES = [Group(0.1), Group(0.05, LABELS), Group(0.05, LABELS, 0.03), Group(0.0, LABELS, 0.05)]
STORES = {"C": np.array, "F": np.asfortranarray, "csc": sp.csc_array, "float32": lambda X: X.astype(np.float32)}
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
every_penalty = pytest.mark.parametrize("penalty", PENALTIES, ids=str)


def data(loss, seed=0, n=40, p=10):
    """Correlated columns of which some matter, and a few wild rows."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1)) + 2
    f = X[:, 1] - X[:, 2] + 0.5 * X[:, 3]
    y = f + rng.standard_normal(n) + 5 * (rng.random(n) < 0.1)
    return X, (np.where(y > np.median(y), 1.0, -1.0) if isinstance(loss, Logistic) else y)


def options(kind, n, p=10):
    """Arguments of solve, one kind at a time."""
    rng = np.random.default_rng(5)
    factor = np.array([{"a": 2, "b": 0, "c": 0.5, "d": 1, "e": np.inf}[label] for label in LABELS])
    return {
        "plain": {},
        "no intercept": {"fit_intercept": False},
        "weights": {"sample_weight": rng.integers(0, 4, n)},
        "offset": {"offset": rng.standard_normal(n)},
        "factors": {"penalty_factor": factor},
        "standardize": {"standardize": True, "sample_weight": rng.random(n)},
        "warm": {"warm_start": rng.standard_normal(p)},
    }[kind]


@every_loss
@every_penalty
@pytest.mark.parametrize("kind", ["plain", "no intercept", "weights", "offset", "factors", "standardize", "warm"])
def test_against_the_judge(loss, penalty, kind):
    X, y = data(loss)
    X = X.astype(np.float32).astype(float)  # all stores hold the same numbers
    rest = options(kind, len(y))
    if kind == "factors" and penalty.groups is None:
        rest = {"penalty_factor": 0.5}
    pb = judge.problem(X, y, loss, penalty, **rest)
    best = judge.objective(pb, *judge.solve(pb))
    for store in STORES.values():
        result = solve(store(X), y, loss, penalty, tol=1e-10, **rest)
        assert result.status is Status.CONVERGED
        assert result.objective == pytest.approx(judge.objective(pb, result.intercept, result.coef), rel=1e-12)
        assert result.objective == pytest.approx(best, rel=1e-8)
        assert result.objective - best <= result.gap + 1e-12 * best
        judge.check_certificate(pb, result)


@every_loss
@pytest.mark.parametrize("store", STORES)
def test_every_store_of_X(loss, store):
    X, y = data(loss)
    X[:, 4] = np.where(X[:, 4] > 2, X[:, 4], 0)
    X = X.astype(np.float32).astype(float)
    result = solve(STORES[store](X), y, loss, PENALTIES[2], tol=1e-12)
    other = solve(X, y, loss, PENALTIES[2], tol=1e-12)
    assert result.coef == pytest.approx(other.coef, abs=1e-6)
    assert (result.coef == 0).tolist() == (other.coef == 0).tolist()


@every_loss
def test_groups_of_one_are_the_lasso(loss):
    X, y = data(loss)
    groups = solve(X, y, loss, Group(0.1, range(10)), tol=1e-12)
    lasso = solve(X, y, loss, L1(0.1), tol=1e-12)
    assert groups.coef == pytest.approx(lasso.coef, abs=1e-6)


@every_loss
def test_without_strength_there_is_no_penalty(loss):
    X, y = data(loss)
    assert solve(X, y, loss, Group(0.0)).objective == pytest.approx(solve(X, y, loss, tol=1e-10).objective, rel=1e-7)


def test_the_norm_is_ridge_at_its_own_strength():
    X, y = data(Squared())
    norm = solve(X, y, penalty=Group(0.1), tol=1e-14)
    ridge = solve(X, y, penalty=L2(0.1 * np.sqrt(10) / np.linalg.norm(norm.coef)), tol=1e-14)
    assert norm.coef == pytest.approx(ridge.coef, abs=1e-7)


@every_loss
def test_turned_columns_turn_the_coefficients_of_their_group(loss):
    X, y = data(loss)
    J = [1, 2, 7]
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
    turned = X.copy()
    turned[:, J] = X[:, J] @ turn
    straight = solve(X, y, loss, PENALTIES[1], tol=1e-12)
    other = solve(turned, y, loss, PENALTIES[1], tol=1e-12)
    assert turn @ other.coef[J] == pytest.approx(straight.coef[J], abs=1e-6)
    assert other.objective == pytest.approx(straight.objective, rel=1e-10)
    assert other.predict(turned) == pytest.approx(straight.predict(X), abs=1e-6)


@every_loss
@pytest.mark.parametrize("l1", [0.0, 0.02])
def test_the_least_alpha_that_leaves_nothing(loss, l1):
    """Just above it all is zero, and that is proved; just below it one group is not."""
    X, y = data(loss)
    null = solve(X, y, loss, Group(1e9, LABELS), tol=1e-13)
    assert not null.coef.any()
    u = null.certificate().theta @ X
    sizes = {label: LABELS.count(label) ** 0.5 for label in LABELS}
    norms = {}
    for label in sizes:
        z = u[[here == label for here in LABELS]]
        norms[label] = np.linalg.norm(np.maximum(np.abs(z) - l1, 0)) / sizes[label]
    top = max(norms.values())
    assert not solve(X, y, loss, Group(1.0001 * top, LABELS, l1), tol=1e-10).coef.any()
    below = solve(X, y, loss, Group(0.999 * top, LABELS, l1), tol=1e-10)
    assert {LABELS[j] for j in np.flatnonzero(below.coef)} == {max(norms, key=norms.get)}


@every_loss
@pytest.mark.parametrize("l1", [0.0, 0.01])
@pytest.mark.parametrize("shape", [(400, 60), (60, 600)])
def test_the_gap_that_is_asked_for(loss, l1, shape):
    X, y = data(loss, 3, *shape)
    for size in (5, shape[1]):
        result = solve(X, y, loss, Group(0.02, np.arange(shape[1]) // size, l1), tol=1e-10)
        assert result.gap <= result.tolerance, (size, result)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@every_penalty
def test_units_do_not_matter(scale, penalty):
    X, y = data(Squared())
    straight = solve(X, y, "squared", penalty, tol=1e-10)
    scaled = Group(penalty.alpha * scale, penalty.groups, penalty.l1 * scale)
    other = solve(X, scale * y, "squared", scaled, tol=1e-10)
    assert other.coef / scale == pytest.approx(straight.coef, abs=1e-6)
    shifted = solve(scale * X + 1e3, y, "squared", scaled, tol=1e-10)
    assert shifted.coef * scale == pytest.approx(straight.coef, abs=1e-6)


@every_loss
def test_hostile_columns(loss):
    """Constant, equal and zero columns, more columns than rows, one row, none of the columns."""
    X, y = data(loss, 2, 15, 10)
    X[:, 0], X[:, 1], X[:, 3] = 3.0, X[:, 2], 0.0
    result = solve(X, y, loss, PENALTIES[2], standardize=True)
    assert result.status is Status.CONVERGED
    assert result.coef[[0, 3]].tolist() == [0, 0]
    assert solve(np.empty((15, 0)), y, loss, Group()).coef.shape == (0,)
    assert solve(X[:1], y[:1], Squared(), Group()).coef.tolist() == [0] * 10


def test_what_is_refused():
    X, y = data(Squared())
    with pytest.raises(ValueError, match=r"Group\(groups\) must hold one label for each of the 10 columns, got 3"):
        solve(X, y, penalty=Group(1.0, [1, 2, 3]))
    with pytest.raises(ValueError, match="penalty_factor must be the same within a group, got .* positions 1 and 2"):
        solve(X, y, penalty=PENALTIES[1], penalty_factor=[1, 1, 2, 1, 1, 1, 1, 1, 1, 1])
    for bounds in ({"positive": True}, {"lower": -1}, {"upper": np.ones(10)}):
        with pytest.raises(ValueError, match="lower, upper and positive go with penalties on single coefficients"):
            solve(X, y, penalty=Group(), **bounds)
    with pytest.raises(ValueError, match=r"Group\(alpha\) must be a finite number >= 0"):
        solve(X, y, penalty=Group(-1.0))
    result = solve(X, y, penalty=Group())
    for question in result.solution_set, result.leverage:
        with pytest.raises(ValueError, match="penalty must be a sum over coefficients for that"):
            question()


def test_it_is_a_value():
    assert Group(0.5, [1, 1, 2]) == Group(0.5, np.array([1, 1, 2]))
    assert len({Group(0.5, [1, 1, 2]), Group(0.5, [1, 1, 2]), Group(0.5), Group(0.5, None, 0.1)}) == 3
    assert repr(Group(0.5, [1, 1, 2])) == "Group(alpha=0.5, groups=<2 of 3 columns>, l1=0.0)"
    assert Group(0.5, [1, 1, 2], 0.1)([3, 4, 2]) == pytest.approx(0.5 * (2**0.5 * 5 + 2) + 0.1 * 9)


CONSTANT = {"beside others": ["a", "a", "b", "a"], "alone": ["a", "a", "b", "c"], "one norm": None}


@every_loss
@pytest.mark.parametrize("place", CONSTANT)
@pytest.mark.parametrize("l1", [0.0, 0.1])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_a_constant_column(loss, place, l1, fit_intercept, standardize):
    """Its sd is 0, so that the standardised norm does not hold it: free without an intercept, nothing with one."""
    X, y = data(loss, 1, 7, 4)
    X[:, 3] = 3.0
    rest = {"fit_intercept": fit_intercept, "standardize": standardize}
    for penalty in Group(0.2, CONSTANT[place], l1), Group(0.02, CONSTANT[place], l1):
        pb = judge.problem(X, y, loss, penalty, **rest)
        best = judge.objective(pb, *judge.solve(pb))
        result = solve(X, y, loss, penalty, tol=1e-10, **rest)
        assert result.status is Status.CONVERGED
        assert result.objective == pytest.approx(judge.objective(pb, result.intercept, result.coef), rel=1e-12)
        assert result.objective == pytest.approx(best, rel=1e-7)
        assert result.objective - best <= result.gap + 1e-12
        if standardize and not fit_intercept:  # the dual point is feasible: the free column has no slope
            assert X[:, 3] @ result.certificate().theta == pytest.approx(0, abs=1e-9)
        warm = solve(X, y, loss, penalty, tol=1e-10, warm_start=np.ones(4), **rest)
        assert warm.objective == pytest.approx(result.objective, rel=1e-9)


@pytest.mark.parametrize("loss", [Absolute(), Huber(), Squared()], ids=str)
def test_a_constant_column_that_explains_everything(loss):
    """Nothing is left for the norm to pay."""
    X = np.array([[1.0, 2.0, -1.0], [1.0, -1.0, 0.5]])
    result = solve(X, [2.0, 2.0], loss, Group(0.5), fit_intercept=False, standardize=True)
    assert result.coef == pytest.approx([2, 0, 0]) and result.objective == pytest.approx(0, abs=1e-12)
    result = solve(X, [2.0, 2.0], loss, Group(0.5), fit_intercept=False, standardize=True, norm_bound=0.0)
    assert result.coef == pytest.approx([2, 0, 0]) and result.objective == pytest.approx(0, abs=1e-12)


@every_loss
def test_constant_columns_in_the_coordinates_of_the_rows(loss):
    """More columns than rows, one norm: a constant column takes no part with an intercept, and is free without."""
    X, y = data(loss, 2, 12, 210)
    X[:, :2] = 5.0, -1.0
    for fit_intercept in True, False:
        rest = {"fit_intercept": fit_intercept, "standardize": True}
        result = solve(X, y, loss, Group(0.05), tol=1e-9, **rest)
        pb = judge.problem(X, y, loss, Group(0.05), **rest)
        assert result.gap <= result.tolerance
        assert result.objective == pytest.approx(judge.objective(pb, result.intercept, result.coef), rel=1e-12)
        judge.check_certificate(pb, result)
