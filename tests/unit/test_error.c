// SPDX-License-Identifier: MIT
/* Every error of the enumeration has its words, and no two are confused. */
#include "lifeboat/boot.h"
#include "tests/unit/support/unit.h"

/* Written out once more, so that a code without a description, or one described by another's name, is noticed. */
#define CODE(code)                                                                                                     \
  {                                                                                                                    \
    code, #code                                                                                                        \
  }

static const struct {
  int code;
  const char *name;
} codes[] = {
    CODE(LB_ERR_ARGUMENT),
    CODE(LB_ERR_STATE),
    CODE(LB_ERR_FLASH_READ),
    CODE(LB_ERR_TARGET_FALLBACK),
    CODE(LB_ERR_NOT_ON_TRIAL),
    CODE(LB_ERR_FAILED_BEFORE),
    CODE(LB_ERR_NO_JOURNAL),
    CODE(LB_ERR_FLASH_PROGRAM),
    CODE(LB_ERR_FLASH_ERASE),
    CODE(LB_ERR_FLASH_BOUNDS),
    CODE(LB_ERR_HASH),
    CODE(LB_ERR_TABLE_MAGIC),
    CODE(LB_ERR_TABLE_BOUNDS),
    CODE(LB_ERR_TABLE_MD5),
    CODE(LB_ERR_TABLE_MD5_TWICE),
    CODE(LB_ERR_TABLE_UNTERMINATED),
    CODE(LB_ERR_TABLE_ALIGNMENT),
    CODE(LB_ERR_TABLE_NAME),
    CODE(LB_ERR_TABLE_OVERLAP),
    CODE(LB_ERR_TABLE_LOW),
    CODE(LB_ERR_TABLE_OTADATA),
    CODE(LB_ERR_TABLE_FULL),
    CODE(LB_ERR_TABLE_EMPTY),
    CODE(LB_ERR_NOT_FOUND),
    CODE(LB_ERR_NO_OTADATA),
    CODE(LB_ERR_NO_TARGET),
    CODE(LB_ERR_TARGET_RUNNING),
    CODE(LB_ERR_TARGET_FACTORY),
    CODE(LB_ERR_NOTHING_BOOTS),
    CODE(LB_ERR_IMAGE_MAGIC),
    CODE(LB_ERR_IMAGE_SEGMENTS),
    CODE(LB_ERR_IMAGE_SEGMENT_LENGTH),
    CODE(LB_ERR_IMAGE_SEGMENT_MAPPING),
    CODE(LB_ERR_IMAGE_CHIP),
    CODE(LB_ERR_IMAGE_REVISION),
    CODE(LB_ERR_IMAGE_NO_HASH),
    CODE(LB_ERR_IMAGE_CHECKSUM),
    CODE(LB_ERR_IMAGE_DIGEST),
    CODE(LB_ERR_IMAGE_TOO_LONG),
    CODE(LB_ERR_IMAGE_TRUNCATED),
    CODE(LB_ERR_IMAGE_TRAILING),
    CODE(LB_ERR_TARGET_SELECTED),
    CODE(LB_ERR_TARGET_SECTORS),
    CODE(LB_ERR_TARGET_PROTECTED),
    CODE(LB_ERR_NOT_BOOTABLE),
    CODE(LB_ERR_OTADATA_SECTOR),
    CODE(LB_ERR_IMAGE_BOOTLOADER),
    CODE(LB_ERR_IMAGE_PROJECT),
    CODE(LB_ERR_IMAGE_LOAD),
    CODE(LB_ERR_SIZE_MISMATCH),
    CODE(LB_ERR_READ_BACK),
    CODE(LB_ERR_NVS_NOT_FOUND),
    CODE(LB_ERR_NVS_TYPE_MISMATCH),
    CODE(LB_ERR_NVS_READ_ONLY),
    CODE(LB_ERR_NVS_NOT_ENOUGH_SPACE),
    CODE(LB_ERR_NVS_INVALID_NAME),
    CODE(LB_ERR_NVS_KEY_TOO_LONG),
    CODE(LB_ERR_NVS_INVALID_STATE),
    CODE(LB_ERR_NVS_INVALID_LENGTH),
    CODE(LB_ERR_NVS_NO_FREE_PAGES),
    CODE(LB_ERR_NVS_VALUE_TOO_LONG),
    CODE(LB_ERR_NVS_NEW_VERSION),
    CODE(LB_ERR_NVS_ENCRYPTED),
    CODE(LB_ERR_NVS_DAMAGED),
    CODE(LB_ERR_NVS_SIZE),
    CODE(LB_ERR_PATCH_MAGIC),
    CODE(LB_ERR_PATCH_VERSION),
    CODE(LB_ERR_PATCH_HEADER),
    CODE(LB_ERR_PATCH_MEMORY),
    CODE(LB_ERR_PATCH_BASE),
    CODE(LB_ERR_PATCH_TRUNCATED),
    CODE(LB_ERR_PATCH_CORRUPT),
    CODE(LB_ERR_PATCH_CRC),
    CODE(LB_ERR_PATCH_DIGEST),
    CODE(LB_ERR_PATCH_TOO_LONG),
    CODE(LB_ERR_NO_STAGE),
    CODE(LB_ERR_STAGE_ROOM),
};

#define CODES (sizeof(codes) / sizeof(codes[0]))

static void assert_words(const char *text)
{
  assert_non_null(text);
  assert_true(strlen(text) > 3);
  assert_true(text[strlen(text) - 1] != '.');
}

static void test_every_code_is_described(void **state)
{
  (void)state;
  assert_in_range(lb_error_count(), CODES, CODES + 1); /* LB_OK may be described, too */
  for (size_t i = 0; i < CODES; i++) {
    const struct lb_error_info *info = lb_error_info(codes[i].code);

    assert_non_null(info);
    assert_int_equal(info->code, codes[i].code);
    assert_string_equal(info->name, codes[i].name);
    assert_words(info->cause);
    assert_words(info->remedy);
    assert_true(info->cause[0] < 'A' || info->cause[0] > 'Z' || (info->cause[1] >= 'A' && info->cause[1] <= 'Z'));
    assert_non_null(info->esp_name);
    assert_true(strncmp(info->esp_name, "ESP_", 4) == 0);
    assert_int_not_equal(info->esp_code, 0);
  }
}

/* The enumeration's own range: no code between the first and the last is described without being in the list. */
static void test_nothing_else_is_described(void **state)
{
  const struct lb_error_info *unknown = lb_error_info(-9999);

  (void)state;
  for (int code = -200; code <= 0; code++) {
    bool listed = false;

    for (size_t i = 0; i < CODES; i++) {
      listed = listed || codes[i].code == code;
    }
    if (!listed && code != LB_OK) {
      assert_ptr_equal(lb_error_info(code), unknown);
    }
  }
}

static void test_no_duplicates(void **state)
{
  (void)state;
  for (unsigned i = 0; i < lb_error_count(); i++) {
    const struct lb_error_info *one = lb_error_at(i);

    assert_ptr_equal(lb_error_info(one->code), one);
    for (unsigned j = 0; j < i; j++) {
      const struct lb_error_info *other = lb_error_at(j);

      assert_int_not_equal(one->code, other->code);
      assert_string_not_equal(one->name, other->name);
      assert_string_not_equal(one->cause, other->cause);
    }
  }
}

static void test_unknown_codes(void **state)
{
  static const int unknown[] = {-3, -9999, 2, 1234, -2147483647 - 1};

  (void)state;
  for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
    const struct lb_error_info *info = lb_error_info(unknown[i]);

    assert_non_null(info);
    assert_words(info->name);
    assert_words(info->cause);
    assert_words(info->remedy);
    assert_non_null(info->esp_name);
    for (size_t j = 0; j < CODES; j++) {
      assert_string_not_equal(info->name, codes[j].name);
    }
  }
}

/* The numbers that owners of modules know from ESP-IDF. */
static void test_esp_numbers(void **state)
{
  static const struct {
    const char *name;
    int code;
  } known[] = {
      {"ESP_OK", 0},
      {"ESP_FAIL", -1},
      {"ESP_ERR_NO_MEM", 0x101},
      {"ESP_ERR_INVALID_ARG", 0x102},
      {"ESP_ERR_INVALID_STATE", 0x103},
      {"ESP_ERR_INVALID_SIZE", 0x104},
      {"ESP_ERR_NOT_FOUND", 0x105},
      {"ESP_ERR_NOT_SUPPORTED", 0x106},
      {"ESP_ERR_TIMEOUT", 0x107},
      {"ESP_ERR_INVALID_RESPONSE", 0x108},
      {"ESP_ERR_INVALID_CRC", 0x109},
      {"ESP_ERR_INVALID_VERSION", 0x10A},
      {"ESP_ERR_NVS_NOT_FOUND", 0x1102},
      {"ESP_ERR_NVS_TYPE_MISMATCH", 0x1103},
      {"ESP_ERR_NVS_READ_ONLY", 0x1104},
      {"ESP_ERR_NVS_NOT_ENOUGH_SPACE", 0x1105},
      {"ESP_ERR_NVS_INVALID_NAME", 0x1106},
      {"ESP_ERR_NVS_KEY_TOO_LONG", 0x1109},
      {"ESP_ERR_NVS_INVALID_STATE", 0x110B},
      {"ESP_ERR_NVS_INVALID_LENGTH", 0x110C},
      {"ESP_ERR_NVS_NO_FREE_PAGES", 0x110D},
      {"ESP_ERR_NVS_VALUE_TOO_LONG", 0x110E},
      {"ESP_ERR_NVS_NEW_VERSION_FOUND", 0x1110},
      {"ESP_ERR_NVS_WRONG_ENCRYPTION", 0x1119},
      {"ESP_ERR_OTA_PARTITION_CONFLICT", 0x1501},
      {"ESP_ERR_OTA_SELECT_INFO_INVALID", 0x1502},
      {"ESP_ERR_OTA_VALIDATE_FAILED", 0x1503},
      {"ESP_ERR_OTA_ROLLBACK_INVALID_STATE", 0x1506},
      {"ESP_ERR_IMAGE_FLASH_FAIL", 0x2001},
      {"ESP_ERR_IMAGE_INVALID", 0x2002},
      {"ESP_ERR_FLASH_OP_FAIL", 0x6001},
      {"ESP_ERR_FLASH_OP_TIMEOUT", 0x6002},
  };

  (void)state;
  for (unsigned i = 0; i < lb_error_count(); i++) {
    const struct lb_error_info *info = lb_error_at(i);
    bool found = false;

    for (size_t j = 0; j < sizeof(known) / sizeof(known[0]); j++) {
      if (strcmp(info->esp_name, known[j].name) == 0) {
        assert_int_equal(info->esp_code, known[j].code);
        found = true;
      }
    }
    if (!found) {
      fail_here("%s names %s, which this test does not know", info->name, info->esp_name);
    }
  }
}

/* What the bootloader can say; it links the words of no other error. */
static void test_words_of_the_bootloader(void **state)
{
  static const int reported[] = {
      LB_ERR_FLASH_READ,     LB_ERR_FLASH_PROGRAM,
      LB_ERR_FLASH_BOUNDS,   LB_ERR_HASH,
      LB_ERR_READ_BACK,      LB_ERR_NOT_FOUND,
      LB_ERR_NO_OTADATA,     LB_ERR_OTADATA_SECTOR,
      LB_ERR_IMAGE_MAGIC,    LB_ERR_IMAGE_SEGMENTS,
      LB_ERR_IMAGE_CHIP,     LB_ERR_IMAGE_REVISION,
      LB_ERR_IMAGE_NO_HASH,  LB_ERR_IMAGE_SEGMENT_MAPPING,
      LB_ERR_IMAGE_TOO_LONG, LB_ERR_IMAGE_CHECKSUM,
      LB_ERR_IMAGE_DIGEST,   LB_ERR_IMAGE_TRUNCATED,
      LB_ERR_IMAGE_LOAD,     LB_ERR_IMAGE_SEGMENT_LENGTH,
  };
  static const int halting[] = {
      LB_ERR_NOTHING_BOOTS,   LB_ERR_FLASH_READ, LB_ERR_FLASH_BOUNDS,    LB_ERR_HASH,        LB_ERR_TABLE_MAGIC,
      LB_ERR_TABLE_BOUNDS,    LB_ERR_TABLE_MD5,  LB_ERR_TABLE_MD5_TWICE, LB_ERR_TABLE_NAME,  LB_ERR_TABLE_OVERLAP,
      LB_ERR_TABLE_ALIGNMENT, LB_ERR_TABLE_LOW,  LB_ERR_TABLE_OTADATA,   LB_ERR_TABLE_EMPTY, LB_ERR_TABLE_UNTERMINATED,
  };

  (void)state;
  for (size_t i = 0; i < sizeof reported / sizeof reported[0]; i++) {
    assert_string_equal(lb_boot_cause(reported[i]), lb_error_info(reported[i])->cause);
  }
  for (size_t i = 0; i < sizeof halting / sizeof halting[0]; i++) {
    assert_string_equal(lb_boot_cause(halting[i]), lb_error_info(halting[i])->cause);
    assert_string_equal(lb_boot_remedy(halting[i]), lb_error_info(halting[i])->remedy);
  }
  assert_string_equal(lb_boot_cause(-9999), lb_error_info(-9999)->cause);
  assert_string_equal(lb_boot_remedy(-9999), lb_error_info(-9999)->remedy);
  assert_string_equal(lb_boot_cause(LB_ERR_NVS_SIZE), lb_error_info(-9999)->cause);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_code_is_described),
      cmocka_unit_test(test_nothing_else_is_described),
      cmocka_unit_test(test_no_duplicates),
      cmocka_unit_test(test_unknown_codes),
      cmocka_unit_test(test_esp_numbers),
      cmocka_unit_test(test_words_of_the_bootloader),
  };

  return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
