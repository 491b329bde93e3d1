# SPDX-License-Identifier: MIT
"""What the library's messages call by its C name, in the words of Python.

A test takes the C names out of the library's sources and demands that all are here. The
names of statuses stay as they are: they are what Error.name says.
"""

from __future__ import annotations

import re

WORDS = {
    "winshm.h": "help(winshm)",
    "NULL": "None",
    # Functions, with which a message also begins.
    "winshm_create": "winshm.create()",
    "winshm_open": "winshm.open()",
    "winshm_open_or_create": "winshm.open_or_create()",
    "winshm_open_with": "winshm.open()",
    "winshm_close": "region.close()",
    "winshm_data": "region.data",
    "winshm_size": "region.size",
    "winshm_resize": "region.resize()",
    "winshm_get_info": "region.info",
    "winshm_get_participants": "region.participants",
    "winshm_get_layout": "region.layout",
    "winshm_format_layout": "winshm.layout_of()",
    "winshm_map": "region.map()",
    "winshm_view_data": "view.data",
    "winshm_view_size": "view.size",
    "winshm_unmap": "view.close()",
    "winshm_read": "region.read()",
    "winshm_write": "region.write()",
    "winshm_copy_out": "held.read()",
    "winshm_copy_in": "held.write()",
    "winshm_save": "region.save()",
    "winshm_load": "region.load()",
    "winshm_lock": "region.lock()",
    "winshm_unlock": "region.release()",
    "winshm_make_consistent": "region.make_consistent()",
    "winshm_notify": "region.notify()",
    "winshm_wait": "region.wait()",
    "winshm_change_count": "region.change_count",
    "winshm_wait_fd": "region.wait_fd()",
    "winshm_wait_handle": "region.wait_handle()",
    "winshm_get_name": "region.name",
    "winshm_export": "region.export_token()",
    "winshm_import": "winshm.import_token()",
    "winshm_link": "region.link()",
    "winshm_open_link": "winshm.open_link()",
    # What else is given and got.
    "winshm_options": "the arguments",
    "winshm_options.struct_size": "the size of the arguments' structure",
    "winshm_options.flags": "the arguments",
    "winshm_options.disposition": "the choice of create() or open()",
    "winshm_options.timeout_ms": "the argument timeout",
    "winshm_options.size": "the argument size",
    "winshm_options.capacity": "the argument capacity",
    "winshm_options.layout_tag": "the argument layout_tag",
    "winshm_options.name": "the argument name",
    "winshm_options.security": "the argument security",
    "winshm_options.layout": "the argument layout",
    "winshm_info": "region.info",
    "winshm_info.capacity": "region.info.capacity",
    "winshm_participant": "region.participants",
    "winshm_field": "a field",
    "winshm_region": "Region",
    "winshm_view": "View",
    "winshm_status": "Status",
    # Flags and values.
    "WINSHM_READ": "readonly=True",
    "WINSHM_WRITE": "readonly=False",
    "WINSHM_RAW": "raw=True",
    "WINSHM_NO_LOCK": "no_lock=True",
    "WINSHM_NO_MAP": "no_map=True",
    "WINSHM_TASK": "tasks=True",
    "WINSHM_CREATE_LOCKED": "the argument fill",
    "WINSHM_CREATE_NEW": "winshm.create()",
    "WINSHM_OPEN_EXISTING": "winshm.open()",
    "WINSHM_OPEN_OR_CREATE": "winshm.open_or_create()",
    "WINSHM_SHARED": "shared=True",
    "WINSHM_EXCLUSIVE": "shared=False",
    "WINSHM_FOREVER": "timeout=None",
    "WINSHM_NAME_MAX": "winshm.NAME_MAX",
    "WINSHM_PARTICIPANTS_MAX": "winshm.PARTICIPANTS_MAX",
    "WINSHM_LAYOUT_MAX": "winshm.LAYOUT_MAX",
    "WINSHM_TOKEN_MAX": "winshm.TOKEN_MAX",
}

#: What helps where that is something else than in C.
CURES = {
    # Here nobody has the lock who did not ask for it with recover=True.
    "WINSHM_E_OWNER_DEAD": (
        "Repair the data under region.lock(recover=True), then call region.make_consistent()."
    ),
}

# An object's name in quotes comes first, as it may look like anything. Statuses do not
# match, nor an apostrophe within a word.
_NAMES = re.compile(
    r"(?P<quoted>(?<!\w)'.*?'(?!\w))"
    r"|\b(?P<name>winshm\.h\b|NULL\b|winshm_\w+(?:\.\w+)?|WINSHM_(?!E_)[A-Z_]+)(?:\(\))?"
)


def in_python(message: str, function: str = "") -> str:
    """Translate a message of the library.

    function is what it begins with, where the table cannot know what was called.
    """
    if function:
        message = re.sub(r"^winshm_\w+", function, message)
    for status, cure in CURES.items():
        what, mark, _ = message.rpartition(f" [{status}]. ")
        if mark:
            message = what + mark + cure
    return _NAMES.sub(_word, message)


def _word(found: re.Match[str]) -> str:
    # A later library may know more names; they stay as they are.
    return WORDS.get(found["name"] or "", found[0])
