// SPDX-License-Identifier: MIT
#include "tests/unit/support/fixture.h"

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/unit/support/hashes.h"
#include "tests/unit/support/unit.h"

#define MINIATURE_SLOT 0x4000U
#define ENDLESS        20000000U /* calls, after which an update is taken for one that never ends */

const struct lb_partition *layout_ovms(uint32_t *count)
{
  static const struct lb_partition rows[] = {
      {0x9000, 0x4000, 0, 1, 0x02, "nvs"},       {0xd000, 0x2000, 0, 1, 0x00, "otadata"},
      {0xf000, 0x1000, 0, 1, 0x01, "phy_init"},  {0x10000, 0x400000, 0, 0, 0x00, "factory"},
      {0x410000, 0x400000, 0, 0, 0x10, "ota_0"}, {0x810000, 0x400000, 0, 0, 0x11, "ota_1"},
      {0xc10000, 0x100000, 0, 1, 0x81, "store"},
  };

  *count = sizeof(rows) / sizeof(rows[0]);
  return rows;
}

const struct lb_partition *layout_7m(uint32_t *count)
{
  static const struct lb_partition rows[] = {
      {0x9000, 0x4000, 0, 1, 0x02, "nvs"},       {0xd000, 0x2000, 0, 1, 0x00, "otadata"},
      {0xf000, 0x1000, 0, 1, 0x01, "phy_init"},  {0x10000, 0x700000, 0, 0, 0x10, "ota_0"},
      {0x710000, 0x700000, 0, 0, 0x11, "ota_1"}, {0xe10000, 0x1f0000, 0, 1, 0x81, "store"},
  };

  *count = sizeof(rows) / sizeof(rows[0]);
  return rows;
}

void fixture_open(struct fixture *fixture, const struct sim_geometry *geometry, const struct lb_partition *rows,
                  uint32_t count)
{
  memset(fixture, 0, sizeof(*fixture));
  assert_result(sim_flash_open_memory(&fixture->flash, geometry), LB_OK);
  flash_tap_start(&fixture->tap, &fixture->flash.driver);
  lb_table_start(&fixture->table);
  for (uint32_t i = 0; i < count; i++) {
    assert_result(lb_table_add(&fixture->table, &rows[i]), LB_OK);
  }
  assert_result(lb_table_finish(&fixture->table, geometry->size, unit_md5()), LB_OK);
  memcpy(fixture_bytes(fixture) + LB_TABLE_ADDRESS, fixture->table.bytes, LB_TABLE_SIZE);
  memcpy(fixture_bytes(fixture) + LB_TABLE_COPY_ADDRESS, fixture->table.bytes, LB_TABLE_SIZE);
  fixture->device = (struct lb_device){
      .flash = &fixture->tap.flash,
      .sha256 = unit_sha256(),
      .md5 = unit_md5(),
      .table = &fixture->table,
      .chip = lb_chip_by_name("esp32"),
      .revision = 300,
  };
}

void fixture_open_ovms(struct fixture *fixture)
{
  const struct sim_geometry geometry = sim_geometry_real(16U << 20);
  uint32_t count;
  const struct lb_partition *rows = layout_ovms(&count);

  fixture_open(fixture, &geometry, rows, count);
}

void fixture_open_7m(struct fixture *fixture)
{
  const struct sim_geometry geometry = sim_geometry_real(16U << 20);
  uint32_t count;
  const struct lb_partition *rows = layout_7m(&count);

  fixture_open(fixture, &geometry, rows, count);
}

void fixture_open_miniature(struct fixture *fixture, bool factory, uint32_t slots)
{
  struct sim_geometry geometry = sim_geometry_miniature((2 + slots) * 0x10000);
  struct lb_partition rows[19] = {{0x9000, 0x4000, 0, 1, 0x02, "nvs"}, {0xd000, 0x2000, 0, 1, 0x00, "otadata"}};
  uint32_t count = 2;

  assert_true(slots <= 16);
  if (factory) {
    rows[count++] = (struct lb_partition){0x10000, MINIATURE_SLOT, 0, 0, 0x00, "factory"};
  }
  for (uint32_t i = 0; i < slots; i++) {
    struct lb_partition *slot = &rows[count++];

    *slot = (struct lb_partition){(2 + i) * 0x10000, MINIATURE_SLOT, 0, 0, (uint8_t)(0x10 + i), ""};
    snprintf(slot->label, sizeof(slot->label), "ota_%u", (unsigned)i);
  }
  fixture_open(fixture, &geometry, rows, count);
}

void fixture_close(struct fixture *fixture)
{
  flash_tap_stop(&fixture->tap);
  sim_flash_close(&fixture->flash);
}

uint8_t *fixture_bytes(struct fixture *fixture)
{
  return sim_flash_bytes(&fixture->flash);
}

struct lb_partition fixture_partition(struct fixture *fixture, const char *label)
{
  struct lb_partition partition;

  assert_result(lb_table_find_label(&fixture->table, label, &partition), LB_OK);
  return partition;
}

void fixture_put_image(struct fixture *fixture, const char *label, const struct built_image *image)
{
  struct lb_partition partition = fixture_partition(fixture, label);

  assert_true(image->length <= partition.size);
  memset(fixture_bytes(fixture) + partition.offset, 0xFF, partition.size);
  memcpy(fixture_bytes(fixture) + partition.offset, image->bytes, image->length);
}

void fixture_put_made(struct fixture *fixture, const char *label, uint32_t seed, uint32_t length)
{
  struct built_image image;

  image_make(&image, seed, length, "3.3.001");
  fixture_put_image(fixture, label, &image);
  image_free(&image);
}

static uint8_t *record_bytes(struct fixture *fixture, uint32_t index)
{
  return fixture_bytes(fixture) + fixture_partition(fixture, "otadata").offset + index * 0x1000;
}

void fixture_put_record(struct fixture *fixture, uint32_t index, uint32_t sequence, uint32_t state)
{
  uint8_t *record = record_bytes(fixture, index);

  fixture_blank_record(fixture, index);
  lb_store_le32(record, sequence);
  lb_store_le32(record + 24, state);
  lb_store_le32(record + 28, lb_crc32(0xFFFFFFFFU, record, 4));
}

void fixture_blank_record(struct fixture *fixture, uint32_t index)
{
  memset(record_bytes(fixture, index), 0xFF, 0x1000);
}

uint8_t *fixture_snapshot(struct fixture *fixture)
{
  return unit_copy(fixture_bytes(fixture), fixture->flash.driver.size);
}

void fixture_restore(struct fixture *fixture, const uint8_t *snapshot)
{
  memcpy(fixture_bytes(fixture), snapshot, fixture->flash.driver.size);
}

bool fixture_same(struct fixture *fixture, const uint8_t *snapshot, uint32_t offset, uint32_t length)
{
  return memcmp(fixture_bytes(fixture) + offset, snapshot + offset, length) == 0;
}

const char *fixture_selected(struct fixture *fixture)
{
  static char label[LB_LABEL_SIZE];
  struct lb_partition selected;
  struct lb_otadata otadata;

  assert_result(lb_otadata_read(&otadata, &fixture->device), LB_OK);
  if (lb_otadata_selected(&otadata, &fixture->table, &selected) != LB_OK) {
    return "nothing";
  }
  memcpy(label, selected.label, sizeof(label));
  return label;
}

int fixture_boot(struct fixture *fixture, struct lb_boot_decision *decision)
{
  static struct lb_table table;
  static struct lb_verify verify;
  struct lb_device device = fixture->device;

  return lb_boot(&device, &table, &verify, NULL, LB_RESET_POWER_ON, decision);
}

/* Since `programs` and `erases` were read from the tap: at most one of each. */
static void assert_bounded(const struct fixture *fixture, uint32_t programs, uint32_t erases)
{
  if (fixture->tap.programs - programs > 1 || fixture->tap.erases - erases > 1) {
    fail_here("one call did %u programs and %u erases", (unsigned)(fixture->tap.programs - programs),
              (unsigned)(fixture->tap.erases - erases));
  }
}

static int push_all(struct fixture *fixture, struct lb_update *update, const uint8_t *bytes, uint32_t length,
                    uint32_t piece)
{
  uint32_t at = 0;

  for (uint32_t calls = 0; at < length; calls++) {
    uint32_t here = length - at < piece ? length - at : piece;
    uint32_t programs = fixture->tap.programs;
    uint32_t erases = fixture->tap.erases;
    uint32_t used;
    int result = lb_update_write(update, bytes + at, here, &used);

    assert_bounded(fixture, programs, erases);
    if (result != LB_OK) {
      return result;
    }
    assert_true(used <= here && calls < ENDLESS);
    at += used;
  }
  return LB_OK;
}

int fixture_update(struct fixture *fixture, const struct lb_update_config *config, const uint8_t *bytes,
                   uint32_t length, uint32_t piece, struct lb_update *update)
{
  struct lb_update own;
  struct lb_update *session = update ? update : &own;
  int result = lb_update_start(session, config);

  if (result == LB_OK) {
    result = push_all(fixture, session, bytes, length, piece);
  }
  if (result != LB_OK) {
    return result;
  }
  for (uint32_t calls = 0;; calls++) {
    uint32_t programs = fixture->tap.programs;
    uint32_t erases = fixture->tap.erases;

    result = lb_update_finish(session);
    assert_bounded(fixture, programs, erases);
    if (result != LB_MORE) {
      return result;
    }
    assert_true(calls < ENDLESS);
  }
}

struct lb_update_config fixture_config(struct fixture *fixture, const char *running, const char *target)
{
  return (struct lb_update_config){
      .device = &fixture->device,
      .running = fixture_partition(fixture, running),
      .target = fixture_partition(fixture, target),
      .size = LB_SIZE_UNKNOWN,
      .sector_buffer = fixture->sector,
  };
}
