"""Inputs that cannot be meant: ValueError or TypeError, and the message names the argument."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from l1l2fast import L1, L2, solve

X2, Y2 = np.array([[1.0, 2], [3, 4], [5, 7]]), np.array([1.0, 2, 4])


def masked():
    return np.ma.masked_array(X2, mask=X2 > 6)


def with_value(array, value):
    array = array.copy()
    array.flat[1] = value
    return array


REFUSED = [
    ("X", dict(X=with_value(X2, math.nan))),
    ("X", dict(X=with_value(X2, math.inf))),
    ("X", dict(X=sp.csc_array(with_value(X2, math.nan)))),
    ("X", dict(X=sp.csr_array(with_value(X2, -math.inf)))),
    ("X", dict(X=with_value(X2.astype(np.float32), math.nan))),
    ("X", dict(X=X2 * 1j)),
    ("X", dict(X=sp.csc_array(X2 * 1j))),
    ("X", dict(X=masked())),
    ("X", dict(X=[["a", "b"], ["c", "d"], ["e", "f"]])),
    ("X", dict(X=[[1, 2], [3], [4, 5]])),
    ("X", dict(X=X2[:, 0])),
    ("X", dict(X=X2[None])),
    ("X", dict(X=3.0)),
    ("X", dict(X=None)),
    ("X", dict(X=X2.astype("datetime64[s]"))),
    ("X", dict(X=np.empty((0, 2)), y=[])),
    ("X", dict(X=[[1, None], [2, 3], [4, 5]])),
    ("X", dict(X="data.csv")),
    ("X", dict(X={"a": [1, 2, 3]})),
    ("y", dict(y=with_value(Y2, math.nan))),
    ("y", dict(y=with_value(Y2, math.inf))),
    ("y", dict(y=Y2[:2])),
    ("y", dict(y=np.stack([Y2, Y2], axis=1))),
    ("y", dict(y=2.0)),
    ("y", dict(y=["a", "b", "c"])),
    ("y", dict(y=Y2 * 1j)),
    ("y", dict(y=np.ma.masked_array(Y2, [0, 0, 1]))),
    ("y", dict(y=None)),
    ("y", dict(y=[Y2])),
    ("sample_weight", dict(sample_weight=[1, -1, 1])),
    ("sample_weight", dict(sample_weight=[1, math.nan, 1])),
    ("sample_weight", dict(sample_weight=[1, math.inf, 1])),
    ("sample_weight", dict(sample_weight=[0, 0, 0])),
    ("sample_weight", dict(sample_weight=[1, 1])),
    ("sample_weight", dict(sample_weight="balanced")),
    ("sample_weight", dict(sample_weight=-1)),
    ("sample_weight", dict(sample_weight=np.ones((3, 3)))),
    ("offset", dict(offset=[1, 2])),
    ("offset", dict(offset=[1, 2, math.nan])),
    ("offset", dict(offset="a")),
    ("penalty_factor", dict(penalty_factor=[1])),
    ("penalty_factor", dict(penalty_factor=[1, -1])),
    ("penalty_factor", dict(penalty_factor=[1, math.nan])),
    ("penalty_factor", dict(penalty_factor=[1, 1, 1])),
    ("lower", dict(lower=[1, 0], upper=[0, 1])),
    ("lower", dict(lower=math.nan)),
    ("lower", dict(lower=math.inf)),
    ("upper", dict(upper=-math.inf)),
    ("upper", dict(upper=[1, math.nan])),
    ("upper", dict(upper=[1, 2, 3])),
    ("lower", dict(lower=["a", "b"])),
    ("upper|lower|positive", dict(positive=True, upper=-1)),
    ("positive", dict(positive="yes")),
    ("loss", dict(loss="cube")),
    ("loss", dict(loss=None)),
    ("loss", dict(loss=L1(1.0))),
    ("loss", dict(loss=3)),
    ("penalty", dict(penalty="l3")),
    ("penalty", dict(penalty=0.1)),
    ("penalty", dict(penalty=L1)),
    ("alpha", dict(penalty=L2(1.0), alpha=1)),
    ("alpha", dict(alpha=1)),
    ("l1_ratio", dict(penalty="l1", l1_ratio=0.5)),
    ("l1_ratio", dict(penalty="elasticnet", l1_ratio=1.5)),
    ("alpha", dict(penalty="l1", alpha="big")),
    ("fit_intercept", dict(fit_intercept="no")),
    ("standardize", dict(standardize=2)),
    ("tol", dict(tol=-1e-3)),
    ("tol", dict(tol=math.nan)),
    ("tol", dict(tol="small")),
    ("max_iter", dict(max_iter=-1)),
    ("max_iter", dict(max_iter=2.5)),
    ("max_iter", dict(max_iter="many")),
    ("callback", dict(callback=3)),
    ("warm_start", dict(warm_start=[1.0, math.nan])),
    ("warm_start", dict(warm_start=[1.0])),
    ("warm_start", dict(warm_start="hot")),
]


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=lambda k: f"{REFUSED[k][0]}-{k}")
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_refused_by_name(number, loss):
    name, arguments = REFUSED[number]
    given = dict(X=X2, y=Y2, loss=loss) | arguments
    with pytest.raises((ValueError, TypeError), match=rf"\b(?:{name})\b"):
        solve(**given)


def test_refused_warm_start_from_another_problem():
    with pytest.raises(ValueError, match="warm_start"):
        solve(X2, Y2, warm_start=solve(X2[:, :1], Y2))


def test_refused_frames_with_missing_values():
    pd = pytest.importorskip("pandas")
    for missing in (None, pd.NA, math.nan):
        frame = pd.DataFrame({"a": [1.0, 2.0, missing], "b": [1.0, 2.0, 4.0]})
        for X in (frame, frame.convert_dtypes()):
            with pytest.raises((ValueError, TypeError), match=r"\bX\b"):
                solve(X, Y2)


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError, match="sample_weights"):
        solve(X2, Y2, sample_weights=[1, 1, 1])
    with pytest.raises(TypeError):
        solve(X2, Y2, "squared", None, 1.0)
