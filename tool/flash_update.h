// SPDX-License-Identifier: MIT
/* Writing an image into a slot of a dump, as a module does it. */
#ifndef TOOL_FLASH_UPDATE_H
#define TOOL_FLASH_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "tool/flash_dump.h"

struct flash_update {
  struct lb_partition slot;
  const char *source; /* where the image comes from, for error lines */
  const uint8_t *data;
  uint32_t length;     /* of the image, which has been verified */
  const char *project; /* the image must be of this project, if it names one; NULL: any */
  bool select;         /* the slot boots next */
  bool json;           /* tell the progress for programs */

  /* what was done, once it is */
  uint32_t sectors_kept;
  uint32_t bytes_erased;
};

/*
 * Writes an OTA slot other than the one that boots now; then the dump is decided anew. If otadata selects the slot,
 * though its image is bad, the selection moves to the slot that boots now before a byte of it changes.
 * A tool_exit; an error line has been printed unless it is TOOL_EXIT_DONE.
 */
int flash_update_run(struct flash_dump *dump, struct flash_update *update);

/*
 * Writes factory, and the copy of the partition table if there is none and its place is blank: production only. The
 * image's first 24 bytes come last, so that a part of an image never looks like one. Selects it if update->select.
 */
int flash_update_factory(struct flash_dump *dump, struct flash_update *update);

/* What both end with: a line for people, or the object for programs. Returns a tool_exit. */
int flash_update_report(const struct flash_dump *dump, const struct flash_update *update, const char *command,
                        const struct lb_image_info *image);

#endif
