// SPDX-License-Identifier: MIT
/* Settings in the flash: pages, their headers and bitmaps. */
#include <string.h>

#include "lib/nvs_parts.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"

#define HEADER        32U
#define STATE_ACTIVE  0xFFFFFFFEU
#define STATE_FULL    0xFFFFFFFCU
#define STATE_FREEING 0xFFFFFFF8U
#define SEQUENCE      4U
#define VERSION       8U
#define CRC           28U
#define VERSION_2     0xFEU /* versions count down; 0xFF is the first */
#define CRC_START     0xFFFFFFFFU

uint32_t nvs_page_address(const struct lb_nvs *nvs, uint32_t page)
{
  return nvs->offset + page * LB_NVS_PAGE_SIZE;
}

uint32_t nvs_entry_address(const struct lb_nvs *nvs, uint32_t page, uint32_t index)
{
  return nvs_page_address(nvs, page) + NVS_FIRST_ENTRY + index * NVS_ENTRY;
}

int nvs_program(struct lb_nvs *nvs, uint32_t address, const void *data, uint32_t length)
{
  bool equal = false;
  int err = lb_flash_program(nvs->flash, address, data, length);
  err = err ? err : lb_flash_equals(nvs->flash, address, data, length, &equal);
  if (err == LB_OK && !equal) {
    err = LB_ERR_READ_BACK;
  }
  nvs->failed = nvs->failed || err;
  return err;
}

/* ---- headers ---- */

static uint8_t state_of(uint32_t word)
{
  switch (word) {
  case STATE_ACTIVE:
    return NVS_PAGE_ACTIVE;
  case STATE_FULL:
    return NVS_PAGE_FULL;
  case STATE_FREEING:
    return NVS_PAGE_FREEING;
  default:
    return NVS_PAGE_FREE;
  }
}

static int load_page(struct lb_nvs *nvs, uint32_t page)
{
  uint8_t header[HEADER];
  int err = lb_flash_read(nvs->flash, nvs_page_address(nvs, page), header, sizeof(header));
  if (err) {
    return err;
  }
  uint8_t state = state_of(lb_load_le32(header));
  bool intact = lb_load_le32(header + CRC) == lb_crc32(CRC_START, header + SEQUENCE, CRC - SEQUENCE);
  nvs->pages[page].sequence = lb_load_le32(header + SEQUENCE);
  nvs->pages[page].state = intact ? state : NVS_PAGE_FREE;
  return intact && state != NVS_PAGE_FREE && header[VERSION] < VERSION_2 ? LB_ERR_NVS_NEW_VERSION : LB_OK;
}

int nvs_pages_load(struct lb_nvs *nvs)
{
  for (uint32_t page = 0; page < nvs->page_count; page++) {
    int err = load_page(nvs, page);
    if (err) {
      return err;
    }
  }
  uint32_t newest = nvs_page_newest(nvs);
  bool open = newest < nvs->page_count && nvs->pages[newest].state == NVS_PAGE_ACTIVE;
  nvs->active = open ? newest : nvs->page_count;
  return LB_OK;
}

bool nvs_page_is_newer(const struct lb_nvs *nvs, uint32_t a, uint32_t b)
{
  uint32_t of_a = nvs->pages[a].sequence;
  uint32_t of_b = nvs->pages[b].sequence;
  return of_a > of_b || (of_a == of_b && a > b);
}

uint32_t nvs_page_newest(const struct lb_nvs *nvs)
{
  uint32_t newest = nvs->page_count;
  for (uint32_t page = 0; page < nvs->page_count; page++) {
    if (nvs->pages[page].state != NVS_PAGE_FREE &&
        (newest == nvs->page_count || nvs_page_is_newer(nvs, page, newest))) {
      newest = page;
    }
  }
  return newest;
}

uint32_t nvs_pages_count(const struct lb_nvs *nvs, enum nvs_page_state state)
{
  uint32_t count = 0;
  for (uint32_t page = 0; page < nvs->page_count; page++) {
    count += nvs->pages[page].state == state ? 1U : 0U;
  }
  return count;
}

int nvs_page_mark(struct lb_nvs *nvs, uint32_t page, enum nvs_page_state state)
{
  uint8_t word[4];
  lb_store_le32(word, state == NVS_PAGE_FULL ? STATE_FULL : STATE_FREEING);
  int err = nvs_program(nvs, nvs_page_address(nvs, page), word, sizeof(word));
  if (err) {
    return err;
  }
  nvs->pages[page].state = (uint8_t)state;
  if (nvs->active == page) {
    nvs->active = nvs->page_count;
  }
  return LB_OK;
}

/* ---- taking turns ---- */

static int erase_page(struct lb_nvs *nvs, uint32_t page)
{
  uint32_t address = nvs_page_address(nvs, page);
  uint32_t erased = 0; /* all of the page, since it is aligned to itself and one of the sizes: lb_nvs_open looked */
  if (nvs->erases_left == 0) {
    return LB_MORE;
  }
  nvs->erases_left--;
  int err = lb_flash_erase_one(nvs->flash, address, address + LB_NVS_PAGE_SIZE, &erased);
  err = err ? err : lb_flash_is_blank(nvs->flash, address, LB_NVS_PAGE_SIZE, &nvs->pages[page].blank);
  if (err == LB_OK && !nvs->pages[page].blank) {
    err = LB_ERR_READ_BACK;
  }
  nvs->failed = nvs->failed || err;
  return err;
}

uint32_t nvs_page_next_free(const struct lb_nvs *nvs)
{
  uint32_t newest = nvs_page_newest(nvs);
  uint32_t start = newest < nvs->page_count ? newest + 1U : 0;
  uint32_t found = nvs->page_count;
  for (uint32_t i = 0; i < nvs->page_count; i++) {
    uint32_t page = (start + i) % nvs->page_count;
    if (nvs->pages[page].state == NVS_PAGE_FREE && (nvs->erases_left > 0 || nvs->pages[page].blank)) {
      return page;
    }
    if (nvs->pages[page].state == NVS_PAGE_FREE && found == nvs->page_count) {
      found = page;
    }
  }
  return found;
}

int nvs_page_prepare(struct lb_nvs *nvs, uint32_t page)
{
  bool *blank = &nvs->pages[page].blank;
  int err = *blank ? LB_OK : lb_flash_is_blank(nvs->flash, nvs_page_address(nvs, page), LB_NVS_PAGE_SIZE, blank);
  return err == LB_OK && !*blank ? erase_page(nvs, page) : err;
}

int nvs_page_activate(struct lb_nvs *nvs, uint32_t page)
{
  uint32_t newest = nvs_page_newest(nvs);
  uint32_t sequence = newest < nvs->page_count ? nvs->pages[newest].sequence + 1U : 0;
  uint8_t header[HEADER];
  if (newest < nvs->page_count && sequence == 0) {
    return LB_ERR_NVS_INVALID_STATE; /* the numbers are used up, which takes some billion pages */
  }
  int err = nvs_page_prepare(nvs, page);
  if (err) {
    return err;
  }
  memset(header, 0xFF, sizeof(header));
  lb_store_le32(header, STATE_ACTIVE);
  lb_store_le32(header + SEQUENCE, sequence);
  header[VERSION] = VERSION_2;
  lb_store_le32(header + CRC, lb_crc32(CRC_START, header + SEQUENCE, CRC - SEQUENCE));
  err = nvs_program(nvs, nvs_page_address(nvs, page), header, sizeof(header));
  if (err == LB_OK) {
    nvs->pages[page].sequence = sequence;
    nvs->pages[page].state = NVS_PAGE_ACTIVE;
    nvs->pages[page].blank = false;
    nvs->active = page;
  }
  return err;
}

/*
 * The erase itself can be cut, and then a page may look like anything: even like itself some time ago, with entries
 * that were erased since. So its CRC goes first: no page is in use that has none, whatever the rest of it looks like.
 */
int nvs_page_retire(struct lb_nvs *nvs, uint32_t page)
{
  static const uint8_t no_crc[4] = {0, 0, 0, 0};
  int err = nvs_program(nvs, nvs_page_address(nvs, page) + CRC, no_crc, sizeof(no_crc));
  if (err) {
    return err;
  }
  nvs->pages[page].state = NVS_PAGE_FREE;
  if (nvs->active == page) {
    nvs->active = nvs->page_count;
  }
  return nvs->erases_left > 0 ? erase_page(nvs, page) : LB_OK;
}

/* ---- bitmaps ---- */

int nvs_bitmap_read(const struct lb_nvs *nvs, uint32_t page, uint8_t bitmap[NVS_BITMAP])
{
  return lb_flash_read(nvs->flash, nvs_page_address(nvs, page) + NVS_BITMAP, bitmap, NVS_BITMAP);
}

enum nvs_entry_state nvs_bitmap_get(const uint8_t bitmap[NVS_BITMAP], uint32_t index)
{
  return (enum nvs_entry_state)((unsigned)bitmap[index / 4U] >> (index % 4U * 2U) & 3U);
}

uint32_t nvs_bitmap_count(const uint8_t bitmap[NVS_BITMAP], enum nvs_entry_state state)
{
  uint32_t count = 0;
  for (uint32_t i = 0; i < NVS_ENTRIES; i++) {
    count += nvs_bitmap_get(bitmap, i) == state ? 1U : 0U;
  }
  return count;
}

uint32_t nvs_bitmap_tail(const uint8_t bitmap[NVS_BITMAP])
{
  uint32_t tail = NVS_ENTRIES;
  while (tail > 0 && nvs_bitmap_get(bitmap, tail - 1U) == NVS_ENTRY_EMPTY) {
    tail--;
  }
  return tail;
}

/* Are all bits that `wanted` has clear now clear on the flash? */
static int check_marks(const struct lb_nvs *nvs, uint32_t page, const uint8_t wanted[NVS_BITMAP])
{
  uint8_t bitmap[NVS_BITMAP];
  int err = nvs_bitmap_read(nvs, page, bitmap);
  for (uint32_t i = 0; err == LB_OK && i < NVS_BITMAP; i++) {
    if ((bitmap[i] & ~(unsigned)wanted[i]) != 0) {
      err = LB_ERR_READ_BACK;
    }
  }
  return err;
}

/* Programs `state` over the entries from `begin` to before `end`, and no other bytes than theirs. */
static int mark(struct lb_nvs *nvs, uint32_t page, uint32_t begin, uint32_t end, enum nvs_entry_state state)
{
  uint8_t bitmap[NVS_BITMAP];
  if (begin >= end) {
    return LB_OK;
  }
  memset(bitmap, 0xFF, sizeof(bitmap));
  for (uint32_t i = begin; i < end; i++) {
    bitmap[i / 4U] &= (uint8_t) ~((~(unsigned)state & 3U) << (i % 4U * 2U));
  }
  uint32_t first = begin / 4U;
  uint32_t length = (end - 1U) / 4U - first + 1U;
  uint32_t address = nvs_page_address(nvs, page) + NVS_BITMAP + first;
  int err = lb_flash_program(nvs->flash, address, bitmap + first, length);
  err = err ? err : check_marks(nvs, page, bitmap);
  nvs->failed = nvs->failed || err;
  return err;
}

int nvs_bitmap_written(struct lb_nvs *nvs, uint32_t page, uint32_t begin, uint32_t end)
{
  return mark(nvs, page, begin, end, NVS_ENTRY_WRITTEN);
}

/*
 * From written to erased one bit has to go, from empty to erased two; and if a cut left only one of them, it must not
 * be the one that makes an entry written. So that one goes last, where entries are empty.
 */
int nvs_bitmap_erased(struct lb_nvs *nvs, uint32_t page, uint32_t begin, uint32_t end)
{
  uint8_t bitmap[NVS_BITMAP];
  int err = nvs_bitmap_read(nvs, page, bitmap);
  err = err ? err : mark(nvs, page, begin, end, NVS_ENTRY_ILLEGAL);
  for (uint32_t i = begin; err == LB_OK && i < end; i++) {
    enum nvs_entry_state state = nvs_bitmap_get(bitmap, i);
    if (state == NVS_ENTRY_EMPTY || state == NVS_ENTRY_ILLEGAL) {
      return mark(nvs, page, begin, end, NVS_ENTRY_ERASED);
    }
  }
  return err;
}
