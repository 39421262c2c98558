"""What the process of the service holds, every five seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

EVERY = 5.0  # seconds
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class SoakSample:
    """What was seen at one instant.

    Attributes:
        second: since the begin of the soak.
        resident: memory, MiB.
        own: the part of it that is no file, such as a library, which others may share.
        descriptors: open files and connections.
        database: size of its files, MiB.
        backlog: comments that were not processed yet.
        sent: comments that were acknowledged so far.
        delays: seconds until detection of the comments probed since the sample before.
    """

    second: float
    resident: float
    own: float
    descriptors: int
    database: float
    backlog: int
    sent: int
    delays: tuple[float, ...]


def memory(pid: int) -> tuple[float, float]:
    """Resident memory of a process and the part of it that is no file, MiB."""
    kibibytes = {"Rss": 0, "Anonymous": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in kibibytes:
            kibibytes[name] = int(value.split()[0])
    return kibibytes["Rss"] / 1024, kibibytes["Anonymous"] / 1024


def descriptors(pid: int) -> int:
    """Open descriptors of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def size(database: Path) -> float:
    """MiB of the files of a SQLite database."""
    return sum(file.stat().st_size for file in database.parent.glob(f"{database.name}*")) / _MIB


class SoakSampler:
    """Takes samples.

    Attributes:
        samples: in order of time.

    Args:
        pid: of the service.
        database: its SQLite file.
        backlog: says how many comments are not processed yet.
        sent: says how many comments were acknowledged.
        delays: all delays so far; new ones are appended.
    """

    def __init__(
        self,
        pid: int,
        database: Path,
        backlog: Callable[[], Awaitable[int]],
        sent: Callable[[], int],
        delays: list[float],
    ) -> None:
        self._pid = pid
        self._database = database
        self._backlog = backlog
        self._sent = sent
        self._delays = delays
        self._taken = 0
        self._begun = 0.0
        self.samples = list[SoakSample]()

    async def run(self) -> None:
        """Take a sample every five seconds until cancelled."""
        while True:
            await self.take()
            await asyncio.sleep(EVERY - (perf_counter() - self._begun) % EVERY)

    async def take(self) -> None:
        """Take a sample now."""
        backlog = await self._backlog()
        resident, own = memory(self._pid)
        if not self.samples:
            self._begun = perf_counter()
        self.samples.append(
            SoakSample(
                second=round(perf_counter() - self._begun, 1),
                resident=round(resident, 2),
                own=round(own, 2),
                descriptors=descriptors(self._pid),
                database=round(size(self._database), 2),
                backlog=backlog,
                sent=self._sent(),
                delays=tuple(round(delay, 4) for delay in self._delays[self._taken :]),
            )
        )
        self._taken = len(self._delays)
