"""Several writers or readers at once."""

import threading
from collections.abc import Callable, Iterable


def together(jobs: Iterable[Callable[[], None]]) -> None:
    """Run jobs in threads of their own, at once; the first error of any is raised."""
    errors: list[Exception] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - it is raised again by the thread that asked
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
