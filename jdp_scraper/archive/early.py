"""What a build begins while the catalog still reads: by then it is known that something has changed, and what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from jdp_scraper.archive.assets import FEW, AssetMaker, Assets, Wanted, recipe, wanted_of
from jdp_scraper.archive.cache import Cache
from jdp_scraper.archive.stages import Stage, Stages
from jdp_scraper.archive.staging import Staging
from jdp_scraper.batch.policy import Parallel
from jdp_scraper.batch.workers import WorkerProcesses
from jdp_scraper.catalog.entries import ReportEntry, RunEntry
from jdp_scraper.pdf.unbroken import in_thread, meanwhile


class Early:
    """What is begun while the catalog still reads: workers, the folder of the next archive, assets that are missing."""

    def __init__(
        self,
        cache: Cache,
        staging: Staging,
        processes: WorkerProcesses,
        stages: Stages,
        parallel: Parallel,
        *,
        optimize: bool,
    ) -> None:
        self.staging = staging
        self._cache = cache
        self._processes = processes
        self._stages = stages
        self._parallel = parallel
        self._optimize = optimize
        self._stage: Stage | None = None
        self._maker = AssetMaker(staging, processes, parallel, optimize=optimize)
        self._looked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._beginning: asyncio.Task[None] | None = None
        self._wanted: list[Wanted] = []

    @property
    def has_begun(self) -> bool:
        """Tell whether there is a next archive."""
        return self._beginning is not None

    async def look(self) -> None:
        """See what the archive holds; nothing is begun where that fails."""
        try:
            await in_thread(self.staging.look)
        except BaseException:
            self._looked.cancel()
            raise
        self._looked.set_result(None)

    async def on_change(self, unread: int) -> None:
        """Begin the next archive, and launch as many workers as a few assets are worth; does not wait for it."""
        self._begin_once(unread)

    def on_read(self, run: RunEntry, reports: Sequence[ReportEntry]) -> None:
        """Begin to make what a run brings."""
        self._wanted += wanted_of((run.path, report) for report in reports)
        if self._stage is not None:
            self._make_wanted()

    async def finish(self, wanted: Sequence[Wanted]) -> Assets:
        """Return all assets; see ``AssetMaker``."""
        await self._begin_once(len(wanted))  # where it has not begun, no source has changed, and yet something else has
        assets = await self._maker.finish(wanted)
        if self._stage is not None:
            self._stage.end()
        return assets

    def _begin_once(self, assets: int) -> asyncio.Task[None]:
        if self._beginning is None:
            self._beginning = asyncio.ensure_future(self._begin(min(FEW, self._parallel.size_for(assets))))
        return self._beginning

    async def _begin(self, workers: int) -> None:
        async with meanwhile(self._processes.launch(workers)):
            await self._looked
            async with meanwhile(in_thread(self.staging.begin)):
                made_by = await asyncio.to_thread(recipe, self._optimize)  # it reads files, once
                known = await self._cache.assets(made_by)
        self._stage = self._stages.begin("assets")
        self._maker.start(known, self._stage, self._processes.there)
        self._make_wanted()

    def _make_wanted(self) -> None:
        self._maker.begin(self._wanted)
        self._wanted.clear()

    async def give_up(self) -> None:
        """Stop making; returns once nothing of it is under way."""
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.gather(self._beginning, return_exceptions=True)
        await self._maker.give_up()
