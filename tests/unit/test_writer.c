// SPDX-License-Identifier: MIT
/*
 * The writer, against a model of its header: which operations, in which order, are to come of old bytes and new ones.
 */
#include "lifeboat/writer.h"

#include "ports/sim/flash.h"
#include "tests/unit/support/flash_tap.h"
#include "tests/unit/support/unit.h"

#define SIZE 0x80000U

struct chip {
  struct sim_flash sim;
  struct flash_tap tap;
};

static void open_chip(struct chip *chip, bool miniature)
{
  const struct sim_geometry geometry = miniature ? sim_geometry_miniature(SIZE) : sim_geometry_real(SIZE);

  assert_result(sim_flash_open_memory(&chip->sim, &geometry), LB_OK);
  flash_tap_start(&chip->tap, &chip->sim.driver);
}

static void close_chip(struct chip *chip)
{
  flash_tap_stop(&chip->tap);
  sim_flash_close(&chip->sim);
}

/* ---- the model ---- */

struct model {
  const struct lb_flash *flash;
  struct tap_operation log[4096];
  uint32_t count;
  uint32_t kept;
  uint32_t erased_bytes;
  uint32_t pages;
  uint32_t compared; /* sectors that may have been read */
};

static void model_note(struct model *model, enum tap_kind kind, uint32_t address, uint32_t length)
{
  assert_true(model->count < sizeof(model->log) / sizeof(model->log[0]));
  model->log[model->count++] = (struct tap_operation){kind, address, length};
}

/* Erases [from, to) by the largest aligned blocks that fit. */
static void model_erase(struct model *model, uint32_t from, uint32_t to)
{
  while (from < to) {
    uint32_t best = 0;

    for (uint32_t i = 0; i < LB_FLASH_ERASE_SIZES && model->flash->erase_sizes[i]; i++) {
      uint32_t size = model->flash->erase_sizes[i];

      best = from % size == 0 && from + size <= to ? size : best;
    }
    assert_true(best > 0);
    model_note(model, TAP_ERASE, from, best);
    model->erased_bytes += best;
    from += best;
  }
}

static void model_program(struct model *model, uint32_t address, const uint8_t *data, uint32_t length)
{
  uint32_t page = model->flash->page_size;

  for (uint32_t at = 0; at < length; at += page) {
    uint32_t here = length - at < page ? length - at : page;
    bool blank = true;

    for (uint32_t i = 0; i < here; i++) {
      blank = blank && data[at + i] == 0xFF;
    }
    if (!blank) {
      model_note(model, TAP_PROGRAM, address + at, here);
      model->pages++;
    }
  }
}

/* The end of the largest block around an address, or of the partition if that comes first. */
static uint32_t model_block_end(const struct model *model, const struct lb_partition *partition, uint32_t address)
{
  uint32_t largest = lb_flash_largest_erase(model->flash);
  uint32_t end = (address / largest + 1) * largest;

  return end < partition->offset + partition->size ? end : partition->offset + partition->size;
}

static void model_write(struct model *model, const uint8_t *old, const struct lb_partition *partition,
                        const uint8_t *data, uint32_t length)
{
  uint32_t sector = model->flash->erase_sizes[0];
  uint32_t erased_until = partition->offset;
  uint32_t first_end = model_block_end(model, partition, partition->offset);

  for (uint32_t at = 0; at < length; at += sector) {
    uint32_t address = partition->offset + at;
    uint32_t here = length - at < sector ? length - at : sector;

    if (address >= erased_until) {
      if (address >= first_end) {
        model->compared++;
        if (memcmp(old + address, data + at, here) == 0) {
          model->kept++;
          continue;
        }
      }
      erased_until = model_block_end(model, partition, address);
      model_erase(model, address, erased_until);
    }
    model_program(model, address, data + at, here);
  }
}

/* ---- the writer ---- */

static int write_all(struct chip *chip, struct lb_writer *writer, const uint8_t *data, uint32_t length, uint32_t piece)
{
  uint32_t at = 0;
  int result = LB_OK;

  while (at < length && result == LB_OK) {
    uint32_t here = length - at < piece ? length - at : piece;
    uint32_t used = 0xFFFFFFFFU;
    uint32_t before = chip->tap.count;

    result = lb_writer_write(writer, data + at, here, &used);
    assert_true(chip->tap.count - before <= 1);
    assert_true(used <= here);
    at += used;
  }
  while (result == LB_OK || result == LB_MORE) {
    uint32_t before = chip->tap.count;

    result = lb_writer_flush(writer);
    assert_true(chip->tap.count - before <= 1);
    if (result == LB_OK) {
      break;
    }
  }
  return result;
}

static void assert_log(const struct flash_tap *tap, const struct model *model)
{
  for (uint32_t i = 0; i < model->count && i < tap->count; i++) {
    if (tap->log[i].kind != model->log[i].kind || tap->log[i].address != model->log[i].address ||
        tap->log[i].length != model->log[i].length) {
      fail_here("operation %u is %s 0x%x+0x%x, not %s 0x%x+0x%x", (unsigned)i,
                tap->log[i].kind == TAP_ERASE ? "erase" : "program", (unsigned)tap->log[i].address,
                (unsigned)tap->log[i].length, model->log[i].kind == TAP_ERASE ? "erase" : "program",
                (unsigned)model->log[i].address, (unsigned)model->log[i].length);
    }
  }
  assert_int_equal(tap->count, model->count);
}

/* Writes with a buffer and compares everything with the model: operations, order, reads, reports, bytes. */
static void check(struct chip *chip, const struct lb_partition *partition, const uint8_t *data, uint32_t length,
                  uint32_t piece)
{
  static struct model model;
  uint8_t *old = unit_copy(sim_flash_bytes(&chip->sim), SIZE);
  uint8_t *buffer = unit_allocate(lb_flash_sector(&chip->tap.flash));
  struct lb_writer writer;

  memset(&model, 0, sizeof(model));
  model.flash = &chip->tap.flash;
  model_write(&model, old, partition, data, length);
  flash_tap_clear(&chip->tap);
  assert_result(lb_writer_start(&writer, &chip->tap.flash, partition, buffer), LB_OK);
  assert_result(write_all(chip, &writer, data, length, piece), LB_OK);
  assert_log(&chip->tap, &model);
  assert_true(chip->tap.bytes_read <= (uint64_t)model.compared * lb_flash_sector(&chip->tap.flash));
  assert_int_equal(writer.sectors_kept, model.kept);
  assert_int_equal(writer.bytes_erased, model.erased_bytes);
  assert_int_equal(writer.pages_written, model.pages);
  assert_memory_equal(sim_flash_bytes(&chip->sim) + partition->offset, data, length);
  assert_memory_equal(sim_flash_bytes(&chip->sim), old, partition->offset);
  assert_memory_equal(sim_flash_bytes(&chip->sim) + partition->offset + partition->size,
                      old + partition->offset + partition->size, SIZE - partition->offset - partition->size);
  free(buffer);
  free(old);
}

/* Some sectors of the data are what the flash holds already, some pages are blank, the rest is random. */
static void random_data(struct unit_random *random, const struct chip *chip, uint8_t *data, const uint8_t *old,
                        uint32_t length)
{
  uint32_t sector = chip->tap.flash.erase_sizes[0];
  uint32_t page = chip->tap.flash.page_size;

  for (uint32_t at = 0; at < length; at += sector) {
    uint32_t here = length - at < sector ? length - at : sector;

    if (unit_random_below(random, 3)) {
      memcpy(data + at, old + at, here);
    } else {
      unit_random_fill(random, data + at, here);
      if (unit_random_below(random, 3) == 0 && here >= page) {
        memset(data + at, 0xFF, page);
      }
    }
  }
}

static void run_random(bool miniature, int turns)
{
  struct unit_random random;
  struct chip chip;

  unit_random_seed(&random, miniature ? "writer, miniature" : "writer, real", 12);
  open_chip(&chip, miniature);
  unit_random_fill(&random, sim_flash_bytes(&chip.sim), SIZE);
  for (int turn = 0; turn < turns; turn++) {
    uint32_t sector = lb_flash_sector(&chip.tap.flash);
    uint32_t span = miniature ? 64 : 60;
    struct lb_partition partition = {.offset = sector * unit_random_below(&random, 40),
                                     .size = sector * (1 + unit_random_below(&random, span))};
    uint32_t length = 1 + unit_random_below(&random, partition.size);
    uint8_t *data = unit_allocate(partition.size);

    length = unit_random_below(&random, 4) ? length : partition.size;
    random_data(&random, &chip, data, sim_flash_bytes(&chip.sim) + partition.offset, length);
    check(&chip, &partition, data, length, 1 + unit_random_below(&random, unit_random_below(&random, 2) ? 100 : 9000));
    free(data);
  }
  close_chip(&chip);
}

static void test_random_miniature(void **state)
{
  (void)state;
  run_random(true, 400);
}

static void test_random_real(void **state)
{
  (void)state;
  run_random(false, 60);
}

/* The case of the issue, spelled out: slot of 256 KB, a change in the sixth sector of its second 64 KB. */
static void test_one_changed_sector(void **state)
{
  static const struct tap_operation erases[] = {
      {TAP_ERASE, 0x10000, 0x10000}, /* the first block, always */
      {TAP_ERASE, 0x25000, 0x1000},  {TAP_ERASE, 0x26000, 0x1000},
      {TAP_ERASE, 0x27000, 0x1000},  {TAP_ERASE, 0x28000, 0x8000},
  };
  const struct lb_partition partition = {.offset = 0x10000, .size = 0x40000};
  struct unit_random random = {.state = 1};
  struct lb_writer writer;
  struct chip chip;
  uint8_t buffer[4096];
  uint8_t *data;
  uint32_t seen = 0;

  (void)state;
  open_chip(&chip, false);
  unit_random_fill(&random, sim_flash_bytes(&chip.sim) + 0x10000, 0x40000);
  data = unit_copy(sim_flash_bytes(&chip.sim) + 0x10000, 0x40000);
  data[0x15123] ^= 1;
  assert_result(lb_writer_start(&writer, &chip.tap.flash, &partition, buffer), LB_OK);
  assert_result(write_all(&chip, &writer, data, 0x40000, 4096), LB_OK);
  for (uint32_t i = 0; i < chip.tap.count; i++) {
    if (chip.tap.log[i].kind == TAP_ERASE) {
      assert_memory_equal(&chip.tap.log[i], &erases[seen], sizeof(erases[0]));
      seen++;
    }
  }
  assert_int_equal(seen, 5);
  assert_int_equal(writer.sectors_kept, 5 + 32);
  assert_int_equal(sim_flash_wear(&chip.sim, 0x24000), 0);
  assert_int_equal(sim_flash_wear(&chip.sim, 0x25000), 1);
  assert_int_equal(sim_flash_wear(&chip.sim, 0x30000), 0);
  assert_int_equal(sim_flash_wear(&chip.sim, 0x50000), 0);
  assert_memory_equal(sim_flash_bytes(&chip.sim) + 0x10000, data, 0x40000);
  free(data);
  close_chip(&chip);
}

/* ---- without a buffer ---- */

static void check_without_buffer(struct chip *chip, const struct lb_partition *partition, const uint8_t *data,
                                 uint32_t length, uint32_t piece)
{
  static struct model model;
  uint8_t *old = unit_copy(sim_flash_bytes(&chip->sim), SIZE);
  struct lb_writer writer;
  uint32_t erase = 0;
  uint32_t programs = 0;

  memset(&model, 0, sizeof(model));
  model.flash = &chip->tap.flash;
  for (uint32_t at = partition->offset; at < partition->offset + length; at = model_block_end(&model, partition, at)) {
    model_erase(&model, at, model_block_end(&model, partition, at));
  }
  flash_tap_clear(&chip->tap);
  assert_result(lb_writer_start(&writer, &chip->tap.flash, partition, NULL), LB_OK);
  assert_result(write_all(chip, &writer, data, length, piece), LB_OK);
  for (uint32_t i = 0; i < chip->tap.count; i++) {
    if (chip->tap.log[i].kind == TAP_ERASE) {
      assert_true(erase < model.count);
      assert_memory_equal(&chip->tap.log[i], &model.log[erase], sizeof(model.log[0]));
      erase++;
    } else { /* nothing is programmed in a block that has not been erased */
      assert_true(erase > 0 && chip->tap.log[i].address < model.log[erase - 1].address + model.log[erase - 1].length);
      programs++;
    }
  }
  assert_int_equal(erase, model.count);
  assert_int_equal(chip->tap.bytes_read, 0);
  assert_int_equal(writer.sectors_kept, 0);
  assert_int_equal(writer.bytes_erased, model.erased_bytes);
  assert_int_equal(writer.pages_written, programs);
  assert_memory_equal(sim_flash_bytes(&chip->sim) + partition->offset, data, length);
  assert_memory_equal(sim_flash_bytes(&chip->sim), old, partition->offset);
  assert_memory_equal(sim_flash_bytes(&chip->sim) + partition->offset + partition->size,
                      old + partition->offset + partition->size, SIZE - partition->offset - partition->size);
  free(old);
}

static void test_without_buffer(void **state)
{
  struct unit_random random;
  struct chip chip;

  (void)state;
  unit_random_seed(&random, "writer without buffer", 13);
  for (int turn = 0; turn < 200; turn++) {
    struct lb_partition partition;
    uint32_t sector;
    uint32_t length;
    uint8_t *data;

    open_chip(&chip, turn % 4 != 0);
    sector = lb_flash_sector(&chip.tap.flash);
    partition = (struct lb_partition){.offset = sector * unit_random_below(&random, 30),
                                      .size = sector * (1 + unit_random_below(&random, 40))};
    length = 1 + unit_random_below(&random, partition.size);
    data = unit_allocate(length);
    unit_random_fill(&random, data, length);
    memset(sim_flash_bytes(&chip.sim), 0, SIZE);
    check_without_buffer(&chip, &partition, data, length, 1 + unit_random_below(&random, 3000));
    free(data);
    close_chip(&chip);
  }
}

/* Blank pages are not programmed, so they are not to be counted as written either. */
static void test_blank_pages_without_buffer(void **state)
{
  const struct lb_partition partition = {.offset = 0x10000, .size = 0x2000};
  struct chip chip;
  uint8_t data[1024];

  (void)state;
  open_chip(&chip, false);
  memset(data, 0xFF, sizeof(data));
  data[300] = 0;
  check_without_buffer(&chip, &partition, data, sizeof(data), sizeof(data));
  close_chip(&chip);
}

/* ---- bounds and failures ---- */

static void test_too_long(void **state)
{
  const struct lb_partition partition = {.offset = 0x1000, .size = 0x2000};
  uint8_t buffer[4096];
  uint8_t *data = unit_allocate(0x2001);
  struct chip chip;
  struct lb_writer writer;

  (void)state;
  open_chip(&chip, false);
  for (int with = 0; with < 2; with++) {
    for (uint32_t piece = 1; piece <= 0x2001; piece = piece * 7 + 1) {
      assert_result(lb_writer_start(&writer, &chip.tap.flash, &partition, with ? buffer : NULL), LB_OK);
      assert_result(write_all(&chip, &writer, data, 0x2001, piece), LB_ERR_IMAGE_TOO_LONG);
      assert_int_equal(sim_flash_wear(&chip.sim, 0x3000), 0);
      assert_int_equal(sim_flash_bytes(&chip.sim)[0x3000], 0xFF);
    }
  }
  free(data);
  close_chip(&chip);
}

static void test_start(void **state)
{
  static const struct {
    uint32_t offset, size;
    int result;
  } cases[] = {
      {0x1000, 0x1000, LB_OK},
      {SIZE - 0x1000, 0x1000, LB_OK},
      {0x1100, 0x1000, LB_ERR_TARGET_SECTORS},
      {0x1000, 0x1100, LB_ERR_TARGET_SECTORS},
      {SIZE - 0x1000, 0x2000, LB_ERR_FLASH_BOUNDS},
      {SIZE + 0x1000, 0x1000, LB_ERR_FLASH_BOUNDS},
      {0xFFFFF000U, 0x2000, LB_ERR_FLASH_BOUNDS},
  };
  uint8_t buffer[4096];
  struct chip chip;
  struct lb_writer writer;

  (void)state;
  open_chip(&chip, false);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct lb_partition partition = {.offset = cases[i].offset, .size = cases[i].size};

    assert_result(lb_writer_start(&writer, &chip.tap.flash, &partition, buffer), cases[i].result);
  }
  assert_int_equal(chip.tap.count, 0);
  close_chip(&chip);
}

static void test_failures(void **state)
{
  const struct lb_partition partition = {.offset = 0x10000, .size = 0x20000};
  struct unit_random random = {.state = 5};
  uint8_t buffer[4096];
  uint8_t *data = unit_allocate(0x20000);
  struct chip chip;
  struct lb_writer writer;

  (void)state;
  open_chip(&chip, false);
  unit_random_fill(&random, data, 0x20000);
  for (int with = 0; with < 2; with++) {
    for (int kind = 0; kind < 2 + with; kind++) {
      flash_tap_clear(&chip.tap);
      chip.tap.fail_erase_at = kind == 0 ? 1 : TAP_NEVER;
      chip.tap.fail_program_at = kind == 1 ? 20 : TAP_NEVER;
      chip.tap.fail_read_at = kind == 2 ? 0 : TAP_NEVER;
      assert_result(lb_writer_start(&writer, &chip.tap.flash, &partition, with ? buffer : NULL), LB_OK);
      assert_result(write_all(&chip, &writer, data, 0x20000, 5000), kind == 0   ? LB_ERR_FLASH_ERASE
                                                                    : kind == 1 ? LB_ERR_FLASH_PROGRAM
                                                                                : LB_ERR_FLASH_READ);
    }
  }
  free(data);
  close_chip(&chip);
}

/* ---- parts of a partition ---- */

/* From the third sector of a block on, up to a sector before the end: nothing else is erased or programmed. */
static void test_seek_and_limit(void **state)
{
  const struct lb_partition partition = {.offset = 0x10000, .size = 0x20000};
  struct unit_random random = {.state = 6};
  uint8_t buffer[4096];
  uint8_t *data = unit_allocate(0x1D000);
  struct chip chip;
  struct lb_writer writer;
  uint32_t used;

  (void)state;
  open_chip(&chip, false);
  unit_random_fill(&random, data, 0x1D000);
  for (int with = 0; with < 2; with++) {
    memset(sim_flash_bytes(&chip.sim), 0x5A, SIZE);
    assert_result(lb_writer_start(&writer, &chip.tap.flash, &partition, with ? buffer : NULL), LB_OK);
    assert_result(lb_writer_limit(&writer, 0x2F800), LB_ERR_ARGUMENT);
    assert_result(lb_writer_limit(&writer, 0x31000), LB_ERR_ARGUMENT);
    assert_result(lb_writer_limit(&writer, 0xF000), LB_ERR_ARGUMENT);
    assert_result(lb_writer_limit(&writer, 0x2F000), LB_OK);
    assert_result(lb_writer_seek(&writer, 0x12100), LB_ERR_ARGUMENT);
    assert_result(lb_writer_seek(&writer, 0xF000), LB_ERR_ARGUMENT);
    assert_result(lb_writer_seek(&writer, 0x30000), LB_ERR_ARGUMENT);
    assert_result(lb_writer_seek(&writer, 0x12000), LB_OK);
    assert_result(write_all(&chip, &writer, data, 0x1D000, 5000), LB_OK);
    assert_result(lb_writer_write(&writer, data, 1, &used), LB_ERR_IMAGE_TOO_LONG);
    assert_result(lb_writer_limit(&writer, 0x2F000), LB_ERR_ARGUMENT); /* too late */
    assert_result(lb_writer_seek(&writer, 0x12000), LB_ERR_ARGUMENT);
    assert_memory_equal(sim_flash_bytes(&chip.sim) + 0x12000, data, 0x1D000);
    for (uint32_t at = 0; at < SIZE; at++) {
      assert_true((at >= 0x12000 && at < 0x2F000) || sim_flash_bytes(&chip.sim)[at] == 0x5A);
    }
  }
  free(data);
  close_chip(&chip);
}

/* What is distrusted is erased, though it reads as it should; what lies around it is compared. */
static void test_distrusted(void **state)
{
  const struct lb_partition partition = {.offset = 0x10000, .size = 0x40000};
  struct unit_random random = {.state = 7};
  uint8_t buffer[4096];
  uint8_t *data;
  struct chip chip;
  struct lb_writer writer;

  (void)state;
  open_chip(&chip, false);
  unit_random_fill(&random, sim_flash_bytes(&chip.sim), SIZE);
  data = unit_copy(sim_flash_bytes(&chip.sim) + 0x10000, 0x40000);
  assert_result(lb_writer_start(&writer, &chip.tap.flash, &partition, buffer), LB_OK);
  writer.distrusted = 0x30000;
  writer.distrust_end = 0x40000;
  assert_result(write_all(&chip, &writer, data, 0x40000, 4096), LB_OK);
  assert_int_equal(writer.sectors_kept, 32);
  assert_int_equal(sim_flash_wear(&chip.sim, 0x2F000), 0);
  assert_int_equal(sim_flash_wear(&chip.sim, 0x30000), 1);
  assert_int_equal(sim_flash_wear(&chip.sim, 0x3F000), 1);
  assert_int_equal(sim_flash_wear(&chip.sim, 0x40000), 0);
  assert_memory_equal(sim_flash_bytes(&chip.sim) + 0x10000, data, 0x40000);
  free(data);
  close_chip(&chip);
}

static void test_nothing_written(void **state)
{
  const struct lb_partition partition = {.offset = 0x10000, .size = 0x2000};
  uint8_t buffer[4096];
  struct chip chip;
  struct lb_writer writer;
  uint32_t used = 5;

  (void)state;
  open_chip(&chip, false);
  assert_result(lb_writer_start(&writer, &chip.tap.flash, &partition, buffer), LB_OK);
  assert_result(lb_writer_write(&writer, buffer, 0, &used), LB_OK);
  assert_int_equal(used, 0);
  assert_result(lb_writer_flush(&writer), LB_OK);
  assert_int_equal(chip.tap.count, 0);
  close_chip(&chip);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_miniature),
      cmocka_unit_test(test_random_real),
      cmocka_unit_test(test_one_changed_sector),
      cmocka_unit_test(test_without_buffer),
      cmocka_unit_test(test_blank_pages_without_buffer),
      cmocka_unit_test(test_too_long),
      cmocka_unit_test(test_start),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_seek_and_limit),
      cmocka_unit_test(test_distrusted),
      cmocka_unit_test(test_nothing_written),
  };

  return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
