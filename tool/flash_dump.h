// SPDX-License-Identifier: MIT
/*
 * A dump of a module's flash that a command works on, in place: opened, its table read, and what boots from it decided.
 *
 * What is written goes through the simulated flash into the file, byte by byte where it changes something. Whatever
 * lies outside the app slots (tables, otadata) reaches the disk only after all that was written before it, and before
 * all that is written after it: so the tool may be killed, or the computer lose its power, at any moment as a module
 * may.
 */
#ifndef TOOL_FLASH_DUMP_H
#define TOOL_FLASH_DUMP_H

#include <stdbool.h>

#include "lifeboat/boot.h"
#include "ports/sim/flash.h"
#include "tool/flash_device.h"
#include "tool/report.h"

struct flash_dump {
  const char *path;
  struct sim_flash flash;
  struct lb_flash driver; /* the flash, in the order described above */
  struct flash_device device;
  struct lb_verify verify; /* room to verify images in */
  int table_result;        /* LB_OK, or why there is no table */
  int boot_result;         /* LB_OK, or why nothing boots; then boot.partition is empty */
  struct lb_boot_decision boot;
  char project[sizeof(((struct lb_image_description *)0)->project)]; /* of the image that boots, "" if none does */
};

/* Opens a dump, with or without a table. False and an error line if there is none at `path`, or it is in use. */
bool flash_dump_open(struct flash_dump *dump, const char *path, const struct lb_chip *chip,
                     enum sim_flash_access access);

/* The same for a dump that has to have a table. */
bool flash_dump_open_slots(struct flash_dump *dump, const char *path, const struct lb_chip *chip,
                           enum sim_flash_access access);

void flash_dump_close(struct flash_dump *dump);

/* Finds out anew what the table says and what boots, after a change. */
void flash_dump_decide(struct flash_dump *dump);

/* The app slot of that label or, like "ota_0", of that kind. False, with the error line of the module and a hint. */
bool flash_dump_slot(const struct flash_dump *dump, const char *name, struct lb_partition *slot);

/* Is it the slot that would boot now? */
bool flash_dump_boots(const struct flash_dump *dump, const struct lb_partition *slot);

/* Verifies the slot's image and selects it, as lb_select does. `image` gets what was verified, and may be NULL. */
int flash_dump_select(struct flash_dump *dump, const struct lb_partition *slot, struct lb_image_info *image);

/* A command with the words FILE SLOT and the options --chip and --json: opens, runs `run`, closes. A tool_exit. */
int flash_dump_command(int argc, char **argv,
                       int (*run)(struct flash_dump *dump, const struct lb_partition *slot, bool json));

/* Waits until all that was written is on the disk. False and an error line if that failed. */
bool flash_dump_sync(struct flash_dump *dump);

/* The label, as it may be printed; `text` has LB_LABEL_SIZE bytes. Returns it. */
const char *flash_dump_label(const struct lb_partition *slot, char *text);

/* "Next boot will be from 'ota_0'", or that nothing boots. */
void flash_dump_print_boot(const struct flash_dump *dump);

/*
 * {"event": "done", "command": ..., "file": ..., "slot": {...} or null, "boots": label or null}, to which a command
 * adds. `slot` may be NULL.
 */
cJSON *flash_dump_json(const struct flash_dump *dump, const char *command, const struct lb_partition *slot);

#endif
