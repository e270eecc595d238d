"""Every estimator in the places where scikit-learn's users put them: searches, pipelines, files, threads, notebooks."""

import inspect
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

import joblib
from sklearn import config_context
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import l1l2fast.sklearn

CLASSES = [getattr(l1l2fast.sklearn, name) for name in l1l2fast.sklearn.__all__]
CLASSES = [cls for cls in CLASSES if inspect.isclass(cls) and issubclass(cls, BaseEstimator)]
# Few alphas where there are some to choose from.
SMALL = {"alphas": 3, "Cs": 3, "cv": 3}
# What a search turns over, the first of these that an estimator has.
GRID = {"alpha": [0.01, 0.1], "C": [0.5, 1.0], "epsilon": [1.2, 1.5], "positive": [False, True]}
GRID |= {"fit_intercept": [False, True]}
every = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


def small(cls):
    """An estimator that is quickly fitted."""
    names = inspect.signature(cls).parameters
    if cls.__name__ == "RidgeCV":
        return cls()
    return cls(**{name: value for name, value in SMALL.items() if name in names})


def data(cls, n=60):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 5)) + rng.uniform(-2, 2, 5)
    y = X[:, 0] - X[:, 1] + rng.standard_normal(n)
    return X, np.where(y > np.median(y), "yes", "no") if is_classifier(cls()) else y


@every
def test_clone_parameters_and_pictures_of_itself(cls):
    X, y = data(cls)
    model = small(cls).fit(X, y)
    again = clone(model)
    assert not hasattr(again, "coef_") and repr(again) == repr(model)
    assert again.get_params().keys() == model.get_params().keys() == inspect.signature(cls).parameters.keys()
    again.set_params(fit_intercept=False).fit(X, y)
    assert np.all(again.intercept_ == 0)
    with pytest.raises(ValueError, match="Invalid parameter"):
        again.set_params(no_such_thing=1)
    html = model._repr_html_()
    assert cls.__name__ in html and "fitted" in html


@every
def test_pickle_and_joblib_files(cls, tmp_path):
    X, y = data(cls)
    model = small(cls).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    for again in (pickle.loads(pickle.dumps(model)), mapped):
        assert (again.predict(X) == model.predict(X)).all() and again.get_params().keys() == model.get_params().keys()
    assert (mapped.fit(X, y).coef_ == model.coef_).all()


@every
def test_data_on_disk_that_nobody_may_write_to(cls, tmp_path):
    """What joblib hands to its workers: X and y as read-only memory maps."""
    X, y = data(cls)
    joblib.dump((X, np.asfortranarray(X), y), tmp_path / "data")
    rows, columns, target = joblib.load(tmp_path / "data", mmap_mode="r")
    assert isinstance(rows, np.memmap) and not rows.flags.writeable and not target.flags.writeable
    want = small(cls).fit(X, y).coef_
    for mapped in (rows, columns):
        np.testing.assert_allclose(small(cls).fit(mapped, target).coef_, want, rtol=1e-6, atol=1e-9)


@every
def test_a_search_over_a_pipeline(cls):
    X, y = data(cls)
    name = next(name for name in GRID if name in inspect.signature(cls).parameters)
    steps = make_pipeline(StandardScaler(), small(cls))
    search = GridSearchCV(steps, {f"{cls.__name__.lower()}__{name}": GRID[name]}, cv=3).fit(X, y)
    assert type(search.best_estimator_[-1]) is cls and np.isfinite(search.cv_results_["mean_test_score"]).all()
    with joblib.parallel_config("threading", n_jobs=2):
        assert (cross_val_score(steps, X, y, cv=3) == cross_val_score(clone(steps), X, y, cv=3, n_jobs=1)).all()


@every
def test_weights_are_routed_through_a_pipeline(cls):
    X, y = data(cls)
    w = np.arange(60) % 3 + 1.0
    plain = small(cls).fit(X, y, sample_weight=w)
    with config_context(enable_metadata_routing=True):
        asking = small(cls).set_fit_request(sample_weight=True)
        if "scoring" in asking.get_params() and hasattr(asking, "Cs"):
            asking.set_params(scoring=weighted_accuracy())
        routed = make_pipeline(asking).fit(X, y, sample_weight=w)[-1]
    np.testing.assert_allclose(routed.coef_, plain.coef_, rtol=1e-9, atol=1e-12)


def weighted_accuracy():
    """scikit-learn's own scorer, asking for the weights."""
    from sklearn.metrics import get_scorer

    return get_scorer("accuracy").set_score_request(sample_weight=True)
