// SPDX-License-Identifier: MIT
/* A module whose server has a patch for what runs: for the tests of the job that updates by it. */
#ifndef TESTS_UNIT_SUPPORT_PATCH_WORLD_H
#define TESTS_UNIT_SUPPORT_PATCH_WORLD_H

#include "module/flash_job.h"
#include "tests/unit/support/world.h"
#include "tool/patch/make.h"

#define PATCH_WORLD_SIZE    200000U /* of all images, in bytes */
#define PATCH_WORLD_FACTORY 0x10000U
#define PATCH_WORLD_OTA_0   0x410000U /* runs */
#define PATCH_WORLD_OTA_1   0x810000U /* the target */
#define PATCH_WORLD_SLOT    0x400000U
#define PATCH_WORLD_TAG     "\"1\""
#define PATCH_WORLD_MINE    0U /* the console that updates */
#define PATCH_WORLD_THEIRS  1U /* and the one that looks on */
#define PATCH_WORLD_UPDATE  "ota flash http"
#define PATCH_WORLD_SAYS    "  By patch from ota_0: " /* in the end */
#define PATCH_WORLD_WAITS   "Interrupted"             /* says the status while something of an update waits */

/* A new firmware: its image, the patch for what runs, and the list of both. */
struct patch_release {
  struct built_image image;
  struct patch_bytes patch;
  char list[512];
};

/* Made once for the test program by the two below it, which are for cmocka_run_group_tests. */
extern struct patch_release patch_release;
int patch_world_make(void **state);
int patch_world_free(void **state);

/* One of another project, or the same. */
void patch_release_make(struct patch_release *release, const char *project);
void patch_release_free(struct patch_release *release);

/* ota_0 runs and was selected, factory and ota_1 hold something else; the server has patch_release, and sends parts. */
struct world *patch_world_open(void);
void patch_world_close(struct world *world); /* nothing is left open, and no step has taken too long */

/* The server has that, the file, too. The bytes stay the release's. */
void patch_world_offer(struct world *world, const struct patch_release *release);

/* The file is a patch then, which is copied, and not an image. */
void patch_world_put_file(struct world *world, const uint8_t *bytes, uint32_t length);

/* ---- running ---- */

/* The second console asks for the status, and gets it. */
void patch_world_look_on(struct world *world);

/* Begins, and goes on for at most so many steps; it is looked on beside each but the first ones. The last result. */
int patch_world_run(struct world *world, const char *line, uint32_t steps, uint32_t unseen);

/* To its end, looked on beside each step; and fails the test if the result is another. */
int patch_world_run_beside(struct world *world, const char *line);
void patch_world_assert_ran(struct world *world, const char *line, int expected);

/* Goes on until the job is at that stage, and has done so many steps more. */
void patch_world_run_to(struct world *world, const char *line, enum flash_job_stage stage, uint32_t more);

void patch_world_cancel(struct world *world);

/* An update was cancelled there, when something of the patch had come, and the module was started anew since. */
struct world *patch_world_open_with_stage(enum flash_job_stage until, uint32_t more);

/* The target has the new image, nothing waits any more, and it boots. */
void patch_world_assert_updated(struct world *world);

const uint8_t *patch_world_flash(struct world *world, uint32_t address);

#endif
