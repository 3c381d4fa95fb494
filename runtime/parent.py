"""Processes that belong to the one that started them."""

import multiprocessing
import os
import signal
import threading


def belong_to_parent() -> None:
    """End when the process that started this one ends, however that is, and by nothing else.

    For the processes of a pool: a terminal interrupts both ends of it, and it is for the parent to
    say what becomes of the work; who kills the parent means the work, too.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "only what a pool started belongs to anybody"
    parent.join()
    os._exit(1)  # Nobody waits for what this process would still do.
