// SPDX-License-Identifier: MIT
/* A chip with a slot that holds an image, and a patch that is to wait behind it: for the tests of the stage. */
#ifndef TESTS_UNIT_SUPPORT_STAGE_WORLD_H
#define TESTS_UNIT_SUPPORT_STAGE_WORLD_H

#include "lifeboat/stage.h"
#include "ports/sim/flash.h"
#include "tests/unit/support/flash_tap.h"
#include "tests/unit/support/image_builder.h"
#include "tests/unit/support/unit.h"

struct stage_world {
  struct sim_flash sim;
  struct flash_tap tap;
  struct lb_partition slot;
  struct built_image image; /* in the slot */
  struct lb_stage_subject subject;
  uint8_t *patch;  /* subject.size bytes */
  uint8_t *before; /* the whole chip, as it was */
  struct unit_random random;
};

/* `slot_size` bytes in the middle of a chip of twice as many; the rest of it, and what the image leaves free, is noise.
 */
void stage_world_open(struct stage_world *world, const struct sim_geometry *geometry, uint32_t patch_size);
void stage_world_close(struct stage_world *world);

/* Makes a patch as far as its header and its CRC go. */
void stage_world_patch(struct stage_world *world, uint32_t size);
void stage_world_seal(struct stage_world *world);

/* lb_stage_start and lb_stage_create, an operation a call. */
int stage_world_create(struct stage_world *world, struct lb_stage *stage);

/* lb_stage_measure up to its end. */
int stage_world_measure(struct lb_stage *stage);

/* Gives bytes up to `end` in pieces of random length, as a transport does: an operation a call. */
int stage_world_write(struct stage_world *world, struct lb_stage *stage, uint32_t end);

/* lb_stage_check up to its end. */
int stage_world_check(struct stage_world *world, struct lb_stage *stage);

/* What belongs to no stage of that patch is as it was. */
void stage_world_assert_rest(struct stage_world *world);

/* Where the patch lies then. */
uint32_t stage_world_start(const struct stage_world *world);

#endif
