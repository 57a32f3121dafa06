// SPDX-License-Identifier: MIT
/* A module for the tests: simulated flash in memory, tapped, with a table and slots, and what is done with them. */
#ifndef TESTS_UNIT_SUPPORT_FIXTURE_H
#define TESTS_UNIT_SUPPORT_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/boot.h"
#include "lifeboat/update.h"
#include "ports/sim/flash.h"
#include "tests/unit/support/flash_tap.h"
#include "tests/unit/support/image_builder.h"

struct fixture {
  struct sim_flash flash;
  struct flash_tap tap; /* what the library sees */
  struct lb_table table;
  struct lb_device device;
  uint8_t sector[4096]; /* to lend to an update */
};

/* The partitions of the format page, ready for lb_table_add; `count` gets their number. */
const struct lb_partition *layout_ovms(uint32_t *count);
const struct lb_partition *layout_7m(uint32_t *count);

/* Opens a module of that geometry with these partitions; the table is written at both places. */
void fixture_open(struct fixture *fixture, const struct sim_geometry *geometry, const struct lb_partition *rows,
                  uint32_t count);
void fixture_open_ovms(struct fixture *fixture);
void fixture_open_7m(struct fixture *fixture);

/* Miniature geometry, factory if wanted, and OTA slots of 16 KB: "factory", "ota_0", ... */
void fixture_open_miniature(struct fixture *fixture, bool factory, uint32_t slots);
void fixture_close(struct fixture *fixture);

uint8_t *fixture_bytes(struct fixture *fixture);
struct lb_partition fixture_partition(struct fixture *fixture, const char *label);

/* Puts an image at the start of a partition, behind the driver's back; the rest of the partition becomes 0xFF. */
void fixture_put_image(struct fixture *fixture, const char *label, const struct built_image *image);

/* The same with an image that is made for it. */
void fixture_put_made(struct fixture *fixture, const char *label, uint32_t seed, uint32_t length);

/* Makes otadata record 0 or 1, its CRC right; or blanks it. */
void fixture_put_record(struct fixture *fixture, uint32_t index, uint32_t sequence, uint32_t state);
void fixture_blank_record(struct fixture *fixture, uint32_t index);

/* All bytes of the flash at a moment, and back to it. */
uint8_t *fixture_snapshot(struct fixture *fixture);
void fixture_restore(struct fixture *fixture, const uint8_t *snapshot);
bool fixture_same(struct fixture *fixture, const uint8_t *snapshot, uint32_t offset, uint32_t length);

/* The label of what otadata selects. */
const char *fixture_selected(struct fixture *fixture);

/* Boots; returns lb_boot's result and, through `decision`, what boots. */
int fixture_boot(struct fixture *fixture, struct lb_boot_decision *decision);

/*
 * A whole update in pieces of `piece` bytes: the first error, or LB_OK. Fails the test if any call does more than one
 * erase and one page, or if it goes on for ever. `update` may be NULL.
 */
int fixture_update(struct fixture *fixture, const struct lb_update_config *config, const uint8_t *bytes,
                   uint32_t length, uint32_t piece, struct lb_update *update);

/* The configuration of an update of `target` while `running` runs: size unknown, any project, sector buffer lent. */
struct lb_update_config fixture_config(struct fixture *fixture, const char *running, const char *target);

#endif
