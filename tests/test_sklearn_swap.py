"""scikit-learn's own tests of Lasso, ElasticNet, Ridge and QuantileRegressor, run on ours."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sklearn = pytest.importorskip("sklearn", minversion="1.9")  # earlier versions test other details
pytestmark = pytest.mark.skipif(find_spec("sklearn.linear_model.tests") is None, reason="installed without its tests")

# Tests of these names are left out, because they are about
OTHERS = {
    "test_n_iter": "what is counted by sag, saga and lsqr, and that the others count nothing",
    "test_ridge_fit_intercept_sparse_sag": "the warning of sag that it needs many iterations",
    "test_lbfgs_solver_error": "the failure of L-BFGS after one iteration",
    "cv": "scikit-learn's RidgeCV, with Ridge to compare: they take long",
}
OTHERS_CV = {
    "multioutput": "equality, in seven digits, to scikit-learn's MultiTaskLassoCV and its tolerance of 1e-4",
    "does_not_set_precompute": "what is handed to scikit-learn's Lasso inside, which is not asked",
}
# These names are whole ones. More than two classes are the reason for most of them.
LOGISTIC = {
    "more than two classes": """
        test_predict_3_classes test_logistic_glmnet test_check_solver_option test_n_iter test_max_iter test_warm_start
        test_warm_start_newton_solver test_sparsify test_sample_weight_not_modified test_liblinear_multiclass_raises
        test_logistic_regression_solvers_multiclass test_logistic_regression_solvers_multiclass_unpenalized
        test_logistic_regression_class_weights test_logreg_predict_proba_multinomial
        test_multinomial_logistic_regression_string_inputs test_multinomial_identifiability_on_iris
        test_logistic_cv_multinomial_score test_logistic_cv_folds_with_classes_missing
        test_LogisticRegressionCV_on_folds test_LogisticRegressionCV_GridSearchCV_elastic_net
        test_logistic_regression_callback_fitted_estimator""",
    "equality, in seven digits, to scikit-learn's LogisticRegressionCV and its tolerance of 1e-4": "test_logistic_cv",
    "scikit-learn's callbacks, of which `solve` has its own": "test_logistic_regression_callback_support",
    "warnings about arguments that scikit-learn will drop, or that are without influence here": """
        test_penalty_deprecated test_penalty_none test_l1_ratio_None_deprecated test_l1_ratio_non_elasticnet
        test_elasticnet_l1_ratio_err_helpful test_lr_penalty_l1ratio_incompatible
        test_logisticregression_warns_with_n_jobs""",
    "what liblinear and sag refuse: 64 bit indices, large values, a random state; and float64 answers to float32": """
        test_large_sparse_matrix test_liblinear_with_large_values test_liblinear_dual_random_state test_dtype_match""",
    "max_iter=0, where ours gives the best intercept": "test_zero_max_iter",
    "how a failing solver is replaced by another": "test_newton_cholesky_fallback_to_lbfgs",
}


@pytest.fixture(
    scope="module",
    params=[
        ("Lasso,ElasticNet,Ridge", "test_coordinate_descent", (), 100),
        ("Lasso,ElasticNet", "test_sparse_coordinate_descent", (), 60),
        ("Ridge", "test_ridge", OTHERS, 300),
        ("QuantileRegressor", "test_quantile", (), 50),
        ("LassoCV,ElasticNetCV", "test_coordinate_descent", OTHERS_CV, 160),
        ("RidgeCV", "test_ridge", (), 300),
        ("HuberRegressor", "test_huber", (), 11),
        ("LogisticRegression", "test_logistic", LOGISTIC, 90),
    ],
    ids=lambda param: f"{param[1]}-{param[0]}",
)
def outcome(request, tmp_path_factory):
    """scikit-learn's tests that name the classes, run with ours in their place: exit status, output, counts."""
    names, module, without, least = request.param
    whole = ",".join(" ".join(LOGISTIC.values()).split()) if without is LOGISTIC else ""
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    empty = tmp_path_factory.mktemp(module) / "pytest.ini"
    empty.write_text("[pytest]\n", "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "swap",
        "-p",
        "no:cacheprovider",
        "-c",
        str(empty),
        "-q",
        "--tb=short",
        "-W",
        "ignore",
        "-k",
        "" if without is LOGISTIC else " and ".join(f"not {name}" for name in without),
        "--pyargs",
        f"sklearn.linear_model.tests.{module}",
    ]
    done = subprocess.run(
        command,
        cwd=empty.parent,
        text=True,
        capture_output=True,
        check=False,
        env={**os.environ, "SWAP": names, "SWAP_WITHOUT": whole, "PYTHONPATH": path, "PYTEST_ADDOPTS": ""},
    )
    last = done.stdout.splitlines()[-1:]
    counts = {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", "".join(last))}
    print(f"{module} with our {names}: {counts}")
    return done.returncode, done.stdout + done.stderr, counts, least


def test_scikit_learns_tests_pass_on_ours(outcome):
    status, output, counts, least = outcome
    assert status == 0, output
    assert counts["passed"] >= least, output
    assert not {"failed", "error", "errors"} & set(counts)
