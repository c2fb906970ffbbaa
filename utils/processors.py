"""How many processors this process may use, and how many libraries do."""

import contextlib
import os


def cores() -> int:
    """Count the processors that this process may use: those of its affinity, not of the machine."""
    return len(os.sched_getaffinity(0))


def deterministic() -> contextlib.AbstractContextManager[object]:
    """Keep matrix products to one thread, in this whole process.

    BLAS sums in another order with another number of threads, so that bytes would depend on the machine's load and
    on the number of workers.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")
