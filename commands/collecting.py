"""How seldom a process of the ledger has its memory searched for cycles, of which it makes few.

Facts, files and rows refer to one another in one direction, and go by themselves when nobody holds
them. Searching thousands of them again and again took an eighth of the time of a batch, a fifth of
that of a page and a sixth of that of an import.
"""

import gc

OBJECTS_A_SEARCH = 100_000  # a page makes about as many; what cycles there are wait so long
YOUNG_SEARCHES, OLD_SEARCHES = 20, 50  # before those are searched that outlived one, and all


def search_seldom() -> None:
    """Set it for this process: the door that opens the ledger does, once."""
    gc.freeze()  # what was imported stays
    gc.set_threshold(OBJECTS_A_SEARCH, YOUNG_SEARCHES, OLD_SEARCHES)
