// SPDX-License-Identifier: MIT
#include "tests/unit/support/nvs_pages.h"

#include "tests/unit/support/unit.h"

#define PAGE 4096U

/* ---- the flash ---- */

void nvs_flash_open(struct nvs_flash *flash, uint32_t pages, bool tapped)
{
  struct sim_geometry geometry = sim_geometry_real((pages + 2U) * PAGE);

  memset(flash, 0, sizeof(*flash));
  assert_result(sim_flash_open_memory(&flash->flash, &geometry), LB_OK);
  flash->partition = (struct lb_partition){
      .offset = PAGE, .size = pages * PAGE, .type = LB_TYPE_DATA, .subtype = LB_SUBTYPE_NVS, .label = "nvs"};
  flash->tapped = tapped;
  if (tapped) {
    flash_tap_start(&flash->tap, &flash->flash.driver);
  }
  memset(sim_flash_bytes(&flash->flash), 0xA5, PAGE);
  memset(sim_flash_bytes(&flash->flash) + PAGE + flash->partition.size, 0x5A, PAGE);
}

void nvs_flash_close(struct nvs_flash *flash)
{
  nvs_flash_check_guards(flash);
  if (flash->tapped) {
    flash_tap_stop(&flash->tap);
  }
  sim_flash_close(&flash->flash);
}

uint8_t *nvs_flash_bytes(struct nvs_flash *flash)
{
  return sim_flash_bytes(&flash->flash) + flash->partition.offset;
}

uint32_t nvs_flash_size(const struct nvs_flash *flash)
{
  return flash->partition.size;
}

const struct lb_flash *nvs_flash_driver(struct nvs_flash *flash)
{
  return flash->tapped ? &flash->tap.flash : &flash->flash.driver;
}

void nvs_flash_check_guards(struct nvs_flash *flash)
{
  const uint8_t *bytes = sim_flash_bytes(&flash->flash);

  for (uint32_t i = 0; i < PAGE; i++) {
    if (bytes[i] != 0xA5 || bytes[PAGE + flash->partition.size + i] != 0x5A) {
      fail_here("byte %u beside the partition was changed", i);
    }
  }
}

void nvs_flash_settings(struct nvs_flash *flash, struct lb_nvs *nvs, bool writable)
{
  assert_result(lb_nvs_open(nvs, nvs_flash_driver(flash), &flash->partition, writable), LB_OK);
}

/* ---- bytes ---- */

static void store(uint8_t *bytes, uint64_t value, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    bytes[i] = (uint8_t)(value >> (8 * i));
  }
}

/* The register begins at 0, and there is an inversion only at the end: bit by bit, as the format page says it. */
static uint32_t crc_of(uint32_t crc, const uint8_t *bytes, uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) {
      crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
    }
  }
  return crc;
}

void nvs_page_seal(uint8_t *page)
{
  store(page + 28, ~crc_of(0, page + 4, 24), 4);
}

void nvs_item_seal(uint8_t *entry)
{
  store(entry + 4, ~crc_of(crc_of(0, entry, 4), entry + 8, 24), 4);
}

void nvs_page_begin(uint8_t *page, uint32_t state, uint32_t sequence, uint8_t version)
{
  memset(page, 0xFF, PAGE);
  store(page, state, 4);
  store(page + 4, sequence, 4);
  page[8] = version;
  nvs_page_seal(page);
}

uint8_t *nvs_page_entry(uint8_t *page, uint32_t index)
{
  assert_true(index < 126);
  return page + 64 + (size_t)index * 32;
}

void nvs_page_set_state(uint8_t *page, uint32_t index, uint32_t state)
{
  uint32_t shift = index % 4 * 2;

  assert_true(index < 126);
  page[32 + index / 4] = (uint8_t)((page[32 + index / 4] & ~(3U << shift)) | state << shift);
}

static uint8_t *put(uint8_t *page, uint32_t index, uint8_t space, const char *key, uint8_t type, uint32_t span)
{
  uint8_t *entry = nvs_page_entry(page, index);

  memset(entry, 0xFF, 32);
  memset(entry + 8, 0, 16);
  entry[0] = space;
  entry[1] = type;
  entry[2] = (uint8_t)span;
  memcpy(entry + 8, key, strlen(key));
  for (uint32_t i = 0; i < span; i++) {
    nvs_page_set_state(page, index + i, 2);
  }
  return entry;
}

uint32_t nvs_page_integer(uint8_t *page, uint32_t index, uint8_t space, const char *key, uint8_t type, uint64_t bits)
{
  uint8_t *entry = put(page, index, space, key, type, 1);

  store(entry + 24, bits, type & 15U);
  nvs_item_seal(entry);
  return index + 1;
}

uint32_t nvs_page_data(uint8_t *page, uint32_t index, uint8_t space, const char *key, uint8_t type, uint8_t chunk,
                       const void *data, uint32_t length)
{
  uint32_t span = 1 + (length + 31) / 32;
  uint8_t *entry = put(page, index, space, key, type, span);

  assert_true(index + span <= 126);
  entry[3] = chunk;
  store(entry + 24, length, 2);
  store(entry + 28, ~crc_of(0, data, length), 4);
  memcpy(entry + 32, data, length);
  nvs_item_seal(entry);
  return index + span;
}

uint32_t nvs_page_index(uint8_t *page, uint32_t index, uint8_t space, const char *key, uint32_t size, uint8_t count,
                        uint8_t start)
{
  uint8_t *entry = put(page, index, space, key, 0x48, 1);

  store(entry + 24, size, 4);
  entry[28] = count;
  entry[29] = start;
  nvs_item_seal(entry);
  return index + 1;
}

uint32_t nvs_page_string(uint8_t *page, uint32_t index, uint8_t space, const char *key, const char *text)
{
  return nvs_page_data(page, index, space, key, 0x21, 0xFF, text, (uint32_t)strlen(text) + 1);
}
