"""Files in requests: raw or as a form, streamed to disk, never larger than allowed."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from serving.errors import InvalidRequest, StoreError

_CHUNK = 2**20
_MOST_FIELDS = 100
_MOST_FIELD_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was received.

    Attributes:
        path: where it is now; the receiver deletes it.
        name: what the form calls it; None for a raw body.
        fields: the other fields of the form, in order.
    """

    path: Path
    name: str | None
    fields: Mapping[str, list[str]] = field(default_factory=dict)


class _FormParser(MultiPartParser):
    """Starlette's parser, which would keep the file in the system's temporary folder.

    That folder may be small, or in memory. A file here has no name, so a kill leaves nothing.
    """

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], folder: Path) -> None:
        super().__init__(
            headers,
            stream,
            max_files=1,
            max_fields=_MOST_FIELDS,
            max_part_size=_MOST_FIELD_BYTES,
        )
        self._folder = folder

    def on_headers_finished(self) -> None:
        """Begin a part."""
        super().on_headers_finished()
        part = self._current_part
        if part.file is not None:
            part.file.file.close()
            spooled = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed with the form
                self.spool_max_size, dir=str(self._folder)
            )
            self._files_to_close_on_error.append(spooled)
            part.file.file = spooled  # type: ignore[assignment]


async def receive(request: Request, folder: Path) -> Upload:
    """Write a request's file to disk.

    Args:
        request: with a raw body, or a form with a part `file`.
        folder: where to put it.

    Raises:
        InvalidRequest: the body is empty, out of bounds, or a form that cannot be read.
        StoreError: there is no room for it on the disk.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    body = request.stream()
    try:
        if media_type == "multipart/form-data":
            return await _from_form(request, body, folder)
        async with _kept_if_whole(folder) as path:
            if not await _write(body, path):
                raise InvalidRequest("invalid_parameter", "the body is empty; send a file")
        return Upload(path, None)
    except OSError as error:
        raise StoreError(
            f"the file cannot be kept until it is imported ({error.strerror}); make room on the "
            "disk, or name another folder with GROUNDSWELL_IMPORT_FOLDER"
        ) from None


async def _from_form(request: Request, body: AsyncGenerator[bytes, None], folder: Path) -> Upload:
    try:
        form = await _FormParser(request.headers, body, folder).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise InvalidRequest("malformed_form", f"the form cannot be read: {error}") from None
    try:
        fields: dict[str, list[str]] = {}
        file: UploadFile | None = None
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                file = value
            else:
                fields.setdefault(name, []).append(value)
        if file is None or not file.size:
            raise InvalidRequest("invalid_parameter", "the form has no part 'file' with a file")
        async with _kept_if_whole(folder) as path:
            await asyncio.to_thread(_copy, file.file, path)
        return Upload(path, file.filename or None, fields)
    finally:
        await form.close()


@asynccontextmanager
async def _kept_if_whole(folder: Path) -> AsyncIterator[Path]:
    """A new file, which is deleted again if the block does not end."""
    path = await asyncio.to_thread(_new_file, folder)
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise


async def _write(body: AsyncIterator[bytes], path: Path) -> int:
    size, waiting = 0, bytearray()
    async for chunk in body:
        waiting += chunk
        size += len(chunk)
        if len(waiting) > _CHUNK:
            await asyncio.to_thread(_append, path, bytes(waiting))
            waiting.clear()
    await asyncio.to_thread(_append, path, bytes(waiting))
    return size


def _new_file(folder: Path) -> Path:
    with tempfile.NamedTemporaryFile(prefix="upload-", dir=folder, delete=False) as file:
        return Path(file.name)


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _copy(source: IO[bytes], path: Path) -> None:
    with path.open("wb") as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
