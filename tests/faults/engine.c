// SPDX-License-Identifier: MIT
/* The module of a scenario, as it is at the beginning. */
#include "tests/faults/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "tests/faults/explore.h"

#define APP_ALIGNMENT  0x10000U
#define MINIATURE_SLOT 0x4000U
#define FIRST_DATA     0x9000U
#define REAL_SIZE      (16U << 20)

static void must(bool done)
{
  if (!done) {
    abort();
  }
}

static struct sim_geometry geometry_of(const struct scenario *scenario)
{
  if (scenario->geometry == GEOMETRY_REAL) {
    return sim_geometry_real(REAL_SIZE);
  }
  struct sim_geometry geometry = sim_geometry_miniature((SLOTS + 1) * APP_ALIGNMENT);
  if (scenario->geometry == GEOMETRY_SETTINGS) {
    geometry.erase_sizes[0] = 4096;
    geometry.erase_sizes[1] = 8192;
  }
  return geometry;
}

static uint32_t slot_size(const struct scenario *scenario)
{
  if (scenario->geometry != GEOMETRY_REAL) {
    return scenario->geometry == GEOMETRY_SETTINGS ? 2 * MINIATURE_SLOT : MINIATURE_SLOT;
  }
  return scenario->layout == LAYOUT_7M ? 0x700000U : scenario->layout == LAYOUT_THREE ? 0x300000U : 0x400000U;
}

/* The partitions of the format page; in the miniature geometries each app begins at the next 64 KB. */
static void lay_out(struct engine *engine)
{
  static const char *const labels[SLOTS] = {"factory", "ota_0", "ota_1", "ota_2"};
  const struct scenario *scenario = engine->scenario;
  const uint32_t size = slot_size(scenario);
  const uint32_t first = scenario->layout == LAYOUT_7M ? SLOT_OTA(0) : SLOT_FACTORY;
  const uint32_t last = scenario->layout == LAYOUT_THREE ? SLOT_OTA(2) : SLOT_OTA(1);
  uint32_t offset = APP_ALIGNMENT;
  engine->nvs = (struct lb_partition){FIRST_DATA, 0x4000, 0, LB_TYPE_DATA, LB_SUBTYPE_NVS, "nvs"};
  engine->otadata = (struct lb_partition){0xd000, LB_OTADATA_SIZE, 0, LB_TYPE_DATA, LB_SUBTYPE_OTADATA, "otadata"};
  for (uint32_t slot = first; slot <= last; slot++) {
    struct lb_partition *partition = &engine->slots[slot];
    *partition = (struct lb_partition){.offset = offset, .size = size, .type = LB_TYPE_APP};
    partition->subtype = (uint8_t)(slot == SLOT_FACTORY ? 0U : LB_SUBTYPE_OTA_0 + slot - 1U);
    memcpy(partition->label, labels[slot], strlen(labels[slot]) + 1);
    offset += size < APP_ALIGNMENT ? APP_ALIGNMENT : size;
  }
}

static void put_table(struct engine *engine)
{
  struct mbedtls_hash state;
  struct lb_hash md5;
  struct lb_table table;
  mbedtls_hash_md5(&md5, &state);
  lb_table_start(&table);
  must(lb_table_add(&table, &engine->nvs) == LB_OK && lb_table_add(&table, &engine->otadata) == LB_OK);
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    must(engine->slots[slot].size == 0 || lb_table_add(&table, &engine->slots[slot]) == LB_OK);
  }
  must(lb_table_finish(&table, engine->chip.driver.size, &md5) == LB_OK);
  memcpy(engine->chip.bytes + LB_TABLE_ADDRESS, table.bytes, LB_TABLE_SIZE);
  memcpy(engine->chip.bytes + LB_TABLE_COPY_ADDRESS, table.bytes, LB_TABLE_SIZE);
}

static void put_images(struct engine *engine)
{
  const struct scenario *scenario = engine->scenario;
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    const struct built_image *image = &engine->images.built[scenario->content[slot]];
    uint8_t *to = engine->chip.bytes + engine->slots[slot].offset;
    if (scenario->content[slot] == IMAGE_NONE) {
      continue;
    }
    must(image->length <= engine->slots[slot].size);
    memcpy(to, image->bytes, image->length);
    if (slot == scenario->broken) {
      to[image->length / 2] ^= 4U;
    }
  }
}

/* Records as ESP-IDF's tools leave them: without anything behind them. */
static void put_records(struct engine *engine)
{
  for (uint32_t i = 0; i < 2; i++) {
    const struct record_plan *plan = &engine->scenario->records[i];
    uint8_t *record = engine->chip.bytes + engine->otadata.offset + i * (engine->otadata.size / 2);
    if (plan->sequence != 0) {
      lb_store_le32(record, plan->sequence);
      lb_store_le32(record + 24, plan->state);
      lb_store_le32(record + 28, lb_crc32(0xFFFFFFFFU, record, 4));
    }
  }
}

/* Another key each time for some of them, lest a page has nothing but what is outdated. */
static void put_settings(struct engine *engine)
{
  static struct lb_nvs nvs;
  for (uint32_t i = 0; i < engine->scenario->settings; i++) {
    char key[LB_NVS_NAME_SIZE];
    int result = LB_MORE;
    (void)snprintf(key, sizeof key, "key.%u", (unsigned)(i % 3 == 0 ? i / 3 % 40 : 40));
    must(lb_nvs_open(&nvs, &engine->chip.driver, &engine->nvs, true) == LB_OK);
    while (result == LB_MORE) {
      result = lb_nvs_set_integer(&nvs, "ota", key, LB_NVS_U32, i);
    }
    must(result == LB_OK);
  }
}

/* Those that the script asks for. */
static void put_patches(struct engine *engine)
{
  for (uint32_t i = 0; i < engine->scenario->steps; i++) {
    const struct step *step = &engine->scenario->script[i];
    if (step->profile != 0) {
      (void)patches_get(&engine->patches, &engine->images, step->base, step->image, step->profile);
    }
  }
}

void engine_open(struct engine *engine, const struct scenario *scenario)
{
  const struct sim_geometry geometry = geometry_of(scenario);
  memset(engine, 0, sizeof *engine);
  engine->scenario = scenario;
  engine->shards = 1;
  engine->part = 1;
  engine->depth = 1;
  must(sim_flash_open_memory(&engine->chip, &geometry) == LB_OK);
  images_build(&engine->images, scenario->geometry == GEOMETRY_REAL,
               slot_size(scenario) < 300000 ? slot_size(scenario) : 300000);
  put_patches(engine);
  lay_out(engine);
  put_table(engine);
  put_images(engine);
  put_records(engine);
  put_settings(engine);
  engine->reference = malloc(geometry.size);
  must(engine->reference != NULL);
  memcpy(engine->reference, engine->chip.bytes, geometry.size);
  for (uint32_t level = 0; level <= MAX_DEPTH; level++) {
    engine->runs[level] = run_new(engine, level);
  }
}

void engine_close(struct engine *engine)
{
  for (uint32_t level = 0; level <= MAX_DEPTH; level++) {
    run_free(engine->runs[level]);
  }
  free(engine->reference);
  patches_free(&engine->patches);
  images_free(&engine->images);
  sim_flash_close(&engine->chip);
}
