"""A contestant in a process of its own: `python -m race.worker NAME`, then one command per line.

    load FOLDER                      read a task (files.py)                    -> ok
    fit VARIANT TOL COUNT [FOLDER]   solve it COUNT times, write the answer    -> ok SECONDS PASSES
    quit

SECONDS is the least of the COUNT times, with the clock around the fit alone; PASSES is -1 where they are
not counted. The first line of the process is `ready VERSION` or `absent REASON`; what goes wrong is
`error REASON`. `contestants/glmnet.R` speaks the same.
"""

import importlib
import os
import sys
import time
import warnings
from importlib import metadata

from race import contestants, files

DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def one_line(problem):
    return f"{type(problem).__name__}: {problem}".replace("\n", " ")


def fit(contestant, task, parts, variant, tol, count, folder=None):
    best = float("inf")
    for _ in range(int(count)):
        begin = time.perf_counter()
        coef, intercept, passes = contestant.run(task, parts, variant, float(tol))
        best = min(best, time.perf_counter() - begin)
    if folder:
        if task.kind == "fit":
            coef, intercept = coef.reshape(-1, 1), [intercept]
        files.write_answer(folder, coef, intercept)
    return f"ok {best!r} {-1 if passes is None else passes}"


def serve(contestant, say):
    task = parts = None
    for line in sys.stdin:
        command, *words = line.rstrip("\n").split("\t")
        try:
            if command == "load":
                task = files.read_task(words[0])
                parts = task.parts()
                say("ok")
            elif command == "fit":
                say(fit(contestant, task, parts, *words))
            else:
                return
        except Exception as problem:  # whatever a peer raises is a result of the race
            say(f"error {one_line(problem)}")


def main(name):
    # what libraries print goes to stderr: stdout is the parent's
    voice = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")  # tolerances that nobody reaches are asked for on purpose

    def say(text):
        voice.write(text + "\n")

    try:
        kind = contestants.PYTHON[name]
        importlib.import_module(kind.module)
        contestant = kind()
        say(f"ready {metadata.version(DISTRIBUTIONS.get(kind.module, kind.module))}")
    except Exception as problem:
        say(f"absent {one_line(problem)}")
        return
    warnings.simplefilter("ignore")
    serve(contestant, say)


if __name__ == "__main__":
    main(sys.argv[1])
