"""A folder that files of comments come to: exports of other tools, in any format of an import."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import structlog
from pydantic import Field, field_validator

from serving.errors import InputError
from serving.ingest.importers.comment_source import CommentSource
from serving.ingest.importers.import_options import ImportOptions
from serving.ingest.importers.preset import catalogue
from serving.ingest.values.invalid_value import InvalidValue
from serving.ingest.values.rules import TimeRules
from serving.ingest.values.times import parse_zone
from serving.sources.registry import SourceType, register
from serving.sources.source import Poller, SourceCursor, SourcePreview
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED, SourceSpec
from serving.sources.watched_files import (
    DONE,
    FAILED,
    FileContents,
    WatchedFile,
    check_folder,
    files_of,
    first_comments,
    move,
    next_file,
    read_error,
)
from serving.storage.kol_store import KnownKols

_log = structlog.get_logger(__name__)
_AT_ONCE = 1000  # comments of one batch
_SHOWN = 10


class FolderSpec(SourceSpec):
    """Which folder, and what its files do not say themselves."""

    path: Path = Field(
        title="Folder",
        description="The folder on the service's machine that files come to; it must be in one of"
        " GROUNDSWELL_WATCHED_FOLDERS.",
    )
    platform: str = Field(
        "files",
        title="Platform",
        description="Where the comments of a file were written if the file does not say it.",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
    )
    time_zone: str | None = Field(
        None,
        title="Time zone",
        description="The zone of times that name none, such as Asia/Seoul; unset to refuse them.",
    )
    day_first: bool | None = Field(
        None,
        title="Day before month",
        description="Whether 01/02/2026 is 1 February; unset to refuse such times.",
    )
    preset: str | None = Field(
        None,
        title="Preset",
        description="The tool that writes the files, such as brandwatch; unset to find out.",
        json_schema_extra=ADVANCED,
    )
    fields: Mapping[str, str] = Field(
        default_factory=dict,
        title="Columns",
        description="Which column is which field, such as text = Message, where the names do not"
        " say it.",
        json_schema_extra=ADVANCED,
    )
    encoding: str | None = Field(
        None,
        title="Encoding",
        description="The encoding of text files, such as windows-1258; unset to find out.",
        json_schema_extra=ADVANCED,
    )
    sheet: str | None = Field(
        None,
        title="Sheet",
        description="The sheet of spreadsheets; unset for the first.",
        json_schema_extra=ADVANCED,
    )

    @field_validator("path")
    @classmethod
    def _whole_path(cls, path: Path) -> Path:
        if not path.is_absolute():
            raise ValueError(f"must begin with /, such as /srv/exports, not {str(path)!r}")
        return path

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            if name is not None:
                parse_zone(name)
        except InvalidValue as error:
            raise ValueError(str(error)) from None
        return name

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, name: str | None) -> str | None:
        try:
            if name is not None:
                catalogue().named(name)
        except InputError as error:
            raise ValueError(str(error)) from None
        return name

    def options(self, kol_id: str | None) -> ImportOptions:
        """How the files are read.

        Args:
            kol_id: of the source; None if each row says it.
        """
        constants = {} if kol_id is None else {"kol_id": kol_id}
        zone = None if self.time_zone is None else parse_zone(self.time_zone)
        return ImportOptions(
            constants=constants,
            fields=self.fields,
            times=TimeRules(zone=zone, day_first=self.day_first),
            preset=self.preset,
            sheet=self.sheet,
            encoding=self.encoding,
        )


class FolderSource(Poller):
    """Reads one file after the other, and moves each when its last comment is in the log."""

    def __init__(self, spec: FolderSpec, context: SourceContext) -> None:
        self._spec = spec
        self._context = context
        self._open: FileContents | None = None

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """The next comments of the file that is being read, or of the next one."""
        known = await self._context.accounts.known()
        return await asyncio.to_thread(self._poll, cursor or {}, known)

    async def preview(self) -> SourcePreview:
        """What is in the folder now; nothing is moved."""
        known = await self._context.accounts.known()
        return await asyncio.to_thread(self._preview, known)

    async def close(self) -> None:
        """Let go of the file that is being read."""
        await asyncio.to_thread(self._let_go)

    def _poll(self, cursor: SourceCursor, known: KnownKols) -> SourceBatch:
        folder = check_folder(self._spec.path, self._context.folders)
        if "finished" in cursor:
            move(folder, WatchedFile(**cursor["finished"]), DONE)
        file, row = self._next(folder, cursor)
        if file is None:
            return SourceBatch(cursor={})
        try:
            contents = self._opened(folder, file, row, known)
        except (InputError, OSError) as error:
            why = read_error(error)
            move(folder, file, FAILED, why)
            _log.warning("file_unreadable", file=file.name, reason=why)
            return SourceBatch(cursor={}, more=True, unreadable=(why,))
        comments = contents.take(_AT_ONCE)
        if len(comments) == _AT_ONCE:
            left = {"reading": asdict(file), "row": contents.row}
            return SourceBatch(comments=comments, cursor=left, more=True)
        count = contents.count
        refused = tuple(count.faults)
        _log.info("file_read", file=file.name, comments=contents.row, refused=count.rejected)
        self._let_go()
        # It is moved at the next call, when these comments are in the log.
        return SourceBatch(
            comments=comments, cursor={"finished": asdict(file)}, more=True, unreadable=refused
        )

    def _next(self, folder: Path, cursor: SourceCursor) -> tuple[WatchedFile | None, int]:
        """The file to read, and how many of its comments are in the log."""
        if "reading" in cursor:
            begun = WatchedFile(**cursor["reading"])
            if begun in files_of(folder):
                return begun, int(cursor["row"])
        return next_file(folder, self._context.clock.now()), 0

    def _opened(self, folder: Path, file: WatchedFile, row: int, known: KnownKols) -> FileContents:
        if self._open is not None and (self._open.file, self._open.row) == (file, row):
            return self._open
        self._let_go()
        now = self._context.clock.now()
        options = self._options(folder / file.name)
        spool = folder / f".groundswell-{self._context.source_id}"
        self._open = FileContents(folder, file, spool, options, known, now)
        self._open.skip(row)
        return self._open

    def _options(self, path: Path) -> ImportOptions:
        """How a file is read; what it says of the platform goes before what the settings say."""
        options = self._spec.options(self._context.kol_id)
        try:
            CommentSource(path, path.name, options).close()
        except InputError:
            platform = {"platform": self._spec.platform}
            return replace(options, constants={**options.constants, **platform})
        return options

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _preview(self, known: KnownKols) -> SourcePreview:
        folder = check_folder(self._spec.path, self._context.folders)
        files = files_of(folder)
        newest = max(files, key=lambda file: file.changed, default=None)
        comments: Sequence[SourceComment] = ()
        said = "1 file is there now" if len(files) == 1 else f"{len(files):,} files are there now"
        if newest is not None:
            comments, found = self._shown(folder / newest.name, known)
            said += f"; {found}"
        return SourcePreview(
            account=str(folder),
            sees=(
                said,
                "files that come, ten seconds after they were last changed",
                f"files that were read are moved to {DONE}/, with the rows that were refused;"
                f" files that cannot be read to {FAILED}/, with the reason",
            ),
            cannot_see=(
                "files in folders below it, hidden files, links and files that are being written"
                " (.part, .tmp)",
                "comments that are in no file",
            ),
            costs=("nothing",),
            comments=tuple(comments),
        )

    def _shown(self, path: Path, known: KnownKols) -> tuple[list[SourceComment], str]:
        """The first comments of a file, and what can be said of it."""
        now = self._context.clock.now()
        options = self._options(path)
        try:
            return first_comments(
                path, options, known, now, _SHOWN
            ), f"the newest, {path.name}, can be read"
        except (InputError, OSError) as error:
            return [], f"the newest, {path.name}, cannot be read: {read_error(error)}"


register(
    SourceType(
        name="folder",
        title="Watched folder",
        about="Files of comments that other tools write, in any format of an import.",
        source=FolderSource,
        spec=FolderSpec,
        build=FolderSource,
        example={"path": "/srv/exports", "time_zone": "Asia/Ho_Chi_Minh"},
        needs_kol=False,
        for_limited=False,
    )
)
