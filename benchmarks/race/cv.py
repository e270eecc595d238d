"""`python -m race.cv` from benchmarks/: the lasso's cross-validation, 5 folds x 100 alphas, beside its peers.

All have the same folds (runs of neighbouring rows), alphas, an intercept and one thread, and end with a path on all
rows. The error of a curve is max |mean squared error - exact one| over the curve's first value, where nothing is
selected; "exact" is this library at a tolerance of 1e-12, and the tightest curve of every peer says how near that
comes. The best alpha and the one within one standard error have to be the exact ones within a step. celer_path is
looped over the folds, since celer's LassoCV does not run on scikit-learn 1.9, and so are adelie's solvers.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from race import course

# The last alpha by the first; the rehearsals are for the tests.
PROBLEMS = {"wide": 1e-2, "tall": 1e-3, "rehearsal": 1e-2, "rehearsal_tall": 1e-3}
FOLDS, ALPHAS = 5, 100
TARGETS = (1e-2, 1e-3, 1e-5)
# Tolerances of each contestant, from its loosest that is of use; it ends at the first run that takes too long.
LADDERS = {
    "l1l2fast": [1e-3, 1e-4, 1e-6, 1e-8, 1e-12],
    "glmnet": [1e-5, 1e-7, 1e-9, 1e-11, 1e-13],
    "adelie": [1e-5, 1e-7, 1e-9, 1e-11, 1e-13],
    "celer": [1e-3, 1e-4, 1e-6, 1e-8],
    "sklearn": [1e-3, 1e-4, 1e-6, 1e-8],
}


def data(name):
    """X, y and the alphas of a problem."""
    X, y = course.MADE[name]()
    top = np.abs(X.T @ (y - y.mean())).max() / len(y)
    return X, y, top * np.geomspace(1, PROBLEMS[name], ALPHAS)


def l1l2fast(X, y, alphas, tol):
    from l1l2fast import cross_validate

    return cross_validate(X, y, alphas=alphas, cv=FOLDS, tol=tol).scores


def sklearn(X, y, alphas, tol):
    from sklearn.linear_model import LassoCV

    tall = len(X) > len(X.T)
    model = LassoCV(alphas=alphas, cv=FOLDS, tol=tol, precompute=tall, max_iter=100_000)
    return model.fit(X, y).mse_path_


def looped(X, y, solve):
    """Mean squared errors by solve(X, y) -> coefficients, intercepts for the rows of each fold, and for all rows."""
    scores = []
    for test in np.array_split(np.arange(len(y)), FOLDS):
        train = np.delete(np.arange(len(y)), test)
        coef, intercept = solve(np.asfortranarray(X[train]), y[train])
        scores.append(((y[test][:, None] - X[test] @ coef - intercept) ** 2).mean(0))
    solve(np.asfortranarray(X.copy()), y)
    return np.stack(scores, axis=1)


def celer(X, y, alphas, tol):
    from celer import celer_path

    def solve(X, y):
        mean, level = X.mean(0), y.mean()
        _, coef, _ = celer_path(X - mean, y - level, "lasso", alphas=alphas, tol=tol, max_iter=200, prune=1, p0=100)
        return coef, level - mean @ coef

    return looped(X, y, solve)


def adelie(X, y, alphas, tol):
    import adelie

    options = {"lmda_path": alphas, "alpha": 1.0, "tol": tol}
    options |= {"early_exit": False, "n_threads": 1, "progress_bar": False}

    def by_gram(X, y):
        mean, level = X.mean(0), y.mean()
        X, y = X - mean, y - level
        state = adelie.gaussian_cov(np.asfortranarray(X.T @ X / len(y)), X.T @ y / len(y), **options)
        return state.betas.T, level - state.betas @ mean

    def naive(X, y):
        state = adelie.grpnet(X, adelie.glm.gaussian(y), **options)
        return state.betas.T, state.intercepts

    return looped(X, y, by_gram if len(X) > len(X.T) else naive)


def run(contestant, name, folder, limit):
    """One contestant: time and table of scores for each tolerance, into a file as they come."""
    X, y, alphas = data(name)
    fit, runs = globals()[contestant], []
    few = slice(None, None, len(y) // 40 or 1)
    fit(np.asfortranarray(X[few]), y[few], alphas[:3], 1e-2)  # whatever the first call does besides
    for tol in LADDERS[contestant]:
        begin = time.perf_counter(), time.thread_time()
        scores = fit(X, y, alphas, tol)
        wall, cpu = time.perf_counter() - begin[0], time.thread_time() - begin[1]
        runs.append({"tol": tol, "seconds": wall, "cpu": cpu, "scores": np.asarray(scores).tolist()})
        (folder / f"{contestant}.json").write_text(json.dumps(runs))
        if cpu > limit:
            break


def glmnet(program, name, folder, limit):
    """R's turn: its data as plain binary files."""
    X, y, alphas = data(name)
    np.asfortranarray(X).T.tofile(folder / "X.bin")
    y.tofile(folder / "y.bin")
    alphas.tofile(folder / "alphas.bin")
    ladder = ",".join(map(str, LADDERS["glmnet"]))
    script = Path(__file__).with_name("cv.R")
    subprocess.run([program, script, folder, *map(str, X.shape), str(FOLDS), ladder, str(limit)], check=True)


def one_se(scores):
    """The positions of the best mean and of the first within one standard error of it."""
    mean = scores.mean(1)
    best = int(mean.argmin())
    return best, int(np.argmax(mean <= mean[best] + scores[best].std(ddof=1) / np.sqrt(scores.shape[1])))


def report(name, found):
    """Print who reached which accuracy when; returns the record."""
    exact = np.array(found["l1l2fast"][-1]["scores"])
    best, simple = one_se(exact)
    print(f"\n{name}_cv: {FOLDS} folds x {ALPHAS} alphas, best alpha {best}, within one standard error {simple}")
    times = {}
    for who, runs in found.items():
        for each in runs:
            scores = np.array(each.pop("scores"))
            each["error"] = float(np.abs(scores.mean(1) - exact.mean(1)).max() / exact.mean(1)[0])
            each["best"], each["one_se"] = one_se(scores)
            steps = abs(each["best"] - best), abs(each["one_se"] - simple)
            each["same"] = max(steps) <= 1
            print(
                f"  {who:<9} tol {each['tol']:.0e}  {each['cpu']:8.3f} s  error {each['error']:.1e}  steps off {steps}"
            )
        times[who] = [min((r["cpu"] for r in runs if r["error"] <= t and r["same"]), default=None) for t in TARGETS]
    ratios = []
    for k, target in enumerate(TARGETS):
        peers = {who: t[k] for who, t in times.items() if who != "l1l2fast" and t[k]}
        who = min(peers, key=peers.get) if peers else None
        ratios.append(peers[who] / times["l1l2fast"][k] if who else None)
        text = f"{who} {peers[who]:.3f} s, ratio {ratios[-1]:.2f}" if who else "nobody else"
        print(f"  within {target:.0e}: l1l2fast {times['l1l2fast'][k]:.3f} s; {text}")
    return {"targets": TARGETS, "ratios": ratios, "runs": found}


def main():
    parser = argparse.ArgumentParser(prog="python -m race.cv", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PROBLEMS, default=["wide", "tall"])
    parser.add_argument("--contestants", nargs="+", choices=LADDERS, default=list(LADDERS))
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PROGRAM", help="who runs a contestant")
    parser.add_argument("--limit", type=float, default=10, help="seconds of one run after which a ladder ends (10)")
    parser.add_argument("--output", type=Path, help="folder for cv.json")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.run[0], options.only[0], Path(options.run[1]), options.limit)
        return
    programs, results = dict(pair.split("=", 1) for pair in options.python), {}
    for name in options.only:
        found = {}
        with tempfile.TemporaryDirectory() as folder:
            for who in options.contestants:
                file = Path(folder) / f"{who}.json"
                try:
                    if who == "glmnet":
                        glmnet(programs.get(who, "Rscript"), name, Path(folder), options.limit)
                    else:
                        command = [programs.get(who, sys.executable), "-m", "race.cv", "--run", who, folder]
                        subprocess.run([*command, "--only", name, "--limit", str(options.limit)], check=True)
                except (OSError, subprocess.CalledProcessError) as error:
                    print(f"{who}: {error}")
                if file.exists():
                    found[who] = json.loads(file.read_text())
        results[f"{name}_cv"] = report(name, found)
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "cv.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
