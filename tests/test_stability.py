"""stability_selection against a loop over subsets, and what its bound promises."""

import os
import signal

import numpy as np
import pytest
from cells import LAYOUTS

from l1l2fast import Interrupted, Pinball, path, stability_selection


def data(n=80, p=30, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X, X[:, :3] @ [2, -2, 1.5] + rng.standard_normal(n)


@pytest.mark.parametrize("loss", ["squared", "absolute", Pinball(0.3)], ids=str)
def test_against_a_loop(loss):
    X, y = data(40, 8)
    w = np.random.default_rng(1).random(40) + 0.1
    w[:5] = 0
    found = stability_selection(
        X, y, loss, n_subsamples=6, n_alphas=5, random_state=3, sample_weight=w, standardize=True
    )
    draw, count, sizes = np.random.default_rng(3), np.zeros((8, 5)), []
    for _ in range(6):
        rows = draw.choice(np.arange(5, 40), 17, replace=False)
        one = path(X[rows], y[rows], loss, alphas=found.alphas, sample_weight=w[rows], standardize=True)
        count += one.coef != 0
        sizes.append((one.coef != 0).any(1).sum())
    np.testing.assert_allclose(found.frequency, count / 6)
    np.testing.assert_array_equal(found.n_selected, sizes)
    np.testing.assert_allclose(found.max_frequency, (count / 6).max(1))
    assert found.expected_false(0.8) == pytest.approx(np.mean(sizes) ** 2 / (0.6 * 8))


@pytest.mark.parametrize("layout", ["C", "csc"])
def test_it_finds_the_columns_that_matter(layout):
    X, y = data()
    found = stability_selection(LAYOUTS[layout](X), y, n_subsamples=40)
    assert found.selected(0.9).tolist() == [0, 1, 2]
    assert found.alphas[0] == pytest.approx(10 * found.alphas[-1]) and found.frequency.shape == (30, 30)
    assert found.expected_false(0.5) == np.inf
    assert repr(found).startswith("StabilityResult(30 alphas, 40 subsamples, 3 of 30 columns selected")


def test_the_same_again_and_with_two_threads():
    X, y = data(40, 8)
    one, again, two, other = (
        stability_selection(X, y, n_subsamples=8, n_jobs=jobs, random_state=seed)
        for jobs, seed in ((None, 0), (1, 0), (2, 0), (1, 1))
    )
    np.testing.assert_array_equal(one.frequency, again.frequency)
    np.testing.assert_array_equal(one.frequency, two.frequency)
    assert (one.frequency != other.frequency).any()


@pytest.mark.skipif(os.name == "nt", reason="no signal can be sent to oneself alone")
def test_ctrl_c_keeps_what_was_done(monkeypatch):
    X, y = data(40, 8)
    lines = []

    def write(text):
        lines.append(text)
        if len(lines) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("sys.stderr.write", write)
    with pytest.raises(Interrupted) as caught:
        stability_selection(X, y, n_subsamples=50, progress=True)
    assert lines[0] == "subsample 1 of 50\n" and 3 <= len(caught.value.partial.n_selected) <= 4


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"l1_ratio": 0}, "l1_ratio"),
        ({"n_subsamples": 0}, "n_subsamples"),
        ({"fraction": 2}, "fraction"),
        ({"random_state": None}, "random_state"),
        ({"n_jobs": "all"}, "n_jobs"),
        ({"progress": "yes"}, "progress"),
    ],
    ids=str,
)
def test_errors_name_the_argument(options, name):
    X, y = data(20, 3)
    with pytest.raises((ValueError, TypeError), match=name):
        stability_selection(X, y, **options)
