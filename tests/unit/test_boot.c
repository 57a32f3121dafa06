// SPDX-License-Identifier: MIT
/* What boots: every combination of good and bad slots and selections, in both layouts, and what the log is told. */
#include "lifeboat/boot.h"

#include "lifeboat/bytes.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

#define UNDEFINED 0xFFFFFFFFU

/* What lb_boot said, as text: "table LB_OK; selected LB_OK ota_0; tried LB_OK ota_0". */
struct said {
  char text[1000];
};

static void report(void *context, enum lb_boot_event event, int result, const struct lb_partition *partition,
                   const struct lb_image_info *image)
{
  static const char *const names[] = {
      [LB_BOOT_EVENT_TABLE] = "table",
      [LB_BOOT_EVENT_COPY] = "copy",
      [LB_BOOT_EVENT_SELECTED] = "selected",
      [LB_BOOT_EVENT_TRIED] = "tried",
  };
  struct said *said = context;
  size_t end = strlen(said->text);

  assert_int_equal(image != NULL, event == LB_BOOT_EVENT_TRIED);
  snprintf(said->text + end, sizeof(said->text) - end, "%s%s %s%s%s", end ? "; " : "", names[event],
           unit_result_name(result), partition ? " " : "", partition ? partition->label : "");
}

static struct lb_table boot_table;
static struct lb_verify boot_verify;
static bool may_settle; /* the test has broken records */

/* Nothing is written; but a record that is neither blank nor right may be made void, once. */
static void assert_written(struct fixture *fixture)
{
  static const uint8_t void_crc[4] = {0};

  assert_in_range(fixture->tap.count, 0, may_settle ? 2 : 0);
  for (uint32_t i = 0; i < fixture->tap.count; i++) {
    const struct tap_operation *operation = &fixture->tap.log[i];
    uint32_t half = operation->address & ~0xFFFU;

    assert_int_equal(operation->kind, TAP_PROGRAM);
    assert_true((half == 0xd000 || half == 0xe000) && operation->address + operation->length <= half + 32);
    assert_memory_equal(fixture_bytes(fixture) + half + 28, void_crc, 4);
  }
}

static int boot(struct fixture *fixture, struct lb_boot_decision *decision, struct said *said)
{
  const struct lb_boot_log log = {.context = said, .report = report};
  struct lb_device device = fixture->device;
  int result;

  device.table = NULL;
  if (said) {
    said->text[0] = '\0';
  }
  flash_tap_clear(&fixture->tap);
  result = lb_boot(&device, &boot_table, &boot_verify, said ? &log : NULL, LB_RESET_POWER_ON, decision);
  assert_written(fixture);
  assert_true(device.table == NULL || device.table == &boot_table);
  return result;
}

static const char *reason_name(enum lb_boot_reason reason)
{
  static const char *const names[] = {
      [LB_BOOT_SELECTED] = "selected",
      [LB_BOOT_DEFAULT] = "default",
      [LB_BOOT_FALLBACK_FACTORY] = "fallback to factory",
      [LB_BOOT_FALLBACK_OTHER] = "fallback to another",
  };

  return names[reason];
}

static void assert_boots(struct fixture *fixture, const char *label, enum lb_boot_reason reason)
{
  struct lb_boot_decision decision;

  assert_result(boot(fixture, &decision, NULL), LB_OK);
  assert_string_equal(decision.partition.label, label);
  assert_string_equal(reason_name(decision.reason), reason_name(reason));
  assert_int_equal(decision.selected_error == LB_OK, reason == LB_BOOT_SELECTED || reason == LB_BOOT_DEFAULT);
}

/* ---- every combination ---- */

static const char *const labels[] = {"factory", "ota_0", "ota_1"};

/* By hand from the header: which of the slots boots. `good` has a bit for each label; -1: nothing. */
static int expected_slot(unsigned good, int selected, bool factory, enum lb_boot_reason *reason)
{
  int should = selected >= 0 ? selected + 1 : factory ? 0 : 1;

  *reason = selected >= 0 ? LB_BOOT_SELECTED : LB_BOOT_DEFAULT;
  if (good >> should & 1) {
    return should;
  }
  for (int slot = factory ? 0 : 1; slot < 3; slot++) {
    if (slot != should && (good >> slot & 1)) {
      *reason = slot == 0 ? LB_BOOT_FALLBACK_FACTORY : LB_BOOT_FALLBACK_OTHER;
      return slot;
    }
  }
  return -1;
}

static void check_combination(struct fixture *fixture, unsigned good, int selected, bool factory)
{
  struct lb_boot_decision decision;
  enum lb_boot_reason reason;
  int expected = expected_slot(good, selected, factory, &reason);

  for (int slot = factory ? 0 : 1; slot < 3; slot++) {
    fixture_put_made(fixture, labels[slot], (uint32_t)slot + 1, 4096 + 160 * (uint32_t)slot);
    if (!(good >> slot & 1)) {
      fixture_bytes(fixture)[fixture_partition(fixture, labels[slot]).offset + 2000] ^= 1;
    }
  }
  fixture_blank_record(fixture, 0);
  fixture_blank_record(fixture, 1);
  if (selected >= 0) {
    fixture_put_record(fixture, (uint32_t)selected, (uint32_t)selected + 1, UNDEFINED);
  }
  if (expected < 0) {
    assert_result(boot(fixture, &decision, NULL), LB_ERR_NOTHING_BOOTS);
    assert_result(decision.selected_error, LB_ERR_IMAGE_CHECKSUM);
    return;
  }
  assert_boots(fixture, labels[expected], reason);
  assert_int_equal(boot_verify.image.info.length, 4096 + 160 * expected);
}

static void check_all(bool factory, void (*open)(struct fixture *fixture))
{
  struct fixture fixture;

  if (open) {
    open(&fixture);
  } else {
    fixture_open_miniature(&fixture, factory, 2);
  }
  for (unsigned good = 0; good < 8; good++) {
    for (int selected = -1; selected < 2; selected++) {
      if (factory || !(good & 1)) {
        check_combination(&fixture, good, selected, factory);
      }
    }
  }
  fixture_close(&fixture);
}

static void test_combinations_miniature(void **state)
{
  (void)state;
  check_all(true, NULL);
  check_all(false, NULL);
}

static void test_combinations_real(void **state)
{
  (void)state;
  check_all(true, fixture_open_ovms);
  check_all(false, fixture_open_7m);
}

static void test_decision(void **state)
{
  struct fixture fixture;
  struct lb_boot_decision decision;

  (void)state;
  fixture_open_ovms(&fixture);
  fixture_put_made(&fixture, "factory", 1, 5008);
  fixture_put_record(&fixture, 1, 2, UNDEFINED);
  assert_result(boot(&fixture, &decision, NULL), LB_OK);
  assert_string_equal(decision.selected.label, "ota_1");
  assert_string_equal(decision.partition.label, "factory");
  assert_int_equal(decision.partition.offset, 0x10000);
  assert_result(decision.selected_error, LB_ERR_IMAGE_MAGIC);
  assert_string_equal(boot_verify.image.info.description.version, "3.3.001");
  fixture_close(&fixture);
}

/* ---- each kind of damage to the selected slot ---- */

static void test_damage(void **state)
{
  struct fixture fixture;
  struct built_image image;
  uint8_t *slot;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 5008);
  image_make(&image, 2, 9008, "2");
  fixture_put_image(&fixture, "ota_1", &image);
  fixture_put_record(&fixture, 0, 2, UNDEFINED);
  slot = fixture_bytes(&fixture) + 0x30000;
  assert_boots(&fixture, "ota_1", LB_BOOT_SELECTED);
  for (uint32_t byte = 0; byte < 9008; byte += byte < 32 || byte >= 9008 - 48 ? 1 : 151) {
    slot[byte] ^= (uint8_t)(1U << byte % 8);
    assert_boots(&fixture, "factory", LB_BOOT_FALLBACK_FACTORY);
    slot[byte] ^= (uint8_t)(1U << byte % 8);
  }
  for (uint32_t cut = 0; cut < 9008; cut += 512) { /* truncated, down to erased */
    memset(slot + cut, 0xFF, 9008 - cut);
    assert_boots(&fixture, "factory", LB_BOOT_FALLBACK_FACTORY);
    memcpy(slot, image.bytes, 9008);
  }
  memset(slot, 0, 0x4000);
  assert_boots(&fixture, "factory", LB_BOOT_FALLBACK_FACTORY);
  image_free(&image);
  fixture_close(&fixture);
}

static void test_other_chip(void **state)
{
  struct fixture fixture;
  struct image_plan plan;
  struct built_image image;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 5008);
  image_plan_small(&plan, 3);
  plan.chip_id = 9;
  plan.segments[0].base = 0x3C000000;
  plan.segments[2].base = 0x42000000;
  image_build(&image, &plan);
  fixture_put_image(&fixture, "ota_0", &image);
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  assert_boots(&fixture, "factory", LB_BOOT_FALLBACK_FACTORY);
  image_free(&image);
  fixture_close(&fixture);
}

/* A peer hashed for hours because of a header that claimed 102 MB. */
static void test_huge_segment_is_not_read(void **state)
{
  static const uint32_t lengths[] = {102U << 20, 0xFFFFFCU, 0x3FFFE0U, 0x3FFFC0U, 0xFFFFFFFCU};
  struct fixture fixture;

  (void)state;
  fixture_open_ovms(&fixture);
  fixture_put_made(&fixture, "factory", 1, 5008);
  fixture_put_made(&fixture, "ota_1", 2, 5008);
  fixture_put_record(&fixture, 0, 2, UNDEFINED);
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    lb_store_le32(fixture_bytes(&fixture) + 0x810000 + 28, lengths[i]);
    assert_boots(&fixture, "factory", LB_BOOT_FALLBACK_FACTORY);
    assert_true(fixture.tap.read_end <= 0xc10000);
    assert_true(fixture.tap.bytes_read <= 0x400000 + 0x10000);
    if (lengths[i] > 0x400000) {
      assert_true(fixture.tap.bytes_read <= 0x8000); /* known to be impossible by its header */
    }
  }
  fixture_close(&fixture);
}

/* ---- the table ---- */

static void test_table_copy(void **state)
{
  struct fixture fixture;
  struct lb_boot_decision decision;
  struct said said;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 5008);
  fixture_put_made(&fixture, "ota_0", 2, 5008);
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  fixture_bytes(&fixture)[LB_TABLE_ADDRESS + 45] ^= 1;
  assert_result(boot(&fixture, &decision, &said), LB_OK);
  assert_string_equal(decision.partition.label, "ota_0");
  assert_int_equal(boot_table.address, LB_TABLE_COPY_ADDRESS);
  assert_string_equal(said.text, "table LB_ERR_TABLE_MD5; copy LB_OK; selected LB_OK ota_0; tried LB_OK ota_0");
  memset(fixture_bytes(&fixture) + LB_TABLE_COPY_ADDRESS, 0xFF, LB_TABLE_SECTOR);
  assert_result(boot(&fixture, &decision, &said), LB_ERR_TABLE_MD5);
  assert_string_equal(said.text, "table LB_ERR_TABLE_MD5");
  memset(fixture_bytes(&fixture) + LB_TABLE_ADDRESS, 0xFF, LB_TABLE_SECTOR);
  assert_result(boot(&fixture, &decision, NULL), LB_ERR_TABLE_EMPTY);
  fixture_close(&fixture);
}

static void test_blank_flash(void **state)
{
  struct fixture fixture;
  struct lb_boot_decision decision;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  memset(fixture_bytes(&fixture), 0xFF, fixture.flash.driver.size);
  assert_result(boot(&fixture, &decision, NULL), LB_ERR_TABLE_EMPTY);
  memset(fixture_bytes(&fixture), 0, fixture.flash.driver.size);
  assert_result(boot(&fixture, &decision, NULL), LB_ERR_TABLE_MAGIC);
  fixture_close(&fixture);
}

/* Other tables: only a test app; OTA slots with test; no otadata; nothing that boots at all. */
static void check_table(const struct lb_partition *rows, uint32_t count, const char *image_in, const char *boots,
                        enum lb_boot_reason reason)
{
  const struct sim_geometry geometry = sim_geometry_miniature(0x50000);
  struct fixture fixture;
  struct lb_boot_decision decision;

  fixture_open(&fixture, &geometry, rows, count);
  if (image_in) {
    fixture_put_made(&fixture, image_in, 1, 5008);
  }
  if (boots) {
    assert_boots(&fixture, boots, reason);
  } else {
    assert_result(boot(&fixture, &decision, NULL), LB_ERR_NOTHING_BOOTS);
  }
  fixture_close(&fixture);
}

#define ROW_OTADATA                                                                                                    \
  {                                                                                                                    \
    0xd000, 0x2000, 0, 1, 0, "otadata"                                                                                 \
  }
#define ROW_FACTORY                                                                                                    \
  {                                                                                                                    \
    0x10000, 0x4000, 0, 0, 0, "factory"                                                                                \
  }
#define ROW_OTA_0                                                                                                      \
  {                                                                                                                    \
    0x20000, 0x4000, 0, 0, 0x10, "ota_0"                                                                               \
  }
#define ROW_TEST                                                                                                       \
  {                                                                                                                    \
    0x30000, 0x4000, 0, 0, 0x20, "test"                                                                                \
  }

static void test_other_tables(void **state)
{
  static const struct lb_partition no_otadata[] = {ROW_FACTORY, ROW_OTA_0};
  static const struct lb_partition with_test[] = {ROW_OTADATA, ROW_OTA_0, ROW_TEST};
  static const struct lb_partition no_app[] = {ROW_OTADATA};

  (void)state;
  check_table(no_otadata, 2, "factory", "factory", LB_BOOT_DEFAULT);
  check_table(no_otadata, 2, "ota_0", "ota_0", LB_BOOT_FALLBACK_OTHER);
  check_table(with_test, 3, "ota_0", "ota_0", LB_BOOT_DEFAULT);
  check_table(with_test, 3, "test", "test", LB_BOOT_FALLBACK_OTHER);
  check_table(with_test, 3, NULL, NULL, LB_BOOT_DEFAULT);
  check_table(no_app, 1, NULL, NULL, LB_BOOT_DEFAULT);
}

/* Nothing can be selected, and the only app is the last row of the table, or the first. */
static void test_only_a_test_app(void **state)
{
  static const struct lb_partition last[] = {ROW_OTADATA, ROW_TEST};
  static const struct lb_partition first[] = {ROW_TEST, ROW_OTADATA};

  (void)state;
  check_table(first, 2, "test", "test", LB_BOOT_FALLBACK_OTHER);
  check_table(last, 2, "test", "test", LB_BOOT_FALLBACK_OTHER);
}

/* ---- otadata ---- */

static void test_garbage_otadata(void **state)
{
  struct fixture fixture;
  struct unit_random random;
  struct said said;
  struct lb_boot_decision decision;

  (void)state;
  unit_random_seed(&random, "boot", 14);
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 5008);
  fixture_put_made(&fixture, "ota_0", 2, 5008);
  fixture_put_made(&fixture, "ota_1", 3, 5008);
  for (int turn = 0; turn < 100; turn++) {
    unit_random_fill(&random, fixture_bytes(&fixture) + 0xd000, 0x2000);
    may_settle = true;
    assert_boots(&fixture, "factory", LB_BOOT_DEFAULT);
    may_settle = false; /* that was for good */
    assert_boots(&fixture, "factory", LB_BOOT_DEFAULT);
  }
  memset(fixture_bytes(&fixture) + 0xd000, 0, 0x2000);
  assert_boots(&fixture, "factory", LB_BOOT_DEFAULT);
  fixture_put_record(&fixture, 1, 2, UNDEFINED); /* one of the two is good */
  assert_boots(&fixture, "ota_1", LB_BOOT_SELECTED);
  unit_random_fill(&random, fixture_bytes(&fixture) + 0xd000, 0x1000);
  may_settle = true;
  assert_result(boot(&fixture, &decision, &said), LB_OK);
  may_settle = false;
  assert_string_equal(said.text, "table LB_OK; selected LB_OK ota_1; tried LB_OK ota_1");
  fixture_close(&fixture);
}

/* Any sequence number but 0 and all ones means some slot, if its CRC is right: nothing but a slot of the table is ever
 * booted. */
static void test_any_sequence(void **state)
{
  static const uint32_t sequences[] = {0, 1, 2, 3, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFF};
  struct fixture fixture;
  struct lb_boot_decision decision;

  (void)state;
  fixture_open_miniature(&fixture, true, 3);
  for (uint32_t slot = 0; slot < 3; slot++) {
    char label[LB_LABEL_SIZE];

    snprintf(label, sizeof(label), "ota_%u", (unsigned)(slot % 3));
    fixture_put_made(&fixture, label, slot, 5008);
  }
  fixture_put_made(&fixture, "factory", 9, 5008);
  may_settle = true;
  for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
    for (uint32_t index = 0; index < 2; index++) {
      fixture_blank_record(&fixture, 1 - index);
      fixture_put_record(&fixture, index, sequences[i], UNDEFINED);
      assert_result(boot(&fixture, &decision, NULL), LB_OK);
      if (sequences[i] == 0xFFFFFFFF || sequences[i] == 0) {
        assert_string_equal(decision.partition.label, "factory");
      } else {
        assert_int_equal(decision.partition.subtype, 0x10 + (sequences[i] - 1) % 3);
      }
    }
  }
  may_settle = false;
  fixture_close(&fixture);
}

/* ---- the log, and a flash that cannot be read ---- */

static void test_log(void **state)
{
  struct fixture fixture;
  struct lb_boot_decision decision;
  struct said said;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_record(&fixture, 1, 2, UNDEFINED);
  assert_result(boot(&fixture, &decision, &said), LB_ERR_NOTHING_BOOTS);
  assert_string_equal(said.text, "table LB_OK; selected LB_OK ota_1; tried LB_ERR_IMAGE_MAGIC ota_1; "
                                 "tried LB_ERR_IMAGE_MAGIC factory; tried LB_ERR_IMAGE_MAGIC ota_0");
  fixture_put_made(&fixture, "ota_0", 1, 5008);
  assert_result(boot(&fixture, &decision, &said), LB_OK);
  assert_string_equal(said.text, "table LB_OK; selected LB_OK ota_1; tried LB_ERR_IMAGE_MAGIC ota_1; "
                                 "tried LB_ERR_IMAGE_MAGIC factory; tried LB_OK ota_0");
  fixture_blank_record(&fixture, 1);
  fixture_put_made(&fixture, "factory", 1, 5008);
  assert_result(boot(&fixture, &decision, &said), LB_OK);
  assert_string_equal(said.text, "table LB_OK; selected LB_OK factory; tried LB_OK factory");
  fixture_close(&fixture);
}

/* Each read fails in turn: as long as any slot can be read something boots, and what boots was read whole. */
static void test_failing_reads(void **state)
{
  struct fixture fixture;
  uint32_t reads;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 5008);
  fixture_put_made(&fixture, "ota_0", 2, 5008);
  fixture_put_record(&fixture, 0, 1, UNDEFINED);
  assert_boots(&fixture, "ota_0", LB_BOOT_SELECTED);
  reads = fixture.tap.reads;
  for (uint32_t at = 0; at < reads; at++) {
    struct lb_device device = fixture.device;
    struct lb_boot_decision decision;

    flash_tap_clear(&fixture.tap);
    fixture.tap.fail_read_at = at;
    assert_result(lb_boot(&device, &boot_table, &boot_verify, NULL, LB_RESET_POWER_ON, &decision), LB_OK);
    assert_int_equal(boot_verify.image.info.length, 5008);
    assert_true(strcmp(decision.partition.label, "ota_0") == 0 || strcmp(decision.partition.label, "factory") == 0);
  }
  fixture_close(&fixture);
}

static void test_hash_failure(void **state)
{
  struct fixture fixture;
  struct lb_boot_decision decision;
  struct failing_hash failing;

  (void)state;
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 5008);
  failing_hash_start(&failing, unit_sha256());
  failing.fail_start = true;
  fixture.device.sha256 = &failing.hash;
  assert_result(boot(&fixture, &decision, NULL), LB_ERR_NOTHING_BOOTS);
  assert_result(decision.selected_error, LB_ERR_HASH);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_combinations_miniature),
      cmocka_unit_test(test_combinations_real),
      cmocka_unit_test(test_decision),
      cmocka_unit_test(test_damage),
      cmocka_unit_test(test_other_chip),
      cmocka_unit_test(test_huge_segment_is_not_read),
      cmocka_unit_test(test_table_copy),
      cmocka_unit_test(test_blank_flash),
      cmocka_unit_test(test_other_tables),
      cmocka_unit_test(test_only_a_test_app),
      cmocka_unit_test(test_garbage_otadata),
      cmocka_unit_test(test_any_sequence),
      cmocka_unit_test(test_log),
      cmocka_unit_test(test_failing_reads),
      cmocka_unit_test(test_hash_failure),
  };

  return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
