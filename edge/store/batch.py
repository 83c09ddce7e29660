"""What must hold of every batch, whichever store is asked: who breaks it has a bug."""

from commands.ports import Batch


def require_sound(batch: Batch) -> None:
    """Each stream goes on from the version it was read at, without a gap; answers name its facts.

    Raises `ValueError`: a gap would be found only when the file is verified, and never mended.
    """
    heads = dict(batch.read)
    for fact in batch.facts:
        version = heads.get(fact.stream)
        if version is None or fact.version != version + 1:
            raise ValueError(f"fact {fact.version} of {fact.stream} does not follow {version}")
        heads[fact.stream] = fact.version
    if unread := batch.digests.keys() - batch.read.keys():
        raise ValueError(f"the digests of {sorted(unread)} are to be proved, and no version is")
    for answer in batch.answers:
        if not 0 <= answer.facts.start <= answer.facts.stop <= len(batch.facts):
            raise ValueError(f"the answer to {answer.command_id} names facts not in the batch")
