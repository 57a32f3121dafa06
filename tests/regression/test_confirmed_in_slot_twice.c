// SPDX-License-Identifier: MIT
/*
 * Found by fuzz_otadata: where both records of otadata mean the same slot, only the first one was asked whether an
 * image had been confirmed there. A firmware that had been confirmed by the second was said to be on trial when it was
 * selected again.
 */
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/otadata.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

/* Puts a tag behind a record, as docs/SPEC.md has it: counts at once, of an image with a digest of these bytes. */
static void put_tag(struct fixture *fixture, uint32_t index, uint32_t sequence, uint8_t digest)
{
  uint8_t *tag = fixture_bytes(fixture) + fixture_partition(fixture, "otadata").offset + index * 0x1000 + 64;

  memcpy(tag, "LBTR", 4);
  lb_store_le32(tag + 4, sequence);
  tag[8] = 2;
  memset(tag + 28, digest, LB_SHA256_SIZE);
  lb_store_le32(tag + 60, lb_crc32(0, tag, 60));
}

static bool was_confirmed(struct fixture *fixture, uint32_t slot, uint8_t digest)
{
  struct lb_otadata otadata;
  uint8_t bytes[LB_SHA256_SIZE];

  memset(bytes, digest, sizeof(bytes));
  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  return lb_otadata_was_confirmed(&otadata, &fixture->table, slot, bytes);
}

static void test_either_record(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_record(&fixture, 0, 1, LB_OTADATA_UNDEFINED);
  fixture_put_record(&fixture, 1, 3, LB_OTADATA_UNDEFINED);
  put_tag(&fixture, 0, 1, 0xA1);
  put_tag(&fixture, 1, 3, 0xB2);
  assert_true(was_confirmed(&fixture, 0, 0xA1));
  assert_true(was_confirmed(&fixture, 0, 0xB2));
  assert_false(was_confirmed(&fixture, 0, 0xC3));
  assert_false(was_confirmed(&fixture, 1, 0xA1));
  fixture_close(&fixture);
}

/* A record without a tag means whatever is in the slot, but not what has come there since a later one was made. */
static void test_older_without_tag(void **state)
{
  struct fixture fixture;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_record(&fixture, 0, 1, LB_OTADATA_UNDEFINED);
  assert_true(was_confirmed(&fixture, 0, 0xC3));
  fixture_put_record(&fixture, 1, 3, LB_OTADATA_UNDEFINED);
  put_tag(&fixture, 1, 3, 0xB2);
  assert_true(was_confirmed(&fixture, 0, 0xB2));
  assert_false(was_confirmed(&fixture, 0, 0xC3));
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_either_record),
      cmocka_unit_test(test_older_without_tag),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
