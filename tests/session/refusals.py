# SPDX-License-Identifier: MIT
"""What the console says when it refuses or breaks off, where tests of several files compare it."""

NO_SLOT = ["Error: OTA partition not found",
           "  there is no such partition - look at the names in the partition table (ESP_ERR_NOT_FOUND, 261)"]
CANCELLED = "Error: the command was cancelled - give it again (ESP_ERR_INVALID_STATE, 259)"
UNTOUCHED = "is as it was"
INCOMPLETE = "is incomplete and will not boot"
WHOLE = "holds the whole new firmware"


def remains(what, slot="ota_0", next_boot="factory"):
    """The two lines below the error of an update that failed or was cancelled after its image had been accepted."""
    return [f"  Partition {slot} {what}", f"  Next boot will be from '{next_boot}'"]


def not_bootable(slot, cause):
    return [f"Error: {slot} cannot be booted: {cause} - flash it first, or choose another "
            "(ESP_ERR_OTA_VALIDATE_FAILED, 5379)"]


def too_large(size, slot="ota_0", capacity=4194304):
    return [f"Error: target partition too small ({capacity} bytes capacity) - aborting",
            f"  image is {size} bytes, partition {slot} holds {capacity} (ESP_ERR_INVALID_SIZE, 260) - "
            "use the image made for this module"]


def wrong_arguments(usage):
    return [f"Error: the arguments do not fit - usage: {usage} (ESP_ERR_INVALID_ARG, 258)"]
