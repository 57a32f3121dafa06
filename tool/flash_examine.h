// SPDX-License-Identifier: MIT
/* All that can be told about a module's flash without changing it. */
#ifndef TOOL_FLASH_EXAMINE_H
#define TOOL_FLASH_EXAMINE_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/boot.h"
#include "lifeboat/otadata.h"
#include "lifeboat/verify.h"
#include "tool/report.h"

/* A patch that waits in a slot's tail until it is applied (lifeboat/stage.h). */
struct flash_waiting {
  bool is_there;
  bool whole;
  uint32_t offset;   /* of its first byte, from the slot's start */
  uint32_t size;     /* in bytes */
  uint32_t position; /* bytes of it that have come */
  char source[512];  /* printable; a longer one is cut */
};

/* A partition of type app and the image in it. */
struct flash_slot {
  struct lb_partition partition;
  bool is_empty; /* its first sector is erased */
  int result;    /* of verifying the image */
  struct lb_image_info image;
  struct flash_waiting waiting;
};

struct flash_examination {
  const char *path;
  uint32_t size;
  const struct lb_chip *chip; /* what images have to be for */
  struct lb_table table;
  int table_result;   /* LB_OK, or why neither table is good; then nothing below is known */
  int otadata_result; /* LB_OK, or why otadata is not known */
  struct lb_otadata otadata;
  uint32_t slot_count;
  struct flash_slot slots[LB_TABLE_ROWS_MAX];
  int boot_result; /* LB_OK, or why nothing boots */
  struct lb_boot_decision boot;
};

/* Examines a flash. Nothing of `flash` is needed afterwards. */
void flash_examine(struct flash_examination *examination, const char *path, const struct lb_flash *flash,
                   const struct lb_chip *chip);

/* The slot that boots; NULL if none does. */
const struct flash_slot *flash_booting_slot(const struct flash_examination *examination);

/* Is what boots on trial? The next start may find its last attempt failed, and boot something else. */
bool flash_boots_on_trial(const struct flash_examination *examination);

/* The OTA slot that an otadata record means, as a label; "" if it means none. */
void flash_record_slot(const struct flash_examination *examination, const struct lb_otadata_record *record,
                       char label[LB_LABEL_SIZE]);

/* {"file": ..., "table": ..., "otadata": ..., "slots": ..., "boot": ...} */
cJSON *flash_examination_json(const struct flash_examination *examination);

#endif
