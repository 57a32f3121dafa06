# SPDX-License-Identifier: MIT


class PatchError(Exception):
    """A patch that is refused; `name` is the error's, as docs/patch-format.md has it."""

    def __init__(self, name):
        super().__init__(name)
        self.name = name


def corrupt():
    return PatchError("LB_ERR_PATCH_CORRUPT")
