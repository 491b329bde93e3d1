# SPDX-License-Identifier: MIT
"""Exceptions, and the one place where a status becomes one."""

from __future__ import annotations

import builtins
import errno
import sys

from ._abi import Status, quick
from ._words import in_python


class Error(Exception):
    """A call of the library has failed; str() of it says what, why and the cure.

    status  -- a Status, or an int that this version of the package does not know
    name    -- such as "WINSHM_E_NOT_FOUND"
    os_code -- GetLastError() or errno behind the failure, 0 if there is none

    Subclasses that are an OSError, too, have its errno: os_code where that is an errno
    for which Python raises this sort of exception, else the usual one, such as ENOENT.
    On Windows winerror is os_code, or None if there is none. strerror says in a few words
    what happened.
    """

    status: int
    name: str
    os_code: int

    def __init__(self, status: int, message: str = "", os_code: int = 0) -> None:
        self.status = Status(status) if status in _KNOWN else status
        self.name = quick.winshm_status_name(status).decode()
        self.os_code = os_code
        text = quick.winshm_status_text(status).decode()
        # A single argument, because OSError would take two for errno and strerror.
        super().__init__(message or text)
        if isinstance(self, OSError):
            self.errno = _errno(self, os_code)
            self.strerror = text
            if sys.platform == "win32":
                self.winerror = os_code or None

    def __str__(self) -> str:
        # That of OSError would be made of errno and strerror.
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[Error], tuple[int, str, int]]:
        return type(self), (int(self.status), self.args[0], self.os_code)


class NotFoundError(Error, FileNotFoundError):
    """Nobody has the region open (NOT_FOUND)."""


class ExistsError(Error, FileExistsError):
    """Somebody has the region open already (EXISTS)."""


class AccessError(Error, PermissionError):
    """The system, or the kind of the handle, denies it (ACCESS, PRIVILEGE)."""


class TimeoutError(Error, builtins.TimeoutError):  # noqa: A001 - as in asyncio
    """The time-out ran out (TIMEOUT); the builtin TimeoutError catches it too."""


class OwnerDeadError(Error):
    """A lock's owner died in its section, so the data may be half written.

    The lock is not held when this is raised, and the data stay marked. Take the lock
    with recover=True to repair them.
    """


class InvalidError(Error, ValueError):
    """A bad argument (INVALID, NAME)."""


class RangeError(Error, IndexError):
    """Offset or length outside the region (RANGE)."""


class TokenError(Error, ValueError):
    """A text that is no token, or was altered (TOKEN)."""


class FormatError(Error, ValueError):
    """A file that is no saved region, or was damaged (FORMAT)."""


class ClosedError(Error, ValueError):
    """The region or view is closed (CLOSED)."""


# Tracebacks name them as users do.
for _each in (Error, *Error.__subclasses__()):
    _each.__module__ = "winshm"

_ERRNOS: dict[type[OSError], int] = {
    FileNotFoundError: errno.ENOENT,
    FileExistsError: errno.EEXIST,
    PermissionError: errno.EACCES,
    builtins.TimeoutError: errno.ETIMEDOUT,
}


def _errno(failure: OSError, os_code: int) -> int:
    """Choose an errno that agrees with the class, as that of any OSError does."""
    kind = next(each for each in _ERRNOS if isinstance(failure, each))
    if sys.platform != "win32" and type(OSError(os_code, "")) is kind:
        return os_code
    return _ERRNOS[kind]


_KNOWN = frozenset(int(status) for status in Status)

_CLASSES: dict[int, type[Error]] = {
    Status.NOT_FOUND: NotFoundError,
    Status.EXISTS: ExistsError,
    Status.ACCESS: AccessError,
    Status.PRIVILEGE: AccessError,
    Status.TIMEOUT: TimeoutError,
    Status.OWNER_DEAD: OwnerDeadError,
    Status.INVALID: InvalidError,
    Status.NAME: InvalidError,
    Status.RANGE: RangeError,
    Status.CLOSED: ClosedError,
    Status.TOKEN: TokenError,
    Status.FORMAT: FormatError,
}


def error(status: int, more: str = "", function: str = "") -> Error:
    """Make the exception for the call that has just failed in this thread.

    more is what to say besides. function is what was called, where the one of the library
    that has failed serves several of this package.
    """
    message = in_python(quick.winshm_last_message().decode("utf-8", "replace"), function)
    return _CLASSES.get(status, Error)(status, message + more, quick.winshm_last_os_code())


def check(status: int, function: str = "") -> None:
    """Raise an Error unless status is 0; function is as for error()."""
    if status:
        raise error(status, function=function)


def closed(what: str) -> ClosedError:
    """Make the exception for the use of something that this package has closed."""
    message = f"the {what} is closed [WINSHM_E_CLOSED]. Keep it open until its last use."
    return ClosedError(Status.CLOSED, message)


def forked(what: str) -> Error:
    """Make the exception for the use of something in a child of its process."""
    message = f"the {what} belongs to the parent process [WINSHM_E_FORKED]. "
    return Error(Status.FORKED, message + "Open the region again in the child after fork().")


def raise_after(failure: Error, body: BaseException | None) -> None:
    """Raise what the end of a with block has failed with.

    If the block has ended by an exception, that one goes on instead, as it tells the
    cause. From Python 3.11 on it carries the failure as a note. A child of fork() that
    leaves a block of its parent has nothing to give back, and is told nothing.
    """
    if failure.status == Status.FORKED:
        return
    if body is None:
        raise failure
    if sys.version_info >= (3, 11):
        body.add_note(f"Leaving the with block failed, too: {failure}")
