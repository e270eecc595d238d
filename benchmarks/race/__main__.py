"""`python -m race` from benchmarks/: runs the race. README.md beside this file says how to set it up."""

import argparse
import functools
from pathlib import Path

from race import contestants, course, report, runner


def arguments():
    parser = argparse.ArgumentParser(prog="python -m race", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name problems and contestants, and stop")
    parser.add_argument("--only", nargs="+", metavar="PROBLEM", help="these problems (a prefix will do)")
    parser.add_argument("--check", action="store_true", help="the rehearsal: every contestant on tiny problems")
    parser.add_argument(
        "--contestants", nargs="+", metavar="NAME", choices=contestants.NAMES, default=contestants.NAMES
    )
    parser.add_argument("--data", action="append", default=[], metavar="DIR|NAME=FILE", help="where real data are")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PROGRAM", help="who runs a contestant")
    parser.add_argument("--repeats", type=int, default=5, help="times that each setting that counts is run (5)")
    parser.add_argument("--limit", type=float, default=10, help="seconds of one run after which a ladder ends (10)")
    parser.add_argument("--budget", type=float, default=15, help="seconds of repeats for a contestant (15)")
    parser.add_argument("--verbose", action="store_true", help="print every run as it ends")
    parser.add_argument("--output", type=Path, help="folder for race.json, race.csv and race.png")
    return parser.parse_args()


def chosen(options):
    if options.check:
        return course.REHEARSAL
    if not options.only:
        return course.PROBLEMS
    exact = [p for p in course.PROBLEMS if p.name in options.only]
    return exact or [p for p in course.PROBLEMS if p.name.startswith(tuple(options.only))]


def describe(task):
    n, p = task.X.shape
    stored = f", {task.X.nnz} entries" if hasattr(task.X, "nnz") else ""
    loss = task.loss if task.parameter is None else f"{task.loss} {task.parameter:.3g}"
    penalty = f"l1_ratio {task.l1_ratio:g}" if task.convex else f"MCP {task.gamma:g}"
    missing = "" if task.intercept else ", no intercept"
    return f"{n} x {p}{stored}, {loss}, {task.kind}, {len(task.alphas)} alpha(s), {penalty}{missing}"


def run(problem, processes, options):
    """One problem, printed and as a record for JSON; None without its data."""
    task = course.task(problem, options.data)
    if task is None:
        print(f"\n{problem.name}: no data (see --data)")
        return None
    print(f"\n{problem.name}: {describe(task)}", flush=True)
    log = functools.partial(print, flush=True) if options.verbose else lambda line: None
    heat = runner.Heat(task, processes, runner.Limits(options.repeats, options.limit, options.budget), log)
    known = heat.race()
    found = report.rows(heat)
    print(f"{report.table(found)}\n{report.peers(heat)}\n    F* known to within {known:.1e} F(0)", flush=True)
    for who, why in heat.failures.items():
        print(f"    {who}: {why}", flush=True)
    runs = [run.record() for run in heat.runs]
    return {"what": describe(task), "rows": found, "known": known, "failures": heat.failures, "runs": runs}


def main():
    options = arguments()
    if options.list:
        print("problems:", *(problem.name for problem in course.PROBLEMS))
        print("contestants:", *contestants.NAMES)
        return
    processes = runner.processes(options.contestants, dict(pair.split("=", 1) for pair in options.python))
    versions = {name: process.state for name, process in processes.items()}
    print("\n".join(f"{name}: {state}" for name, state in versions.items()))
    results = {}
    try:
        for problem in chosen(options):
            if record := run(problem, processes, options):
                results[problem.name] = record
                if options.output:
                    options.output.mkdir(parents=True, exist_ok=True)
                    report.write(results, versions, options.output)
    finally:
        for process in processes.values():
            process.stop()
    print(f"\n{report.summary(results)}")
    if options.output and not report.picture(results, options.output / "race.png"):
        print("no picture: matplotlib is not installed")


if __name__ == "__main__":
    main()
