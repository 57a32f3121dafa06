// SPDX-License-Identifier: MIT
/*
 * Pages of an nvs partition, made byte by byte from docs/SPEC.md: it shares no code with lib/nvs_*.c, so that the two
 * check each other. And a flash with a partition to put them on.
 */
#ifndef TESTS_UNIT_SUPPORT_NVS_PAGES_H
#define TESTS_UNIT_SUPPORT_NVS_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/nvs.h"
#include "ports/sim/flash.h"
#include "tests/unit/support/flash_tap.h"

#define NVS_PAGE_ACTIVE_WORD  0xFFFFFFFEU
#define NVS_PAGE_FULL_WORD    0xFFFFFFFCU
#define NVS_PAGE_FREEING_WORD 0xFFFFFFF8U

/* A flash of the partition's pages, with a guard of one page before and behind it that must stay as it is. */
struct nvs_flash {
  struct sim_flash flash;
  struct flash_tap tap; /* what the library sees, if `tapped` */
  bool tapped;
  struct lb_partition partition;
};

void nvs_flash_open(struct nvs_flash *flash, uint32_t pages, bool tapped);
void nvs_flash_close(struct nvs_flash *flash);
uint8_t *nvs_flash_bytes(struct nvs_flash *flash); /* of the partition */
uint32_t nvs_flash_size(const struct nvs_flash *flash);
const struct lb_flash *nvs_flash_driver(struct nvs_flash *flash);

/* Are the guards untouched? */
void nvs_flash_check_guards(struct nvs_flash *flash);

/* Opens with these settings; the result has to be LB_OK. */
void nvs_flash_settings(struct nvs_flash *flash, struct lb_nvs *nvs, bool writable);

/* ---- bytes ---- */

/* Begins a page at `page`, 4096 bytes of it. */
void nvs_page_begin(uint8_t *page, uint32_t state, uint32_t sequence, uint8_t version);

/* Makes the CRC of a header, or of an item's header, right. */
void nvs_page_seal(uint8_t *page);
void nvs_item_seal(uint8_t *entry);

/* The entry at an index, and its two bits. */
uint8_t *nvs_page_entry(uint8_t *page, uint32_t index);
void nvs_page_set_state(uint8_t *page, uint32_t index, uint32_t state);

/* Puts an item at `index`, marked as written; returns the index behind it. Chunk 0xFF: none. */
uint32_t nvs_page_integer(uint8_t *page, uint32_t index, uint8_t space, const char *key, uint8_t type, uint64_t bits);
uint32_t nvs_page_data(uint8_t *page, uint32_t index, uint8_t space, const char *key, uint8_t type, uint8_t chunk,
                       const void *data, uint32_t length);
uint32_t nvs_page_index(uint8_t *page, uint32_t index, uint8_t space, const char *key, uint32_t size, uint8_t count,
                        uint8_t start);
uint32_t nvs_page_string(uint8_t *page, uint32_t index, uint8_t space, const char *key, const char *text);

#endif
