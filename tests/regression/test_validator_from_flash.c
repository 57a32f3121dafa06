// SPDX-License-Identifier: MIT
/*
 * Found in review: a journal with a validator that is no strong ETag, which only a hostile or rotten flash can have,
 * was gone on with. The network refuses to ask for a part by such a one, so that URL could never be flashed again.
 */
#include "lifeboat/crc32.h"
#include "lifeboat/journal.h"
#include "tests/unit/support/unit.h"
#include "tests/unit/support/world.h"

#define SIZE  200000U
#define OTA_0 0x410000U
#define URL   "http://depot.test/a.bin"

static int (*open_really)(void *context, const struct port_request *request, struct port_transfer **transfer);

static int open_strictly(void *context, const struct port_request *request, struct port_transfer **transfer)
{
  if (request->first > 0 && (!request->validator || request->validator[0] != '"')) {
    return LB_ERR_ARGUMENT;
  }
  return open_really(context, request, transfer);
}

/* The first block of what the server has is there, and marked as done. */
static void leave_block(struct world *world, const char *validator)
{
  const struct lb_partition slot = {.offset = OTA_0, .size = 0x400000, .subtype = 0x10, .label = "ota_0"};
  struct lb_journal journal = {.phase = 0};
  const struct lb_journal_subject subject = {.source = URL,
                                             .validator = validator,
                                             .size = world->image.length,
                                             .compare_end = OTA_0,
                                             .head = world->image.bytes};
  uint8_t *bytes = sim_flash_bytes(&world->flash) + OTA_0;
  int result = LB_MORE;

  while (result == LB_MORE) {
    result = lb_journal_create(&journal, &world->flash.driver, &slot, &subject);
  }
  assert_result(result, LB_OK);
  const uint32_t end = lb_journal_block_end(&journal, 0);
  memcpy(bytes, world->image.bytes, end);
  memset(bytes, 0xFF, LB_IMAGE_HEADER_SIZE);
  assert_result(lb_journal_begin_block(&journal, 0), LB_OK);
  assert_result(lb_journal_finish_block(&journal, 0, lb_crc32(0, bytes, end)), LB_OK);
}

static void flash_over(const char *validator)
{
  struct world *world = unit_allocate(sizeof *world);

  world_open(world, true);
  world_offer(world, 7, SIZE, "3.1.004");
  world_put_image(world, 0x10000, 8192, 1);
  world_boot(world, "factory");
  open_really = world->network.open;
  world->network.open = open_strictly;
  leave_block(world, validator);
  world_run(world, "ota flash http " URL " to ota_0", LB_OK);
  assert_memory_equal(sim_flash_bytes(&world->flash) + OTA_0, world->image.bytes, SIZE);
  world_close(world);
  free(world);
}

static void test_no_strong_tag(void **state)
{
  static const char *const validators[] = {"W/\"x\"", "x", "\"\"", "\"a b\"", "\"a\r\nHost: b\""};

  (void)state;
  for (size_t i = 0; i < sizeof validators / sizeof validators[0]; i++) {
    flash_over(validators[i]);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_strong_tag)};

  return cmocka_run_group_tests_name("validator from flash", tests, NULL, NULL);
}
