"""Many tasks, one after the other or in threads: progress is shown, and Ctrl-C keeps what was done."""

import contextlib
import importlib
import importlib.util
import os
import sys


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during cross-validation or stability selection; `partial` is the result of what was done by then."""

    def __init__(self, partial):
        super().__init__("interrupted: what was done is in the attribute `partial`")
        self.partial = partial


def run(task, items, results, threads, progress, unit):
    """results[k] = task(*items[k]) for all k; with one thread in this one, where Ctrl-C is heard inside a task too."""
    with bar(len(items), progress, unit) as step:
        if threads == 1:
            for k, item in enumerate(items):
                results[k] = task(*item)
                step()
        else:
            in_threads(task, items, results, threads, step)


def in_threads(task, items, results, threads, step):
    """The same in threads. After Ctrl-C, the tasks that are running are waited for, and kept."""
    from concurrent.futures import ThreadPoolExecutor, as_completed

    with ThreadPoolExecutor(threads) as pool:
        jobs = {}
        try:
            for k, item in enumerate(items):
                jobs[pool.submit(task, *item)] = k
            for job in as_completed(jobs):
                results[jobs[job]] = job.result()
                step()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            for job, k in jobs.items():
                if job.done() and not job.cancelled() and job.exception() is None:
                    results[k] = job.result()
            raise


@contextlib.contextmanager
def bar(total, wanted, unit):
    """A function to be called at each step: a bar of tqdm if that is installed, else a line on stderr."""
    if not wanted:
        yield lambda: None
    elif importlib.util.find_spec("tqdm"):
        with importlib.import_module("tqdm").tqdm(total=total, unit=unit) as shown:
            yield shown.update
    else:
        done = iter(range(1, total + 1))
        yield lambda: sys.stderr.write(f"{unit} {next(done)} of {total}\n")


def cores(n_jobs):
    """Threads from n_jobs: None is one, and negative ones count from the number of processors down."""
    n_jobs = 1 if n_jobs is None else n_jobs
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)
