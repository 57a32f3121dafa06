// SPDX-License-Identifier: MIT
/* Partition tables as CSV: every rule once kept and once broken, with the line that is named; and anything at all. */
#include "tool/table_csv.h"

#include "tests/unit/support/fixture.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

#define FLASH_SIZE 0x1000000U
#define FIRST      "nvs,data,nvs,0x9000,0x4000\n"

static const char ovms_csv[] = "# ESP-IDF Partition Table\n"
                               "# Name, Type, SubType, Offset, Size, Flags\n"
                               "nvs,data,nvs,0x9000,16K,\n"
                               "otadata,data,ota,0xd000,8K,\n"
                               "phy_init,data,phy,0xf000,4K,\n"
                               "factory,app,factory,0x10000,4M,\n"
                               "ota_0,app,ota_0,0x410000,4M,\n"
                               "ota_1,app,ota_1,0x810000,4M,\n"
                               "store,data,fat,0xc10000,1M,\n";
static const char seven_csv[] = "# ESP-IDF Partition Table\n"
                                "# Name, Type, SubType, Offset, Size, Flags\n"
                                "nvs,data,nvs,0x9000,16K,\n"
                                "otadata,data,ota,0xd000,8K,\n"
                                "phy_init,data,phy,0xf000,4K,\n"
                                "ota_0,app,ota_0,0x10000,7M,\n"
                                "ota_1,app,ota_1,0x710000,7M,\n"
                                "store,data,fat,0xe10000,1984K,\n";

static bool read_bytes(struct lb_table *table, const void *text, size_t length, struct table_csv_problem *problem)
{
  memset(problem, 0, sizeof *problem);
  /* a copy of just that length, so that the sanitizer sees a read behind it */
  void *copy = unit_copy(text, length);
  bool good = table_csv_read(table, copy, (uint32_t)length, FLASH_SIZE, unit_md5(), problem);
  free(copy);
  return good;
}

static void read_good(struct lb_table *table, const char *text)
{
  struct table_csv_problem problem;
  if (!read_bytes(table, text, strlen(text), &problem)) {
    fail_here("line %u: %s\n%s", problem.line, problem.text, text);
  }
}

/* ---- what is written and read back ---- */

static char *written(const struct lb_table *table)
{
  struct table_csv_problem problem;
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&text, &length);
  assert_non_null(stream);
  if (!table_csv_write(table, stream, &problem)) {
    fail_here("%s", problem.text);
  }
  assert_int_equal(fclose(stream), 0);
  return text;
}

static void test_both_layouts(void **state)
{
  (void)state;
  struct lb_table table;
  read_good(&table, ovms_csv);
  assert_string_equal(unit_sha256_text(table.bytes, LB_TABLE_SIZE),
                      "5d00bd9531cff25f16312358cc7927b9d955b47cd161f2b32b4b296484a14808");
  char *text = written(&table);
  assert_string_equal(text, ovms_csv);
  free(text);
  read_good(&table, seven_csv);
  text = written(&table);
  assert_string_equal(text, seven_csv);
  free(text);
}

static void test_layouts_without_offsets(void **state)
{
  (void)state;
  struct lb_table table;
  struct lb_table expected;
  read_good(&expected, ovms_csv);
  read_good(&table, "\xEF\xBB\xBF# white space, case, blank offsets, ends for sizes; CR LF\r\n"
                    "\r\n"
                    " nvs , DATA ,Nvs,,16k\r\n"
                    "\t# and a comment in between\r\n"
                    "otadata,data,ota,,0x2000,\r\n"
                    "phy_init, data, phy, , -0x10000 , ,\r\n"
                    "factory,app,factory,,4M,,# the seventh field\r\n"
                    "ota_0,0,0x10,,4096K\r"
                    "ota_1,0x0,17,0x810000,-0xC10000\n"
                    "store,1,129,,1048576");
  assert_memory_equal(table.bytes, expected.bytes, LB_TABLE_SIZE);
}

static void test_next_free_offset(void **state)
{
  (void)state;
  struct lb_table table;
  struct lb_partition row;
  read_good(&table,
            "a,data,0x40,,0x1800\nb,data,,,0x1000\nc,app,factory,,64K,encrypted\nd,0x40,5,,1,readonly:encrypted\n"
            "e,0xFE,255,,5K,encrypted:readonly\n");
  static const struct lb_partition expected[] = {
      {.label = "a", .type = 1, .subtype = 0x40, .offset = 0x9000, .size = 0x1800},
      {.label = "b", .type = 1, .subtype = 6, .offset = 0xB000, .size = 0x1000},
      {.label = "c", .type = 0, .subtype = 0, .offset = 0x10000, .size = 0x10000, .flags = 1},
      {.label = "d", .type = 0x40, .subtype = 5, .offset = 0x20000, .size = 1, .flags = 3},
      {.label = "e", .type = 0xFE, .subtype = 255, .offset = 0x21000, .size = 0x1400, .flags = 3}};
  assert_int_equal(table.count, 5);
  for (uint32_t i = 0; i < table.count; i++) {
    assert_result(lb_table_get(&table, i, &row), LB_OK);
    assert_string_equal(row.label, expected[i].label);
    assert_int_equal(row.type, expected[i].type);
    assert_int_equal(row.subtype, expected[i].subtype);
    assert_int_equal(row.offset, expected[i].offset);
    assert_int_equal(row.size, expected[i].size);
    assert_int_equal(row.flags, expected[i].flags);
  }
  char *text = written(&table);
  assert_string_equal(text, "# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n"
                            "a,data,64,0x9000,6K,\nb,data,undefined,0xb000,4K,\nc,app,factory,0x10000,64K,encrypted\n"
                            "d,64,5,0x20000,0x1,encrypted:readonly\ne,254,255,0x21000,5K,encrypted:readonly\n");
  free(text);
}

static void test_bootloader_and_table(void **state)
{
  (void)state;
  struct lb_table table;
  struct lb_partition row;
  read_good(&table, "bootloader,bootloader,primary,,\ntable,partition_table,primary,,\nnvs,data,nvs,,16K\n"
                    "later,bootloader,recovery,0x10000,\nspare,partition_table,ota,,\n");
  static const uint32_t places[][2] = {
      {0x1000, 0x7000}, {0x8000, 0x1000}, {0x9000, 0x4000}, {0x10000, 0x7000}, {0x17000, 0x1000}};
  for (uint32_t i = 0; i < 5; i++) {
    assert_result(lb_table_get(&table, i, &row), LB_OK);
    assert_int_equal(row.offset, places[i][0]);
    assert_int_equal(row.size, places[i][1]);
  }
}

/* ---- rules ---- */

struct bad_case {
  const char *text;
  unsigned line;
  const char *words;
};

static const struct bad_case bad_cases[] = {
    {"", 0, "no partition in it"},
    {"# nothing\n\n   \n", 0, "no partition in it"},
    {"\xAA\x50", 0, "binary partition table"},
    {"\xFF\xFEn", 0, "UTF-16"},
    {"\n\nnvs\n", 3, "type is missing"},
    {FIRST "b,apple,1,,4K", 2, "type 'apple' is none of app, data"},
    {FIRST "b,256,1,,4K", 2, "type '256'"},
    {FIRST "b,-1,1,,4K", 2, "type '-1'"},
    {FIRST "b,app,,,4K", 2, "subtype is missing"},
    {FIRST "b,app,ota_16,,4K", 2, "'ota_16' is no subtype of app"},
    {FIRST "b,data,factory,,4K", 2, "'factory' is no subtype of data"},
    {FIRST "b,0x40,nvs,,4K", 2, "'nvs' is no subtype of 0x40"},
    {FIRST "b,data,256,,4K", 2, "subtype '256'"},
    {FIRST "b,data,fat,,", 2, "size is missing"},
    {FIRST "b,data,fat", 2, "size is missing"},
    {FIRST "b,data,fat,,0", 2, "size is 0"},
    {FIRST "b,data,fat,0x10000,-0x10000", 2, "would end at 0x10000"},
    {FIRST "b,data,fat,0x10000,-1", 2, "would end at 0x1"},
    {FIRST "b,data,fat,-4096,4K", 2, "offset is negative"},
    {FIRST "b,data,fat,010,4K", 2, "offset '010' is no number"},
    {FIRST "b,data,fat,,4KB", 2, "size '4KB' is no number"},
    {FIRST "b,data,fat,,4KK", 2, "size '4KK' is no number"},
    {FIRST "b,data,fat,,0x", 2, "size '0x' is no number"},
    {FIRST "b,data,fat,,0b11", 2, "is no number"},
    {FIRST "b,data,fat,,1_000", 2, "is no number"},
    {FIRST "b,data,fat,,--1", 2, "is no number"},
    {FIRST "b,data,fat,,4 K", 2, "is no number"},
    {FIRST "b,data,fat,,99999999999999999999999999999999999999", 2, "is no number"},
    {FIRST "b,data,fat,,0xFFFFFFFFFFFFFFFFFFFF", 2, "is no number"},
    {FIRST "b,data,fat,,17M", 2, "would end at 0x110d000, but the flash ends at 0x1000000"},
    {FIRST "b,data,fat,,1000000M", 2, "the flash ends at"},
    {FIRST "b,data,fat,0xFFFFF000,0x1000", 2, "the flash ends at"},
    {FIRST "b,data,fat,0x100000000,0x1000", 2, "the flash ends at"},
    {"b,data,fat,0x8000,4K", 1, "lies below 0x9000, the end of the partition table"},
    {FIRST "b,data,fat,0xC000,4K", 2, "lies below 0xd000, the end of nvs in line 1"},
    {"\n" FIRST "\nb,data,fat,0x20000,4K\nc,data,fat,0x10000,4K", 5, "the end of b in line 4"},
    {FIRST "b,app,factory,0x11000,64K", 2, "0x11000 is no multiple of 0x10000, as an app's"},
    {FIRST "b,data,fat,0x10800,4K", 2, "0x10800 is no multiple of 0x1000"},
    {FIRST "b,0x40,1,0x10800,4K", 2, "0x10800 is no multiple of 0x1000"},
    {FIRST "b,app,factory,0x10000,0x10800", 2, "size 0x10800 is no multiple of 0x1000"},
    {FIRST "nvs,data,fat,,4K", 2, "name nvs is taken already, in line 1"},
    {FIRST ",data,fat,,4K", 2, "it is empty"},
    {FIRST "seventeen_letters,data,fat,,4K", 2, "more than 16 bytes"},
    {FIRST "b\x1b[2J,data,fat,,4K", 2, "control character"},
    {FIRST "b\xC2\x9B,data,fat,,4K", 2, "control character or is not UTF-8"},
    {FIRST "b\xFF,data,fat,,4K", 2, "not UTF-8"},
    {FIRST "b\xC3,data,fat,,4K", 2, "not UTF-8"},
    {FIRST "b\xED\xA0\x80,data,fat,,4K", 2, "not UTF-8"},
    {FIRST "$NAME,data,fat,,4K", 2, "variable"},
    {FIRST "b,data,fat,,4K,encrypted:secret", 2, "flag 'secret'"},
    {FIRST "b,data,fat,,4K,Encrypted", 2, "flag 'Encrypted'"},
    {FIRST "b,data,fat,,4K,,x", 2, "more than 6 fields"},
    {FIRST "b,data,ota,,4K", 2, "otadata is 0x1000 bytes, it has to be 0x2000"},
    {FIRST "b,data,ota,,8K\nc,data,ota,,8K", 3, "otadata (data, ota) in line 2 already"},
    {FIRST "b,data,tee_ota,,8K\nc,data,tee_ota,,8K", 3, "tee_ota in line 2 already"},
    {FIRST "b,data,tee_ota,,4K", 2, "tee_ota is 0x1000 bytes"},
    {FIRST "b,data,ota,,8K,readonly", 2, "otadata is written to"},
    {FIRST "b,data,coredump,,8K,readonly", 2, "coredump is written to"},
    {FIRST "b,data,nvs,,8K", 2, "can only be readonly"},
    {"b,bootloader,primary,0x9000,\n", 1, "below the partition table"},
    {"b,bootloader,primary,0x1000,0x1000\n", 1, "its size is 0x7000"},
    {"t,partition_table,primary,0x9000,\n", 1, "is at 0x8000"},
    {FIRST "b,bootloader,primary,,\nc,bootloader,primary,0x2000,\n", 3, "overlaps b in line 2"},
};

static void test_bad_lines(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof bad_cases / sizeof bad_cases[0]; i++) {
    const struct bad_case *bad = &bad_cases[i];
    struct lb_table table;
    struct table_csv_problem problem;
    if (read_bytes(&table, bad->text, strlen(bad->text), &problem)) {
      fail_here("taken: %s", bad->text);
    }
    if (problem.line != bad->line || strstr(problem.text, bad->words) == NULL) {
      fail_here("line %u: %s\ninstead of line %u: %s\n%s", problem.line, problem.text, bad->line, bad->words,
                bad->text);
    }
  }
}

static void test_nul_and_long_lines(void **state)
{
  (void)state;
  static const char with_nul[] = FIRST "b,data,fat,,4K\0,encrypted\n";
  struct lb_table table;
  struct table_csv_problem problem;
  char line[600];
  assert_false(read_bytes(&table, with_nul, sizeof with_nul - 1, &problem));
  assert_int_equal(problem.line, 2);
  assert_non_null(strstr(problem.text, "NUL"));
  memset(line, 'x', sizeof line);
  assert_false(read_bytes(&table, line, sizeof line, &problem));
  assert_int_equal(problem.line, 1);
  assert_non_null(strstr(problem.text, "longer than"));
  line[0] = '#'; /* a comment may be as long as it likes */
  assert_false(read_bytes(&table, line, sizeof line, &problem));
  assert_string_equal(problem.text, "there is no partition in it");
}

static void test_number_of_rows(void **state)
{
  (void)state;
  struct lb_table table;
  struct table_csv_problem problem;
  char text[95 * 32];
  size_t length = 0;
  for (unsigned i = 0; i < 95; i++) {
    size_t before = length;
    length += (size_t)snprintf(text + length, sizeof text - length, "p%u,0x40,%u,,4K\n", i, i);
    if (i == 93) {
      assert_true(read_bytes(&table, text, length, &problem));
      assert_int_equal(table.count, 94);
    }
    assert_true(length > before);
  }
  assert_false(read_bytes(&table, text, length, &problem));
  assert_int_equal(problem.line, 95);
  assert_non_null(strstr(problem.text, "more partitions than a table holds"));
}

static void test_labels_that_are_no_csv(void **state)
{
  (void)state;
  static const char *const labels[] = {"a,b", "#a", " a", "a ", "a\nb", "a\x1b", "a\xFF", "$HOME", "${HOME}"};
  for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
    struct lb_partition partition = {.type = 1, .subtype = 0x81, .offset = 0x9000, .size = 0x1000};
    struct table_csv_problem problem;
    struct lb_table table;
    memcpy(partition.label, labels[i], strlen(labels[i]));
    lb_table_start(&table);
    assert_result(lb_table_add(&table, &partition), LB_OK);
    assert_result(lb_table_finish(&table, FLASH_SIZE, unit_md5()), LB_OK);
    assert_false(table_csv_write(&table, stderr, &problem));
    assert_non_null(strstr(problem.text, "partition 1"));
  }
}

/* ---- anything at all ---- */

/* Whatever was taken is a right table, and its CSV means the same. */
static void check_taken(const struct lb_table *table)
{
  struct lb_table again;
  assert_result(lb_table_parse(&again, table->bytes, LB_TABLE_SIZE, FLASH_SIZE, unit_md5()), LB_OK);
  char *text = written(table);
  read_good(&again, text);
  assert_memory_equal(again.bytes, table->bytes, LB_TABLE_SIZE);
  free(text);
}

/* What was refused says so in one printable line. */
static void check_refused(const struct table_csv_problem *problem)
{
  size_t length = strlen(problem->text);
  assert_true(length > 0 && length < sizeof problem->text);
  for (size_t i = 0; i < length; i++) {
    assert_true((uint8_t)problem->text[i] >= ' ' && problem->text[i] != 0x7F);
  }
}

static void test_damaged_tables(void **state)
{
  (void)state;
  static const char *const pieces[] = {",",
                                       "\n",
                                       "#",
                                       "\r",
                                       " ",
                                       "0x",
                                       "-",
                                       "K",
                                       "M",
                                       "app",
                                       "data",
                                       "ota",
                                       "nvs",
                                       "0x9000",
                                       "-0x20000",
                                       "4M",
                                       "encrypted:readonly",
                                       "\xC3\xA4",
                                       "$x",
                                       "256",
                                       "1"};
  struct unit_random random;
  unsigned taken = 0;
  unit_random_seed(&random, "damaged tables", 20261122);
  for (unsigned turn = 0; turn < 20000; turn++) {
    struct table_csv_problem problem;
    struct lb_table table;
    char text[sizeof ovms_csv + 128];
    size_t length = sizeof ovms_csv - 1;
    memcpy(text, ovms_csv, length);
    for (unsigned change = unit_random_below(&random, 4); change < 4; change++) {
      size_t at = unit_random_below(&random, (uint32_t)length);
      const char *piece = pieces[unit_random_below(&random, sizeof pieces / sizeof pieces[0])];
      if (unit_random_below(&random, 3) == 0) {
        text[at] = (char)unit_random_below(&random, 256);
      } else if (unit_random_below(&random, 2) == 0) {
        size_t gone = unit_random_below(&random, (uint32_t)(length - at));
        gone = gone < 12 ? gone : 12;
        memmove(text + at, text + at + gone, length - at - gone);
        length -= gone;
      } else if (length + strlen(piece) < sizeof text) {
        memmove(text + at + strlen(piece), text + at, length - at);
        memcpy(text + at, piece, strlen(piece));
        length += strlen(piece);
      }
    }
    if (read_bytes(&table, text, length, &problem)) {
      check_taken(&table);
      taken++;
    } else {
      check_refused(&problem);
    }
  }
  assert_in_range(taken, 500, 19500); /* both happen */
}

static void test_noise(void **state)
{
  (void)state;
  struct unit_random random;
  unit_random_seed(&random, "noise", 7);
  for (unsigned turn = 0; turn < 3000; turn++) {
    static const char letters[] = "app,data,ota_0123456789xKM-#:\n\r \t\0\xFF\xC3";
    struct table_csv_problem problem;
    struct lb_table table;
    char text[400];
    size_t length = unit_random_below(&random, sizeof text);
    for (size_t i = 0; i < length; i++) {
      text[i] = letters[unit_random_below(&random, sizeof letters)];
    }
    if (read_bytes(&table, text, length, &problem)) {
      check_taken(&table);
    } else {
      check_refused(&problem);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_both_layouts),     cmocka_unit_test(test_layouts_without_offsets),
      cmocka_unit_test(test_next_free_offset), cmocka_unit_test(test_bootloader_and_table),
      cmocka_unit_test(test_bad_lines),        cmocka_unit_test(test_nul_and_long_lines),
      cmocka_unit_test(test_number_of_rows),   cmocka_unit_test(test_labels_that_are_no_csv),
      cmocka_unit_test(test_damaged_tables),   cmocka_unit_test(test_noise),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
