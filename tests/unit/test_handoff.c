// SPDX-License-Identifier: MIT
/* What the bootloader leaves in memory: its bytes as specified, read again, and nothing else taken for it. */
#include "boot/handoff.h"

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

static struct lb_partition partition(const struct fixture *fixture, const char *label)
{
  struct lb_partition found = {0};

  assert_result(lb_table_find_label(&fixture->table, label, &found), LB_OK);
  return found;
}

static struct lb_boot_decision went_back(const struct fixture *fixture)
{
  return (struct lb_boot_decision){
      .partition = partition(fixture, "ota_1"),
      .selected = partition(fixture, "ota_0"),
      .reason = LB_BOOT_WENT_BACK,
      .selected_error = LB_ERR_IMAGE_DIGEST,
      .reset = LB_RESET_WATCHDOG,
      .on_trial = true,
      .attempt = 0x01020304,
      .attempts = 0xF0E0D0C0,
      .went_back = true,
      .failed = partition(fixture, "factory"),
      .cause = LB_TRIAL_HUNG,
  };
}

static struct lb_image_info image_info(void)
{
  struct lb_image_info info = {.length = 0x00123450};

  for (uint32_t i = 0; i < LB_SHA256_SIZE; i++) {
    info.digest[i] = (uint8_t)(0xA0 + i);
  }
  return info;
}

/* After bytes were changed: with the CRC that docs/SPEC.md demands. */
static void seal(uint8_t *bytes)
{
  lb_store_le32(bytes + 8, lb_crc32(lb_crc32(0, bytes, 8), bytes + 12, HANDOFF_SIZE - 12));
}

static void assert_partition(const struct lb_partition *found, const struct lb_partition *expected)
{
  assert_int_equal(found->offset, expected->offset);
  assert_int_equal(found->size, expected->size);
  assert_int_equal(found->flags, expected->flags);
  assert_int_equal(found->type, expected->type);
  assert_int_equal(found->subtype, expected->subtype);
  assert_string_equal(found->label, expected->label);
}

static void assert_decision(const struct lb_boot_decision *found, const struct lb_boot_decision *expected)
{
  assert_partition(&found->partition, &expected->partition);
  assert_partition(&found->selected, &expected->selected);
  assert_partition(&found->failed, &expected->failed);
  assert_int_equal(found->reason, expected->reason);
  assert_int_equal(found->selected_error, expected->selected_error);
  assert_int_equal(found->reset, expected->reset);
  assert_int_equal(found->on_trial, expected->on_trial);
  assert_int_equal(found->attempt, expected->attempt);
  assert_int_equal(found->attempts, expected->attempts);
  assert_int_equal(found->went_back, expected->went_back);
  assert_int_equal(found->cause, expected->cause);
}

static void assert_round_trip(const struct fixture *fixture, const struct lb_boot_decision *decision)
{
  const struct lb_image_info info = image_info();
  struct lb_boot_decision read;
  struct handoff_image image;
  uint8_t bytes[HANDOFF_SIZE];

  memset(bytes, 0xAA, sizeof(bytes));
  memset(&read, 0x55, sizeof(read));
  handoff_write(bytes, decision, &info);
  assert_result(handoff_read(bytes, &fixture->table, &read, &image), LB_OK);
  assert_decision(&read, decision);
  assert_int_equal(image.length, info.length);
  assert_memory_equal(image.digest, info.digest, LB_SHA256_SIZE);
}

/* Written out byte by byte: the bootloader of today is read by the firmware of years to come. */
static void test_bytes(void **state)
{
  const struct lb_image_info info = image_info();
  static const uint8_t begin[] = {'L', 'B', 'H', 'O', 1, 0, 128, 0};
  static const uint8_t fields[] = {
      0x00, 0x00, 0x81, 0x00, 0x00, 0x00, 0x41, 0x00, 0x00, 0x00, 0x01, 0x00, /* ota_1, ota_0, factory */
      4,    3,    3,    2,    0xBC, 0xFF, 0xFF, 0xFF,                         /* reason, reset, flags, cause; -68 */
      0x04, 0x03, 0x02, 0x01, 0xC0, 0xD0, 0xE0, 0xF0, 0x50, 0x34, 0x12, 0x00};
  struct fixture fixture;
  struct lb_boot_decision decision;
  uint8_t bytes[HANDOFF_SIZE];
  uint8_t sealed[HANDOFF_SIZE];

  (void)state;
  fixture_open_ovms(&fixture);
  decision = went_back(&fixture);
  memset(bytes, 0xAA, sizeof(bytes));
  handoff_write(bytes, &decision, &info);
  assert_memory_equal(bytes, begin, sizeof(begin));
  assert_memory_equal(bytes + 12, fields, sizeof(fields));
  assert_memory_equal(bytes + 44, info.digest, LB_SHA256_SIZE);
  for (uint32_t i = 76; i < HANDOFF_SIZE; i++) {
    assert_int_equal(bytes[i], 0);
  }
  memcpy(sealed, bytes, sizeof(sealed));
  seal(sealed);
  assert_memory_equal(bytes, sealed, sizeof(sealed));
  fixture_close(&fixture);
}

static void test_round_trip(void **state)
{
  struct fixture fixture;
  struct lb_boot_decision decision;

  (void)state;
  fixture_open_ovms(&fixture);
  decision = went_back(&fixture);
  assert_round_trip(&fixture, &decision);
  for (uint32_t value = 0; value <= LB_BOOT_WENT_BACK; value++) {
    decision.reason = (enum lb_boot_reason)value;
    assert_round_trip(&fixture, &decision);
  }
  for (uint32_t value = 0; value <= LB_RESET_WATCHDOG; value++) {
    decision.reset = (enum lb_reset)value;
    assert_round_trip(&fixture, &decision);
  }
  for (uint32_t value = 0; value <= LB_TRIAL_NO_DEPOT; value++) {
    decision.cause = (enum lb_trial_cause)value;
    assert_round_trip(&fixture, &decision);
  }
  for (uint32_t value = 0; value < 4; value++) {
    decision.on_trial = (value & 1) != 0;
    decision.went_back = (value & 2) != 0;
    assert_round_trip(&fixture, &decision);
  }
  for (int error = -200; error <= 1; error++) {
    decision.selected_error = error;
    assert_round_trip(&fixture, &decision);
  }
  fixture_close(&fixture);
}

static void test_partitions(void **state)
{
  static const char *const labels[] = {"factory", "ota_0", "ota_1", ""};
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  for (size_t i = 0; i < 3; i++) {
    for (size_t j = 0; j < 4; j++) {
      for (size_t k = 0; k < 4; k++) {
        struct lb_boot_decision decision = {.partition = partition(&fixture, labels[i])};

        if (labels[j][0] != '\0') {
          decision.selected = partition(&fixture, labels[j]);
        }
        if (labels[k][0] != '\0') {
          decision.failed = partition(&fixture, labels[k]);
        }
        assert_round_trip(&fixture, &decision);
      }
    }
  }
  fixture_close(&fixture);
}

/* What was there before a refused read stays. */
static void assert_refused(const uint8_t *bytes, const struct lb_table *table, int expected)
{
  struct lb_boot_decision decision;
  struct lb_boot_decision untouched;
  struct handoff_image image;

  memset(&decision, 0x11, sizeof(decision));
  memset(&untouched, 0x11, sizeof(untouched));
  memset(&image, 0x22, sizeof(image));
  assert_result(handoff_read(bytes, table, &decision, &image), expected);
  assert_memory_equal(&decision, &untouched, sizeof(decision));
  assert_int_equal(image.length, 0x22222222);
  assert_int_equal(image.digest[0], 0x22);
}

static void test_every_bit(void **state)
{
  const struct lb_image_info info = image_info();
  struct fixture fixture;
  struct lb_boot_decision decision;
  uint8_t bytes[HANDOFF_SIZE];

  (void)state;
  fixture_open_ovms(&fixture);
  decision = went_back(&fixture);
  handoff_write(bytes, &decision, &info);
  for (uint32_t bit = 0; bit < HANDOFF_SIZE * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    assert_refused(bytes, &fixture.table, LB_ERR_STATE);
    bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
  }
  assert_result(handoff_read(bytes, &fixture.table, &decision, &(struct handoff_image){0}), LB_OK);
  fixture_close(&fixture);
}

/* Memory at power-on: blank in one way or another, or random. */
static void test_blank(void **state)
{
  struct unit_random random;
  struct fixture fixture;
  uint8_t bytes[HANDOFF_SIZE];

  (void)state;
  fixture_open_ovms(&fixture);
  memset(bytes, 0, sizeof(bytes));
  assert_refused(bytes, &fixture.table, LB_ERR_STATE);
  memset(bytes, 0xFF, sizeof(bytes));
  assert_refused(bytes, &fixture.table, LB_ERR_STATE);
  unit_random_seed(&random, "handoff", 3);
  for (int turn = 0; turn < 1000; turn++) {
    unit_random_fill(&random, bytes, sizeof(bytes));
    assert_refused(bytes, &fixture.table, LB_ERR_STATE);
  }
  fixture_close(&fixture);
}

/* Of another version, length or with values that this one does not know: with a CRC that is right. */
static void test_later_versions(void **state)
{
  static const struct {
    uint32_t place;
    uint8_t value;
  } changes[] = {{4, 0}, {4, 2},  {4, 0xFF},  {5, 1},  {6, 127},   {6, 129}, {7, 1},    {0, 'M'},
                 {3, 0}, {24, 5}, {24, 0xFF}, {25, 4}, {25, 0x80}, {27, 6},  {27, 0xFF}};
  const struct lb_image_info info = image_info();
  struct fixture fixture;
  struct lb_boot_decision decision;
  uint8_t bytes[HANDOFF_SIZE];

  (void)state;
  fixture_open_ovms(&fixture);
  decision = went_back(&fixture);
  for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
    handoff_write(bytes, &decision, &info);
    bytes[changes[i].place] = changes[i].value;
    seal(bytes);
    assert_refused(bytes, &fixture.table, LB_ERR_STATE);
  }
  fixture_close(&fixture);
}

/* What is reserved may get a meaning without a new version, if those who do not know it lose nothing. */
static void test_reserved(void **state)
{
  const struct lb_image_info info = image_info();
  struct fixture fixture;
  struct lb_boot_decision decision;
  struct lb_boot_decision read;
  struct handoff_image image;
  uint8_t bytes[HANDOFF_SIZE];

  (void)state;
  fixture_open_ovms(&fixture);
  decision = went_back(&fixture);
  handoff_write(bytes, &decision, &info);
  memset(bytes + 76, 0x5A, HANDOFF_SIZE - 76);
  bytes[26] |= 0xFC;
  seal(bytes);
  assert_result(handoff_read(bytes, &fixture.table, &read, &image), LB_OK);
  assert_decision(&read, &decision);
  fixture_close(&fixture);
}

static void test_unknown_partitions(void **state)
{
  static const uint32_t offsets[] = {0, 0x8000, 0x10001, 0x20000, 0xFFFFFFFE, 0x810FFF};
  const struct lb_image_info info = image_info();
  struct fixture fixture;
  struct fixture other;
  struct lb_boot_decision decision;
  uint8_t bytes[HANDOFF_SIZE];

  (void)state;
  fixture_open_ovms(&fixture);
  decision = went_back(&fixture);
  for (uint32_t place = 12; place <= 20; place += 4) {
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
      handoff_write(bytes, &decision, &info);
      lb_store_le32(bytes + place, offsets[i]);
      seal(bytes);
      assert_refused(bytes, &fixture.table, LB_ERR_NOT_FOUND);
    }
  }
  handoff_write(bytes, &decision, &info); /* nothing runs without a partition that it runs from */
  lb_store_le32(bytes + 12, 0xFFFFFFFF);
  seal(bytes);
  assert_refused(bytes, &fixture.table, LB_ERR_NOT_FOUND);
  fixture_open_7m(&other); /* another table, as after the firmware was told a new one */
  handoff_write(bytes, &decision, &info);
  assert_refused(bytes, &other.table, LB_ERR_NOT_FOUND);
  fixture_close(&other);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bytes),      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_partitions), cmocka_unit_test(test_every_bit),
      cmocka_unit_test(test_blank),      cmocka_unit_test(test_later_versions),
      cmocka_unit_test(test_reserved),   cmocka_unit_test(test_unknown_partitions),
  };

  return cmocka_run_group_tests_name("handoff", tests, NULL, NULL);
}
