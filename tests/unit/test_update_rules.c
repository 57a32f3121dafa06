// SPDX-License-Identifier: MIT
/* An image that failed before is refused by its head or as a whole; only what a whole image left is compared. */
#include "lifeboat/update.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define SIZE 6000U

struct past {
  bool by_head;
  bool as_whole;
  uint32_t asked_head;
  uint32_t asked_whole;
  uint8_t digest[LB_SHA256_SIZE]; /* that was asked about */
};

static bool failed_before(void *context, const struct lb_image_info *info, bool complete)
{
  struct past *past = context;

  past->asked_head += complete ? 0 : 1;
  past->asked_whole += complete ? 1 : 0;
  assert_string_equal(info->description.version, "3.3.004");
  if (complete) {
    memcpy(past->digest, info->digest, sizeof(past->digest));
  }
  return complete ? past->as_whole : past->by_head;
}

static void open_module(struct fixture *fixture, struct built_image *image)
{
  fixture_open_miniature(fixture, true, 2);
  fixture_put_made(fixture, "factory", 1, 1024);
  image_make(image, 3, SIZE, "3.3.004");
}

static int update(struct fixture *fixture, const struct built_image *image, struct past *past,
                  struct lb_update *session)
{
  struct lb_update_config config = fixture_config(fixture, "factory", "ota_0");

  config.size = SIZE;
  config.source = "host/a.bin";
  config.validator = "\"1\"";
  config.failed_before = past ? failed_before : NULL;
  config.failed_context = past;
  flash_tap_clear(&fixture->tap);
  return fixture_update(fixture, &config, image->bytes, image->length, 1000, session);
}

static void assert_no_journal(struct fixture *fixture)
{
  struct lb_partition slot = fixture_partition(fixture, "ota_0");
  struct lb_journal journal;

  assert_result(lb_journal_read(&journal, fixture->device.flash, &slot), LB_ERR_NO_JOURNAL);
}

static void test_welcome(void **state)
{
  struct past past = {0};
  struct fixture fixture;
  struct built_image image;

  (void)state;
  open_module(&fixture, &image);
  assert_result(update(&fixture, &image, &past, NULL), LB_OK);
  assert_int_equal(past.asked_head, 1);
  assert_int_equal(past.asked_whole, 1);
  assert_memory_equal(past.digest, image.info.digest, LB_SHA256_SIZE);
  assert_string_equal(fixture_selected(&fixture), "ota_0");
  image_free(&image);
  fixture_close(&fixture);
}

static void test_refused_by_its_head(void **state)
{
  struct past past = {.by_head = true};
  struct fixture fixture;
  struct built_image image;
  struct lb_update session;

  (void)state;
  open_module(&fixture, &image);
  assert_result(update(&fixture, &image, &past, &session), LB_ERR_FAILED_BEFORE);
  assert_int_equal(fixture.tap.count, 0);
  assert_int_equal(past.asked_whole, 0);
  assert_false(lb_update_touched_flash(&session));
  image_free(&image);
  fixture_close(&fixture);
}

static void test_refused_as_a_whole(void **state)
{
  struct past past = {.as_whole = true};
  struct fixture fixture;
  struct built_image image;
  struct lb_update session;
  struct lb_boot_decision decision;

  (void)state;
  open_module(&fixture, &image);
  assert_result(update(&fixture, &image, &past, &session), LB_ERR_FAILED_BEFORE);
  assert_int_equal(lb_update_remains(&session), LB_REMAINS_UNFINISHED);
  assert_string_equal(fixture_selected(&fixture), "factory");
  assert_int_equal(fixture_bytes(&fixture)[fixture_partition(&fixture, "ota_0").offset], 0xFF);
  assert_no_journal(&fixture);
  assert_result(fixture_boot(&fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, "factory");
  image_free(&image);
  fixture_close(&fixture);
}

/* The same image is there already: all but its first block is kept, and the last sector. */
static void test_whole_image_is_compared(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct lb_update session;

  (void)state;
  open_module(&fixture, &image);
  fixture_put_image(&fixture, "ota_0", &image);
  assert_result(update(&fixture, &image, NULL, &session), LB_OK);
  assert_true(session.writer.sectors_kept > 0);
  image_free(&image);
  fixture_close(&fixture);
}

/* It does not begin as one: its first bytes were being programmed when the power went. What is there may be weak. */
static void test_no_image_is_not_compared(void **state)
{
  static const uint8_t beginnings[] = {0xFF, 0xEF, 0xF9, 0x00};
  struct fixture fixture;
  struct built_image image;
  struct lb_update session;

  (void)state;
  for (size_t i = 0; i < sizeof(beginnings); i++) {
    open_module(&fixture, &image);
    fixture_put_image(&fixture, "ota_0", &image);
    fixture_bytes(&fixture)[fixture_partition(&fixture, "ota_0").offset] = beginnings[i];
    assert_result(update(&fixture, &image, NULL, &session), LB_OK);
    assert_int_equal(session.writer.sectors_kept, 0);
    image_free(&image);
    fixture_close(&fixture);
  }
}

/* Writes the first `length` bytes of an update from there, and abandons it. */
static void abandon(struct fixture *fixture, const struct built_image *image, const char *source, const char *validator,
                    uint32_t length)
{
  struct lb_update_config config = fixture_config(fixture, "factory", "ota_0");
  struct lb_update session;

  config.size = SIZE;
  config.source = source;
  config.validator = validator;
  assert_result(lb_update_start(&session, &config), LB_OK);
  for (uint32_t at = 0; at < length;) {
    uint32_t used;
    assert_result(lb_update_write(&session, image->bytes + at, length - at, &used), LB_OK);
    at += used;
  }
}

/* How many sectors an update from there keeps. */
static uint32_t kept_from(struct fixture *fixture, const struct built_image *image, const char *source,
                          const char *validator)
{
  struct lb_update_config config = fixture_config(fixture, "factory", "ota_0");
  struct lb_update session;

  config.size = SIZE;
  config.source = source;
  config.validator = validator;
  assert_result(fixture_update(fixture, &config, image->bytes, image->length, 1000, &session), LB_OK);
  assert_memory_equal(fixture_bytes(fixture) + config.target.offset, image->bytes, SIZE);
  return session.writer.sectors_kept;
}

/* A local file goes on by comparing: the first two blocks were done, the third was not. */
static void test_local_file_goes_on(void **state)
{
  struct fixture fixture;
  struct built_image image;

  (void)state;
  open_module(&fixture, &image);
  abandon(&fixture, &image, "/sd/a.bin", "", 5000);
  assert_int_equal(kept_from(&fixture, &image, "/sd/a.bin", ""), 2 * 2048 / 512);
  image_free(&image);
  fixture_close(&fixture);
}

/* Of what another update left nothing is compared, however much of it looks right. */
static void test_another_update_is_not_trusted(void **state)
{
  struct fixture fixture;
  struct built_image image;

  (void)state;
  open_module(&fixture, &image);
  abandon(&fixture, &image, "/sd/a.bin", "", 5000);
  assert_int_equal(kept_from(&fixture, &image, "/sd/b.bin", ""), 0);
  fixture_blank_record(&fixture, 0);
  fixture_blank_record(&fixture, 1);
  abandon(&fixture, &image, "host/a.bin", "\"1\"", 5000);
  memcpy(fixture_bytes(&fixture) + fixture_partition(&fixture, "ota_0").offset, image.bytes, SIZE);
  assert_int_equal(kept_from(&fixture, &image, "host/b.bin", "\"1\""), 0);
  image_free(&image);
  fixture_close(&fixture);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_welcome),
      cmocka_unit_test(test_refused_by_its_head),
      cmocka_unit_test(test_refused_as_a_whole),
      cmocka_unit_test(test_whole_image_is_compared),
      cmocka_unit_test(test_no_image_is_not_compared),
      cmocka_unit_test(test_local_file_goes_on),
      cmocka_unit_test(test_another_update_is_not_trusted),
  };

  return cmocka_run_group_tests_name("update_rules", tests, NULL, NULL);
}
