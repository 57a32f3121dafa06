// SPDX-License-Identifier: MIT
/* Changes to a dump whose power is cut at each of their operations: what boots afterwards has been verified. */
#include <fcntl.h>
#include <unistd.h>

#include "lifeboat/bytes.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/image_builder.h"
#include "tests/unit/support/unit.h"
#include "tool/commands.h"
#include "tool/flash_table.h"
#include "tool/flash_update.h"
#include "tool/table_csv.h"

#define FLASH_SIZE   0x400000U
#define FACTORY      0x10000U
#define OTA_0        0x50000U
#define OTA_1        0x90000U
#define OTADATA      0xD000U
#define IMAGE_LENGTH 12288U
#define SEEDS        3U

/* More rows than a page holds, so that a part of the table could pass for one. */
static const char before_csv[] =
    "nvs,data,nvs,,16K\notadata,data,ota,,8K\nphy,data,phy,,4K\nfactory,app,factory,,256K\n"
    "ota_0,app,ota_0,,256K\nota_1,app,ota_1,,256K\na,data,fat,,4K\nb,data,fat,,4K\n"
    "c,data,fat,,4K\nd,data,fat,,4K\ne,data,fat,,4K\n";
static const char after_csv[] = "nvs,data,nvs,,16K\notadata,data,ota,,8K\nphy,data,phy,,4K\nfactory,app,factory,,256K\n"
                                "ota_0,app,ota_0,,256K\nota_1,app,ota_1,,256K\nx,data,fat,,8K\ny,data,fat,,8K\n"
                                "z,data,fat,,4K\nd,data,fat,,4K\ne,data,fat,,4K\nlast,data,spiffs,,64K\n";

static char path[] = "/tmp/lifeboat-flash-change-XXXXXX";
static uint8_t *original; /* the dump before each change */
static struct lb_table before;
static struct lb_table after;
static struct built_image images[4];
static int real_stderr;

/* The refusals of a hundred cuts are of no interest. */
static void hush(bool quiet)
{
  fflush(stderr);
  if (quiet) {
    int nowhere = open("/dev/null", O_WRONLY);
    assert_true(nowhere >= 0);
    assert_true(dup2(nowhere, STDERR_FILENO) >= 0);
    close(nowhere);
  } else {
    assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
  }
}

static void make_table(struct lb_table *table, const char *csv)
{
  struct table_csv_problem problem;
  if (!table_csv_read(table, csv, (uint32_t)strlen(csv), FLASH_SIZE, unit_md5(), &problem)) {
    fail_here("line %u: %s", problem.line, problem.text);
  }
}

static void put_record(uint32_t index, uint32_t sequence)
{
  uint8_t *record = original + OTADATA + index * 0x1000;
  memset(record, 0xFF, LB_OTADATA_RECORD_SIZE);
  lb_store_le32(record, sequence);
  lb_store_le32(record + 28, lb_otadata_crc(sequence));
}

/* factory and ota_0 hold images, ota_1 a broken one; nothing is selected. */
static void make_original(void)
{
  static const uint32_t places[] = {FACTORY, OTA_0, OTA_1};
  memset(original, 0xFF, FLASH_SIZE);
  memcpy(original + LB_TABLE_ADDRESS, before.bytes, LB_TABLE_SIZE);
  for (size_t i = 0; i < 3; i++) {
    memcpy(original + places[i], images[i].bytes, images[i].length);
  }
  original[OTA_1 + 5000] ^= 1;
}

static void write_dump(void)
{
  int descriptor = open(path, O_WRONLY | O_TRUNC);
  assert_true(descriptor >= 0);
  assert_int_equal(write(descriptor, original, FLASH_SIZE), FLASH_SIZE);
  close(descriptor);
}

static void open_dump(struct flash_dump *dump)
{
  assert_true(flash_dump_open(dump, path, lb_chip_by_name("esp32"), SIM_FLASH_READ_WRITE));
}

/* ---- one change, cut everywhere ---- */

struct change {
  const char *name;
  bool (*run)(struct flash_dump *dump); /* true if it was done */
  uint32_t boots[2];                    /* what may boot after a cut */
  uint32_t boots_then;                  /* once it is done */
  uint32_t may_change[4][2];            /* from, to: all that may be another */
  uint32_t slot;                        /* that is written; 0: none */
};

static bool is_allowed(const struct change *change, uint32_t at)
{
  for (size_t i = 0; i < 4; i++) {
    if (at >= change->may_change[i][0] && at < change->may_change[i][1]) {
      return true;
    }
  }
  return false;
}

static void check_bytes(const struct change *change, struct flash_dump *dump)
{
  const uint8_t *bytes = sim_flash_bytes(&dump->flash);
  for (uint32_t at = 0; at < FLASH_SIZE; at++) {
    if (at % 4096 == 0 && memcmp(bytes + at, original + at, 4096) == 0) {
      at += 4095; /* most sectors */
    } else if (bytes[at] != original[at] && !is_allowed(change, at)) {
      fail_here("%s changed the byte at 0x%x", change->name, at);
    }
  }
}

/* The table in use is the old one or the new one, never a part of either. */
static void check_table(const struct flash_dump *dump)
{
  const uint8_t *bytes = dump->device.table.bytes;
  assert_true(memcmp(bytes, before.bytes, LB_TABLE_SIZE) == 0 || memcmp(bytes, after.bytes, LB_TABLE_SIZE) == 0);
}

/* A slot that holds a part of the image does not begin like one. */
static void check_beginning(const struct change *change, struct flash_dump *dump)
{
  const uint8_t *bytes = sim_flash_bytes(&dump->flash) + change->slot;
  bool is_old = memcmp(bytes, original + change->slot, IMAGE_LENGTH) == 0;
  bool is_new = memcmp(bytes, images[3].bytes, IMAGE_LENGTH) == 0;
  if (change->slot != 0 && !is_old && !is_new) {
    assert_int_equal(bytes[0], 0xFF);
  }
}

static void check_boot(const struct change *change, const struct flash_dump *dump, uint64_t operation, uint64_t seed)
{
  uint32_t offset = dump->boot.partition.offset;
  if (dump->boot_result != LB_OK || (offset != change->boots[0] && offset != change->boots[1])) {
    fail_here("%s, cut at %u with seed %u: %s, 0x%x boots", change->name, (unsigned)operation, (unsigned)seed,
              unit_result_name(dump->boot_result), offset);
  }
}

/* Returns whether there was anything left to cut. */
static bool cut_once(const struct change *change, uint64_t operation, enum sim_cut cut, uint64_t seed)
{
  struct flash_dump dump;
  write_dump();
  open_dump(&dump);
  sim_flash_seed(&dump.flash, seed);
  sim_flash_cut_at(&dump.flash, operation, cut);
  hush(true);
  bool done = change->run(&dump);
  hush(false);
  bool fired = sim_flash_cut_fired(&dump.flash);
  flash_dump_close(&dump);
  assert_true(done != fired);
  open_dump(&dump);
  check_bytes(change, &dump);
  if (fired) {
    check_boot(change, &dump, operation, seed);
    check_table(&dump);
    if (cut == SIM_CUT_BEFORE) {
      check_beginning(change, &dump);
    }
    done = change->run(&dump); /* again, undisturbed */
  }
  if (!done || dump.boot_result != LB_OK || dump.boot.partition.offset != change->boots_then) {
    fail_here("%s, cut at %u with seed %u: cannot be repeated", change->name, (unsigned)operation, (unsigned)seed);
  }
  check_bytes(change, &dump);
  flash_dump_close(&dump);
  return fired;
}

static void cut_everywhere(const struct change *change, uint64_t least)
{
  uint64_t operation = 1;
  while (cut_once(change, operation, SIM_CUT_BEFORE, 0)) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
      cut_once(change, operation, SIM_CUT_TORN, seed);
    }
    operation++;
  }
  assert_true(operation > least);
}

/* ---- the changes ---- */

static bool replace_table(struct flash_dump *dump)
{
  return flash_table_replace(dump, &after) && memcmp(dump->device.table.bytes, after.bytes, LB_TABLE_SIZE) == 0 &&
         memcmp(sim_flash_bytes(&dump->flash) + LB_TABLE_COPY_ADDRESS, after.bytes, LB_TABLE_SIZE) == 0 &&
         memcmp(sim_flash_bytes(&dump->flash) + LB_TABLE_ADDRESS, after.bytes, LB_TABLE_SIZE) == 0;
}

static struct flash_update update_of(uint32_t subtype, const struct lb_table *table)
{
  struct flash_update update = {.source = "new", .data = images[3].bytes, .length = images[3].length};
  assert_result(lb_table_find(table, LB_TYPE_APP, (uint8_t)subtype, &update.slot), LB_OK);
  return update;
}

static bool write_factory(struct flash_dump *dump)
{
  struct flash_update update = update_of(LB_SUBTYPE_FACTORY, &before);
  return flash_update_factory(dump, &update) == TOOL_EXIT_DONE &&
         memcmp(sim_flash_bytes(&dump->flash) + LB_TABLE_COPY_ADDRESS, before.bytes, LB_TABLE_SIZE) == 0;
}

static bool write_ota_1(struct flash_dump *dump)
{
  struct flash_update update = update_of(LB_SUBTYPE_OTA_0 + 1, &before);
  return flash_update_run(dump, &update) == TOOL_EXIT_DONE;
}

static bool write_ota_1_and_select(struct flash_dump *dump)
{
  struct flash_update update = update_of(LB_SUBTYPE_OTA_0 + 1, &before);
  update.select = true;
  /* what was selected before the cut may not be written again */
  return dump->boot.partition.offset == OTA_1 || flash_update_run(dump, &update) == TOOL_EXIT_DONE;
}

static const struct change table_change = {
    "table", replace_table, {FACTORY, FACTORY}, FACTORY, {{LB_TABLE_COPY_ADDRESS, LB_TABLE_ADDRESS + LB_TABLE_SECTOR}},
    0};

static void test_table_without_a_copy(void **state)
{
  (void)state;
  make_original();
  cut_everywhere(&table_change, 7);
}

static void test_table_with_a_copy(void **state)
{
  (void)state;
  make_original();
  memcpy(original + LB_TABLE_COPY_ADDRESS, before.bytes, LB_TABLE_SIZE);
  cut_everywhere(&table_change, 9);
}

static void test_table_that_lives_in_its_copy(void **state)
{
  (void)state;
  make_original();
  memcpy(original + LB_TABLE_COPY_ADDRESS, before.bytes, LB_TABLE_SIZE);
  original[LB_TABLE_ADDRESS + 20] ^= 0x40;
  cut_everywhere(&table_change, 9);
}

static void test_table_keeps_the_selected_slot(void **state)
{
  (void)state;
  struct change change = table_change;
  make_original();
  put_record(0, 1);
  change.boots[0] = change.boots[1] = change.boots_then = OTA_0;
  cut_everywhere(&change, 7);
}

static void test_factory_while_a_slot_is_selected(void **state)
{
  (void)state;
  static const struct change change = {
      "factory", write_factory, {OTA_0, OTA_0}, OTA_0, {{FACTORY, OTA_0}, {LB_TABLE_COPY_ADDRESS, LB_TABLE_ADDRESS}},
      FACTORY};
  make_original();
  put_record(0, 1);
  cut_everywhere(&change, IMAGE_LENGTH / 256);
}

static void test_factory_that_boots_gives_way_meanwhile(void **state)
{
  (void)state;
  static const struct change change = {"factory",
                                       write_factory,
                                       {FACTORY, OTA_0},
                                       FACTORY,
                                       {{FACTORY, OTA_0}, {LB_TABLE_COPY_ADDRESS, LB_TABLE_ADDRESS}},
                                       FACTORY};
  make_original();
  cut_everywhere(&change, IMAGE_LENGTH / 256);
}

static void test_slot_that_is_selected_and_bad(void **state)
{
  (void)state;
  static const struct change change = {
      "ota_1", write_ota_1, {FACTORY, FACTORY}, FACTORY, {{OTA_1, OTA_1 + 0x40000}, {OTADATA, OTADATA + 0x2000}},
      OTA_1};
  make_original();
  put_record(0, 1);
  put_record(1, 2);
  cut_everywhere(&change, IMAGE_LENGTH / 256);
}

static void test_slot_that_is_selected_at_last(void **state)
{
  (void)state;
  static const struct change change = {"ota_1 and select",
                                       write_ota_1_and_select,
                                       {OTA_0, OTA_1},
                                       OTA_1,
                                       {{OTA_1, OTA_1 + 0x40000}, {OTADATA, OTADATA + 0x2000}},
                                       OTA_1};
  make_original();
  put_record(0, 1);
  cut_everywhere(&change, IMAGE_LENGTH / 256);
}

/* ---- refusals ---- */

static void check_refused_table(const char *csv)
{
  struct flash_dump dump;
  struct lb_table table;
  make_table(&table, csv);
  write_dump();
  open_dump(&dump);
  hush(true);
  bool done = flash_table_replace(&dump, &table);
  hush(false);
  assert_false(done);
  assert_memory_equal(sim_flash_bytes(&dump.flash), original, FLASH_SIZE);
  flash_dump_close(&dump);
}

static void test_table_that_would_not_boot(void **state)
{
  (void)state;
  make_original();
  check_refused_table("nvs,data,nvs,,16K\notadata,data,ota,,8K\nota_0,app,ota_0,0x50000,256K\n");   /* another slot */
  check_refused_table("nvs,data,nvs,,16K\notadata,data,ota,,8K\nfactory,app,factory,0x10000,8K\n"); /* too small */
  check_refused_table("nvs,data,nvs,,16K\n");
  put_record(0, 1);
  check_refused_table("nvs,data,nvs,,16K\nfactory,app,factory,,256K\nota_0,app,ota_0,,256K\n"); /* selects no more */
}

/* A bootloader whose segments end at `end`. */
static void put_bootloader(uint32_t end)
{
  uint32_t at = 0x1000 + LB_IMAGE_HEADER_SIZE;
  memcpy(original + 0x1000, images[0].bytes, IMAGE_LENGTH);
  for (unsigned i = 1; i < images[0].info.segment_count; i++) {
    at += LB_IMAGE_SEGMENT_HEADER_SIZE + lb_load_le32(original + at + 4);
  }
  lb_store_le32(original + at + 4, end - at - LB_IMAGE_SEGMENT_HEADER_SIZE);
}

static void test_place_of_the_copy_in_use(void **state)
{
  (void)state;
  make_original();
  put_bootloader(LB_TABLE_COPY_ADDRESS - 44);
  check_refused_table(after_csv);
  make_original();
  put_bootloader(LB_TABLE_ADDRESS + 0x100000);
  check_refused_table(after_csv);
  make_original();
  put_bootloader(0x6800);
  original[LB_TABLE_COPY_ADDRESS] = 0xE7; /* its signature */
  check_refused_table(after_csv);
  make_original();
  original[0x1000] = 0x42; /* encrypted, say */
  original[LB_TABLE_ADDRESS - 1] = 0;
  check_refused_table(after_csv);
}

static void test_table_behind_a_bootloader(void **state)
{
  (void)state;
  make_original();
  put_bootloader(LB_TABLE_COPY_ADDRESS - 48);
  memset(original + LB_TABLE_COPY_ADDRESS, 0x36, 700);
  cut_everywhere(&table_change, 9);
}

static int make_all(void **state)
{
  (void)state;
  real_stderr = dup(STDERR_FILENO);
  original = unit_allocate(FLASH_SIZE);
  make_table(&before, before_csv);
  make_table(&after, after_csv);
  for (uint32_t i = 0; i < 4; i++) {
    image_make(&images[i], i + 1, IMAGE_LENGTH, "1.0");
  }
  int descriptor = mkstemp(path);
  return descriptor < 0 || close(descriptor) != 0;
}

static int free_all(void **state)
{
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    image_free(&images[i]);
  }
  free(original);
  return unlink(path);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table_without_a_copy),
      cmocka_unit_test(test_table_with_a_copy),
      cmocka_unit_test(test_table_that_lives_in_its_copy),
      cmocka_unit_test(test_table_keeps_the_selected_slot),
      cmocka_unit_test(test_factory_while_a_slot_is_selected),
      cmocka_unit_test(test_factory_that_boots_gives_way_meanwhile),
      cmocka_unit_test(test_slot_that_is_selected_and_bad),
      cmocka_unit_test(test_slot_that_is_selected_at_last),
      cmocka_unit_test(test_table_that_would_not_boot),
      cmocka_unit_test(test_place_of_the_copy_in_use),
      cmocka_unit_test(test_table_behind_a_bootloader),
  };
  return cmocka_run_group_tests(tests, make_all, free_all);
}
