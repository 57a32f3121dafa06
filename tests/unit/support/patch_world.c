// SPDX-License-Identifier: MIT
#include "tests/unit/support/patch_world.h"

#include "tests/unit/support/unit.h"

#define BASE_SEED 1U
#define ENDLESS   1000000U /* steps */
#define PIECES    6U       /* about one in so many of the image's pieces of 4 KB has changed */

struct patch_release patch_release;

static void make_digest_text(const struct built_image *image, char text[2 * LB_SHA256_SIZE + 1])
{
  for (uint32_t i = 0; i < LB_SHA256_SIZE; i++) {
    snprintf(text + 2U * i, 3, "%02x", image->bytes[image->length - LB_SHA256_SIZE + i]);
  }
}

void patch_release_make(struct patch_release *release, const char *project)
{
  const struct patch_make_options options = {.profile = LB_PATCH_PROFILE_DEFAULT};
  char of_base[2 * LB_SHA256_SIZE + 1];
  char of_image[2 * LB_SHA256_SIZE + 1];
  struct built_image base;
  struct image_plan plan;

  image_make(&base, BASE_SEED, PATCH_WORLD_SIZE, "3.1.001");
  image_plan_sized(&plan, BASE_SEED, PATCH_WORLD_SIZE);
  plan.version = "3.1.003";
  plan.project = project;
  plan.variant = 7;
  plan.variant_every = PIECES;
  image_build(&release->image, &plan);
  assert_int_equal(
      patch_make(base.bytes, base.length, release->image.bytes, release->image.length, &options, &release->patch),
      LB_OK);
  assert_true(release->patch.length > PATCH_WORLD_SIZE / 20U && release->patch.length < PATCH_WORLD_SIZE / 2U);
  make_digest_text(&base, of_base);
  make_digest_text(&release->image, of_image);
  snprintf(release->list, sizeof(release->list),
           "lifeboat-patches 1\nimage %u %s 3.1.003\npatch %u %s ovms3.bin.a.patch 3.1.001\n", release->image.length,
           of_image, release->patch.length, of_base);
  image_free(&base);
}

void patch_release_free(struct patch_release *release)
{
  image_free(&release->image);
  free(release->patch.data);
  release->patch.data = NULL;
}

int patch_world_make(void **state)
{
  (void)state;
  patch_release_make(&patch_release, "ovms3");
  return 0;
}

int patch_world_free(void **state)
{
  (void)state;
  patch_release_free(&patch_release);
  return 0;
}

struct world *patch_world_open(void)
{
  struct world *world = unit_allocate(sizeof(*world));

  world_open(world, true);
  world_put_image(world, PATCH_WORLD_FACTORY, PATCH_WORLD_SIZE, 4);
  world_put_image(world, PATCH_WORLD_OTA_0, PATCH_WORLD_SIZE, BASE_SEED);
  world_put_image(world, PATCH_WORLD_OTA_1, PATCH_WORLD_SIZE, 3);
  world_boot(world, "factory");
  (void)world_run_on(world, 0, "ota boot ota_0", LB_OK);
  world_boot(world, "ota_0");
  world->tag = PATCH_WORLD_TAG;
  patch_world_offer(world, &patch_release);
  return world;
}

void patch_world_close(struct world *world)
{
  world_assert_quiet(world);
  world_close(world);
  free(world);
}

void patch_world_offer(struct world *world, const struct patch_release *release)
{
  patch_world_put_file(world, release->image.bytes, release->image.length);
  world->list.bytes = (const uint8_t *)release->list;
  world->list.length = (uint32_t)strlen(release->list);
  world->patch.bytes = release->patch.data;
  world->patch.length = release->patch.length;
}

void patch_world_put_file(struct world *world, const uint8_t *bytes, uint32_t length)
{
  image_free(&world->image);
  world->image.bytes = unit_copy(bytes, length);
  world->image.length = length;
}

/* ---- running ---- */

void patch_world_look_on(struct world *world)
{
  int result = world_execute(world, PATCH_WORLD_THEIRS, "ota status nocheck");

  while (result == LB_MORE) {
    result = world_poll(world, PATCH_WORLD_THEIRS);
  }
  if (result != LB_OK || !strstr(world->consoles[PATCH_WORLD_THEIRS].output, "Running partition: ")) {
    fail_here("the status beside it: %s: %s", unit_result_name(result), world->consoles[PATCH_WORLD_THEIRS].output);
  }
}

int patch_world_run(struct world *world, const char *line, uint32_t steps, uint32_t unseen)
{
  int result = world_execute(world, PATCH_WORLD_MINE, line);

  for (uint32_t i = 0; result == LB_MORE && i < steps; i++) {
    if (i >= unseen) {
      patch_world_look_on(world);
    }
    result = world_poll(world, PATCH_WORLD_MINE);
  }
  return result;
}

int patch_world_run_beside(struct world *world, const char *line)
{
  return patch_world_run(world, line, ENDLESS, 0);
}

void patch_world_assert_ran(struct world *world, const char *line, int expected)
{
  int result = patch_world_run_beside(world, line);

  if (result != expected) {
    fail_here("%s: %s instead of %s\n%s", line, unit_result_name(result), unit_result_name(expected),
              world->consoles[PATCH_WORLD_MINE].output);
  }
  world_assert_quiet(world);
}

const uint8_t *patch_world_flash(struct world *world, uint32_t address)
{
  return sim_flash_bytes(&world->flash) + address;
}

void patch_world_run_to(struct world *world, const char *line, enum flash_job_stage stage, uint32_t more)
{
  int result = world_execute(world, PATCH_WORLD_MINE, line);

  for (uint32_t steps = 0; world->module.flash_job.stage != stage || more-- > 0; steps++) {
    if (result != LB_MORE || steps == ENDLESS) {
      fail_here("it does not come to stage %d: %s\n%s", stage, unit_result_name(result),
                world->consoles[PATCH_WORLD_MINE].output);
    }
    result = world_poll(world, PATCH_WORLD_MINE);
  }
}

void patch_world_cancel(struct world *world)
{
  console_cancel(&world->consoles[PATCH_WORLD_MINE].console);
  world_assert_quiet(world);
}

struct world *patch_world_open_with_stage(enum flash_job_stage until, uint32_t more)
{
  struct world *world = patch_world_open();

  patch_world_run_to(world, PATCH_WORLD_UPDATE, until, more);
  patch_world_cancel(world);
  world_boot(world, "ota_0");
  patch_world_look_on(world);
  world_assert_said(world, PATCH_WORLD_THEIRS, PATCH_WORLD_WAITS);
  world->list.asked = 0;
  world->patch.asked = 0;
  return world;
}

void patch_world_assert_updated(struct world *world)
{
  assert_memory_equal(patch_world_flash(world, PATCH_WORLD_OTA_1), patch_release.image.bytes, PATCH_WORLD_SIZE);
  patch_world_look_on(world);
  world_assert_never_said(world, PATCH_WORLD_THEIRS, PATCH_WORLD_WAITS);
  world_boot(world, "ota_1");
}
