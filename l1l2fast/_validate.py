"""The one place that looks at the user's arguments and raises.

Every error names the argument, says what was expected and what came, and is raised before
any work is done. Nothing here or behind it writes to the user's arrays.
"""

import functools
import math
import sys

import numpy as np

from l1l2fast import _frames, losses, penalties
from l1l2fast._dense import DenseC, DenseF
from l1l2fast._objective import survey, within
from l1l2fast._sparse import Sparse
from l1l2fast._validate_groups import grouping
from l1l2fast.group import Group
from l1l2fast.problem import Problem
from l1l2fast.result import Result

LOSSES = {loss.__name__.lower(): loss for loss in losses.Loss.__subclasses__()}
PENALTIES = ("l1", "l2", "elasticnet")
METHODS = ("irls", "interior")
TEXTBOOK = ("ista", "fista", "subgradient")

# Squares must neither overflow nor vanish: columns are accepted between these root mean squares.
SMALLEST, LARGEST = 1e-145, 1e150
# A bound this far out is no bound: a dual coordinate of rounding size would still cost infinitely much there.
FAR = 1e150


def real_array(name, value, ndim):
    """A real, native numpy array of `ndim` dimensions; text, complex and masked arrays are refused."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array: fill or drop the masked entries first")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers: {error}") from None
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must hold numbers only: {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension{'s' * (ndim > 1)}, got shape {array.shape}")
    return array


def storage(array):
    """float32 stays (and takes in float16), all else becomes float64; native byte order."""
    kind = array.dtype
    if kind == np.float64 or kind == np.float32:
        return array if kind.isnative else array.astype(kind.newbyteorder("="))
    return array.astype(np.float32 if kind == np.float16 else np.float64)


def columns(X):
    """X as columns: no copy of float32 or float64 data in C, Fortran or canonical CSC order."""
    sparse = sys.modules.get("scipy.sparse")
    if _frames.is_frame(X):
        X = _frames.numbers(X)
    if sparse is not None and sparse.issparse(X):
        if X.dtype.kind not in "fiub":
            raise TypeError(f"X must hold real numbers, got dtype {X.dtype}")
        if X.ndim != 2:
            raise ValueError(f"X must have 2 dimensions, got shape {X.shape}")
        given = X
        X = X.tocsc()
        data = storage(X.data)
        if data is not X.data:
            X = sparse.csc_array((data, X.indices, X.indptr), shape=X.shape)
        if not X.has_canonical_format:
            X = X.copy() if X is given or np.shares_memory(X.data, given.data) else X
            X.sum_duplicates()
        kind = Sparse
    else:
        X = storage(real_array("X", X, 2))
        flags = X.flags
        if not (flags.aligned and (flags.c_contiguous or flags.f_contiguous)):
            X = np.array(X, order="C")
        kind = DenseF if X.flags.f_contiguous else DenseC
    if X.shape[0] == 0:
        raise ValueError(f"X must have at least one row, got shape {X.shape}")
    return kind(X)


def vector(name, value, size, *, scalar=False):
    """A finite float64 vector of the given size; `scalar` lets one number stand for all."""
    if scalar and np.ndim(value) == 0:
        value = np.full(size, value)
    elif name == "y" and np.ndim(value) == 2 and np.shape(value)[1] == 1:
        value = np.asarray(value)[:, 0]
    array = np.ascontiguousarray(real_array(name, value, 1), dtype=np.float64)
    if array.shape[0] != size:
        raise ValueError(f"{name} must have {size} entries, got {array.shape[0]}")
    return array


def finite(name, array):
    """The array, if all of it is finite."""
    if not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array))[0]
        raise ValueError(f"{name} must be finite, got {array[bad]} at position {bad}")
    return array


def number(name, value, low, high=math.inf, *, kind=float):
    """A number within [low, high]; infinity is refused unless it is a bound's own business."""
    if type(value) is kind and low <= value <= high and value < math.inf:
        return value
    if isinstance(value, (bool, np.bool_, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if kind is int and value != math.inf and int(value) != value:
        raise ValueError(f"{name} must be an integer, got {value!r}")
    if not low <= value <= high or value == math.inf:
        upper = "" if high == math.inf else f" and <= {high:g}"
        raise ValueError(f"{name} must be a finite number >= {low:g}{upper}, got {value!r}")
    return kind(value)


def flag(name, value):
    """A bool."""
    if value is True or value is False:
        return value
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def parameters(thing):
    """A loss or penalty whose constructor arguments lie within their limits."""
    for name in names(type(thing)):
        value, limits = getattr(thing, name), thing.limits.get(name, (0.0, math.inf))
        if not (limits[0] <= value <= limits[1] and value < math.inf):
            number(f"{type(thing).__name__}({name})", value, *limits)
    return thing


@functools.cache
def names(kind):
    """The constructor arguments of a loss or penalty class."""
    return tuple(kind().parameters())


def loss(value):
    """A Loss from an object or a name."""
    if isinstance(value, str) and value in LOSSES:
        return LOSSES[value]()
    if not isinstance(value, losses.Loss):
        raise ValueError(f"loss must be a Loss or one of {sorted(LOSSES)}, got {value!r}")
    return parameters(value)


def penalty(value, alpha, l1_ratio):
    """A Penalty from an object, or from a name with alpha and l1_ratio; None is L2(0)."""
    if not isinstance(value, str):
        if alpha is not None or l1_ratio is not None:
            name = "alpha" if alpha is not None else "l1_ratio"
            raise ValueError(f"{name} goes with a penalty given by name {PENALTIES}, got penalty={value!r}")
        if value is None:
            return penalties.L2(0.0)
        if not isinstance(value, (penalties.Penalty, Group)):
            raise ValueError(f"penalty must be None, a Penalty or one of {PENALTIES}, got {value!r}")
        return parameters(value)
    if value not in PENALTIES:
        raise ValueError(f"penalty must be None, a Penalty or one of {PENALTIES}, got {value!r}")
    alpha = number("alpha", 1.0 if alpha is None else alpha, 0.0)
    if value != "elasticnet":
        if l1_ratio is not None:
            raise ValueError(f"l1_ratio goes with penalty='elasticnet', got penalty={value!r}")
        return penalties.L1(alpha) if value == "l1" else penalties.L2(alpha)
    l1_ratio = number("l1_ratio", 0.5 if l1_ratio is None else l1_ratio, 0.0, 1.0)
    return penalties.L1L2(alpha * l1_ratio, alpha * (1 - l1_ratio))


def method(value, loss, penalty, bounded):
    """None, or the name of a method that applies."""
    if value is None:
        return None
    if value not in METHODS + TEXTBOOK:
        raise ValueError(f"method must be None or one of {METHODS + TEXTBOOK}, got {value!r}")
    elastic = penalty.elastic()
    if value in TEXTBOOK:
        if loss.slopes() is not None or elastic is None:
            raise ValueError(f"method={value!r} goes with smooth losses and L1 or L2, got {loss!r} and {penalty!r}")
        return value
    if loss.slopes() is None or elastic is None:
        raise ValueError(f"method={value!r} goes with the absolute and the pinball loss, got loss={loss!r}")
    if value == "interior" and (any(elastic) or bounded):
        raise ValueError("method='interior' goes without penalty and bounds: leave method=None there")
    return value


def constant(value, size):
    """A vector of one value that nobody may write to; the short ones are made once."""
    return remembered(value, size) if size <= SHORT else filled(value, size)


def filled(value, size):
    """As `constant`, made anew."""
    array = np.empty(size)
    array.fill(value)
    array.flags.writeable = False
    return array


# Vectors up to this length are kept, some hundred of them at most.
SHORT = 1000
remembered = functools.lru_cache(maxsize=128)(filled)


def weights(value, n):
    """Sample weights scaled to the sum 1."""
    if value is None:
        return constant(1 / n, n)
    w = tallies(value, n)
    return w / w.sum()


def tallies(value, n):
    """Sample weights as they were given, but for a power of two: integers keep sums that are exact."""
    if value is None:
        return constant(1.0, n)
    w = finite("sample_weight", vector("sample_weight", value, n, scalar=True))
    if w.min() < 0:
        raise ValueError(f"sample_weight must be >= 0, got {w.min()} at position {w.argmin()}")
    if w.max() == 0:
        raise ValueError("sample_weight must have a positive entry, got zeros only")
    return np.ldexp(w, -math.frexp(w.max())[1])


def box(lower, upper, positive, p):
    """Bounds as two vectors."""
    low, high = constant(-math.inf, p), constant(math.inf, p)
    if lower is not None:
        low = vector("lower", lower, p, scalar=True)
    if upper is not None:
        high = vector("upper", upper, p, scalar=True)
    if flag("positive", positive):
        low = np.maximum(low, 0.0)
    if lower is None and upper is None:
        return low, high
    for name, bound, wrong in (("lower", low, np.inf), ("upper", high, -np.inf)):
        if np.isnan(bound).any() or (bound == wrong).any():
            raise ValueError(f"{name} must hold numbers or {-wrong}, got nan or {wrong}")
    low, high = np.where(low < -FAR, -np.inf, low), np.where(high > FAR, np.inf, high)
    if (low > high).any():
        j = np.flatnonzero(low > high)[0]
        raise ValueError(f"lower must be <= upper, got lower[{j}] = {low[j]} > upper[{j}] = {high[j]}")
    return low, high


def factors(value, low, high, p):
    """Penalty factors; an infinite one excludes its column, by the bounds [0, 0]."""
    if value is None:
        return constant(1.0, p), low, high
    v = vector("penalty_factor", value, p, scalar=True)
    if not (v >= 0).all():
        j = np.flatnonzero(~(v >= 0))[0]
        raise ValueError(f"penalty_factor must be >= 0, got {v[j]} at position {j}")
    out = np.isinf(v)
    if out.any():
        if ((low > 0) | (high < 0))[out].any():
            j = np.flatnonzero(out & ((low > 0) | (high < 0)))[0]
            raise ValueError(f"penalty_factor[{j}] = inf asks for coefficient 0, which its bounds exclude")
        v, low, high = np.where(out, 0.0, v), np.where(out, 0.0, low), np.where(out, 0.0, high)
    return v, low, high


def start(value, low, high, p, bounded):
    """A feasible starting point from a warm start."""
    if value is None:
        b = np.zeros(p)
        if not bounded:
            return b
    else:
        b = finite("warm_start", vector("warm_start", value.coef if isinstance(value, Result) else value, p))
    return np.minimum(np.maximum(b, low), high)


def known(y, offset, loss_):
    """y less the offset, and what is left of that; y must be what the loss expects."""
    allowed = loss_.responses()
    if allowed is not None and (wrong := ~np.isin(y, allowed)).any():
        bad = np.flatnonzero(wrong)[0]
        raise ValueError(f"y must be one of {allowed} for loss={loss_!r}, got {y[bad]} at position {bad}")
    if offset is None:
        return y, None
    finite("y", y)
    offset = finite("offset", vector("offset", offset, len(y), scalar=True))
    return (y - offset, None) if loss_.of_residual() else (y, offset)


def centred(y, weight, fit_intercept):
    """y less its mean (0 without an intercept), that mean, and the largest |y| there was."""
    y_size, y_mean, moved = survey(y, weight)
    if not y_size <= LARGEST:
        finite("y", y)
        raise ValueError(f"y must not exceed {LARGEST:g} in size, got {y_size:g}: rescale it")
    return (moved, y_mean, y_size) if fit_intercept else (y, 0.0, y_size)


def first_pass(X, weight, y, fit_intercept, row):
    """One pass over X: sets the means, returns sum w x~^2, X~'(w y) and sum w y^2; refuses what is not finite."""
    square, slope, first, energy = X.first_pass(weight, y, row, fit_intercept)
    if not within(square, SMALLEST**2, LARGEST**2):
        check_size(X, square, first)
    return square, slope, energy


def deviations(X, weight, square, fit_intercept):
    """Weighted standard deviations of the columns."""
    if not fit_intercept:  # square is then about zero: once more, about the mean
        first, square, _ = X.moments(weight, weight, X.origin(int(weight.argmax())))
        square = np.maximum(square - first * first, 0.0)
    return np.sqrt(square)


def check_size(X, square, first):
    """Raise if a column's squares overflow, vanish or are not numbers."""
    if not np.isfinite(square).all() and not np.isfinite(X.owner_array()).all():
        raise ValueError("X must be finite, got nan or infinity")
    if not (square <= LARGEST**2).all():
        raise ValueError(f"X must have columns of root mean square <= {LARGEST:g}: rescale it")
    tiny = (square < SMALLEST**2) & ((square > 0) | ((first != 0) & (np.abs(X.mean) < SMALLEST)))
    if tiny.any():
        raise ValueError(
            f"X must have columns that are constant or vary by at least {SMALLEST:g}: rescale column "
            f"{np.flatnonzero(tiny)[0]}"
        )


def problem(
    X,
    y,
    loss_,
    penalty_,
    alpha,
    l1_ratio,
    sample_weight,
    offset,
    fit_intercept,
    penalty_factor,
    lower,
    upper,
    positive,
    standardize,
    warm_start,
    tol,
    max_iter,
    callback,
    method_=None,
):
    """Check everything, then make the first pass over X."""
    loss_, penalty_ = loss(loss_), penalty(penalty_, alpha, l1_ratio)
    fit_intercept, standardize = flag("fit_intercept", fit_intercept), flag("standardize", standardize)
    tol, max_iter = number("tol", tol, 0.0), number("max_iter", max_iter, 0, kind=int)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    X = columns(X)
    y, offset = known(vector("y", y, X.n), offset, loss_)
    weight = weights(sample_weight, X.n)
    low, high = box(lower, upper, positive, X.p)
    factor, low, high = factors(penalty_factor, low, high, X.p)
    bounded = positive or lower is not None or upper is not None or penalty_factor is not None
    if not penalty_.separable():
        grouping(penalty_, penalty_factor, positive or lower is not None or upper is not None, X.p)
    b = start(warm_start, low, high, X.p, bounded)
    raw, (y, y_mean, y_size) = y, centred(y, weight, fit_intercept)
    row = 0 if sample_weight is None else int(weight.argmax())  # one that counts
    square, slope, energy = first_pass(X, tallies(sample_weight, X.n), y, fit_intercept, row)
    if not loss_.of_residual():
        y, y_mean = raw, 0.0
    limits = low, high
    if standardize:
        sd = deviations(X, weight, square, fit_intercept)
        factor = np.where(sd > 0, factor, 0.0)  # what is penalised is sd_j b_j
        sd[sd == 0] = 1.0
        X.scale[:] = 1 / sd
        square, slope = square / sd**2, slope / sd
        low, high, b = low * sd, high * sd, b * sd
    if warm_start is not None and not square.all():  # such a column predicts nothing
        still = square == 0
        b[still] = np.minimum(np.maximum(0.0, low[still]), high[still])
    bounded = bounded and bool(np.isfinite(low).any() or np.isfinite(high).any())
    method_ = method(method_, loss_, penalty_, bounded)
    return Problem(
        X,
        y,
        offset,
        y_mean,
        y_size,
        weight,
        fit_intercept,
        loss_,
        penalty_,
        factor,
        low,
        high,
        bounded,
        limits,
        b,
        warm_start is not None or bounded,
        square,
        slope,
        energy,
        tol,
        max_iter,
        callback,
        method_,
    )


def choice(name, value, names, *, function=False):
    """One of these names, or a function if that is allowed."""
    if isinstance(value, str) and value in names or function and callable(value):
        return value
    raise ValueError(f"{name} must be {'callable or ' * function}one of {sorted(names)}, got {value!r}")


def kept(problem, *, quadratic=False, convex=False):
    """The problem that an answer keeps, if it still does; if asked, only with the squared loss or a convex penalty."""
    if problem is None:
        raise ValueError("the data are needed for that: a pickled answer has left them behind, and one with norm_bound")
    if not problem.penalty.separable():
        raise ValueError(f"penalty must be a sum over coefficients for that, got {problem.penalty!r}")
    if quadratic and not problem.loss.quadratic():
        raise ValueError(f"loss must be 'squared' for that, got {problem.loss!r}")
    if convex and not problem.penalty.convex():
        raise ValueError(f"penalty must be convex for that, got {problem.penalty!r}")
    return problem
