// SPDX-License-Identifier: MIT
#include "tests/unit/support/stage_world.h"

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"

#define PATCH_HEADER 66U
#define IMAGE_LENGTH 4000U

void stage_world_open(struct stage_world *world, const struct sim_geometry *geometry, uint32_t patch_size)
{
  uint8_t *bytes;

  memset(world, 0, sizeof(*world));
  world->random.state = 6;
  assert_result(sim_flash_open_memory(&world->sim, geometry), LB_OK);
  flash_tap_start(&world->tap, &world->sim.driver);
  world->slot = (struct lb_partition){geometry->size / 4, geometry->size / 2, 0, 0, 0x10, "ota_0"};
  bytes = sim_flash_bytes(&world->sim);
  unit_random_fill(&world->random, bytes, geometry->size);
  image_make(&world->image, 1, IMAGE_LENGTH, "3.3.002");
  memcpy(bytes + world->slot.offset, world->image.bytes, world->image.length);
  world->before = unit_copy(bytes, geometry->size);
  world->subject = (struct lb_stage_subject){.source = "http://depot.example/ovms3.bin.9af3c2d1a0b1c2d3.patch",
                                             .validator = "\"5f3a-1\"",
                                             .image_size = IMAGE_LENGTH + 100};
  stage_world_patch(world, patch_size);
}

void stage_world_close(struct stage_world *world)
{
  free(world->patch);
  free(world->before);
  image_free(&world->image);
  flash_tap_stop(&world->tap);
  sim_flash_close(&world->sim);
}

void stage_world_patch(struct stage_world *world, uint32_t size)
{
  free(world->patch);
  world->patch = unit_allocate(size);
  world->subject.size = size;
  unit_random_fill(&world->random, world->patch, size);
  if (size >= PATCH_HEADER) {
    memcpy(world->patch, "LBP\x01", 4);
    stage_world_seal(world);
  }
}

void stage_world_seal(struct stage_world *world)
{
  uint8_t *patch = world->patch;

  lb_store_le32(patch + 6, lb_crc32(lb_crc32(0, patch, 6), patch + 10, world->subject.size - 10));
}

int stage_world_create(struct stage_world *world, struct lb_stage *stage)
{
  int result = lb_stage_start(stage, &world->tap.flash, &world->slot, &world->subject);

  if (result) {
    return result;
  }
  do {
    uint32_t before = world->tap.count;

    result = lb_stage_create(stage, &world->subject);
    assert_in_range(world->tap.count - before, 0, 1);
  } while (result == LB_MORE);
  return result;
}

int stage_world_measure(struct lb_stage *stage)
{
  int result;

  do {
    result = lb_stage_measure(stage);
  } while (result == LB_MORE);
  return result;
}

int stage_world_write(struct stage_world *world, struct lb_stage *stage, uint32_t end)
{
  uint32_t given = stage->position; /* up to here the transport has bytes */

  while (stage->position < end) {
    uint32_t before = world->tap.count;
    uint32_t used = 0xDEADU;
    uint32_t position = stage->position;
    int err;

    given += unit_random_below(&world->random, 3 * world->tap.flash.page_size);
    given = given < end ? given : end;
    err = lb_stage_write(stage, world->patch + position, given - position, &used);
    assert_in_range(world->tap.count - before, 0, 1);
    if (err) {
      return err;
    }
    assert_in_range(used, 0, given - position);
    assert_int_equal(stage->position, position + used);
    if (used == 0 && given == end && world->tap.count == before && end < world->subject.size) {
      break; /* not a page any more, and not the last bytes */
    }
  }
  return LB_OK;
}

int stage_world_check(struct stage_world *world, struct lb_stage *stage)
{
  int result;

  do {
    uint32_t before = world->tap.count;

    result = lb_stage_check(stage);
    assert_in_range(world->tap.count - before, 0, 1);
  } while (result == LB_MORE);
  return result;
}

uint32_t stage_world_start(const struct stage_world *world)
{
  uint32_t sector = lb_flash_sector(&world->tap.flash);
  uint32_t sectors = (world->subject.size + sector - 1) / sector;

  return world->slot.offset + world->slot.size - (2 + sectors) * sector;
}

void stage_world_assert_rest(struct stage_world *world)
{
  const uint8_t *bytes = sim_flash_bytes(&world->sim);
  uint32_t end = world->slot.offset + world->slot.size - lb_flash_sector(&world->tap.flash);

  assert_memory_equal(bytes, world->before, stage_world_start(world));
  assert_memory_equal(bytes + end, world->before + end, world->tap.flash.size - end);
}
