"""Ports for servers that are killed and come back at the same place."""

import random
import socket

# Below those that outgoing connections take theirs from: a client that asks a dead broker's port
# again and again would otherwise be given that very port some day, and hold it.
LOWEST, HIGHEST = 15_000, 30_000


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody has now; all are held until all are known."""
    held: list[socket.socket] = []
    try:
        while len(held) < count:
            door = socket.socket()
            try:
                door.bind(("127.0.0.1", random.randint(LOWEST, HIGHEST)))
            except OSError:
                door.close()
            else:
                held.append(door)
        return [door.getsockname()[1] for door in held]
    finally:
        for door in held:
            door.close()
