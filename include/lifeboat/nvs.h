// SPDX-License-Identifier: MIT
/*
 * Settings in the flash: a partition in ESP-IDF's NVS format, version 2 (docs/SPEC.md, "nvs"), which ESP-IDF reads and
 * which is read when ESP-IDF, or its nvs_partition_gen, has written it (version 1, too).
 *
 * A setting has a namespace and a key, of 1 to 15 bytes each, and a value: an integer, a string or a blob. Within a
 * namespace a key is there once, whatever its type: setting it with another type replaces it.
 *
 * Written is what changed, and nothing where the value is there already (but the first call after opening marks what
 * was written last once more, since a cut may have left that mark weak). A new value is written beside the old one, and
 * only then is the old one marked erased. So a cut at any moment leaves the old value or the new one, and all other
 * settings as they were; when lb_nvs_set_... has returned LB_OK, the new one stays. The pages of 4096 bytes take turns,
 * one is always free. If all others are full, the one with the most to gain (the oldest among equals) is copied to the
 * free one without what was erased.
 *
 * A call erases at most one sector and copies at most one page. Where that is not enough it returns LB_MORE: the caller
 * calls again with the same arguments. Until then the setting has its old value.
 *
 *   struct lb_nvs nvs;
 *   int result = lb_nvs_open(&nvs, flash, &partition, true);
 *   do {
 *     result = lb_nvs_set_string(&nvs, "ota", "tag", "main");
 *   } while (result == LB_MORE);
 *
 * Every function may return LB_ERR_FLASH_...; when that happens while something is written, or when the flash does not
 * hold what was written to it (LB_ERR_READ_BACK), the settings can be read, but not changed until they are opened
 * again.
 */
#ifndef LIFEBOAT_NVS_H
#define LIFEBOAT_NVS_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/flash.h"
#include "lifeboat/partition.h"

#define LB_NVS_PAGE_SIZE  4096U /* also the sector that the flash has to be able to erase */
#define LB_NVS_PAGES_MIN  3U
#define LB_NVS_PAGES_MAX  64U
#define LB_NVS_NAME_SIZE  16U   /* a namespace or key with its NUL */
#define LB_NVS_STRING_MAX 4000U /* bytes of a string with its NUL */
#define LB_NVS_NAMESPACES 254U

/* The numbers are ESP-IDF's. */
enum lb_nvs_type {
  LB_NVS_U8 = 0x01,
  LB_NVS_U16 = 0x02,
  LB_NVS_U32 = 0x04,
  LB_NVS_U64 = 0x08,
  LB_NVS_I8 = 0x11,
  LB_NVS_I16 = 0x12,
  LB_NVS_I32 = 0x14,
  LB_NVS_I64 = 0x18,
  LB_NVS_STRING = 0x21,
  LB_NVS_BLOB = 0x42 /* in either form that it has on the flash */
};

struct lb_nvs_page {
  uint32_t sequence;
  uint8_t state;
  bool blank; /* known to be erased */
};

/* An open partition. It belongs to lib/nvs_*.c; the caller only keeps it. */
struct lb_nvs {
  const struct lb_flash *flash; /* has to stay valid */
  uint32_t offset;
  uint32_t page_count;
  uint32_t active;      /* the page that is written to, or page_count */
  uint32_t erases_left; /* in this call */
  uint32_t copies_left; /* in this call */
  bool writable;
  bool failed;    /* a write did: nothing more is written */
  bool unsettled; /* what was written last before it was opened may have been in flight when the power went */
  struct lb_nvs_page pages[LB_NVS_PAGES_MAX];
};

/*
 * Opens the settings in a partition: 3 to 64 pages, aligned to them; a blank one has no settings. With `writable` it
 * finishes, or takes back, what a cut left half done; without, nothing is ever written, and the newer of two values
 * that a cut left counts as well.
 * LB_ERR_NVS_SIZE; LB_ERR_NVS_NEW_VERSION; LB_ERR_NVS_ENCRYPTED if nothing that is written there verifies, or the
 * table marks the partition encrypted. With `writable` also LB_ERR_NVS_READ_ONLY if the table says so,
 * LB_ERR_NVS_NO_FREE_PAGES, LB_ERR_NVS_INVALID_STATE if the pages contradict each other.
 */
int lb_nvs_open(struct lb_nvs *nvs, const struct lb_flash *flash, const struct lb_partition *partition, bool writable);

/* ---- reading ----
 * All of them: LB_ERR_NVS_NOT_FOUND, LB_ERR_NVS_TYPE_MISMATCH, LB_ERR_NVS_DAMAGED (a part of the value is missing or
 * does not have its CRC), LB_ERR_NVS_INVALID_NAME (empty), LB_ERR_NVS_KEY_TOO_LONG (of the namespace, too).
 */

/* The value of an integer of that type; a signed one is extended to all 64 bits, so that (int64_t) of it is right. */
int lb_nvs_get_integer(const struct lb_nvs *nvs, const char *namespace_name, const char *key, enum lb_nvs_type type,
                       uint64_t *bits);

/*
 * A string with its NUL into `buffer`, a blob into `data`; `*length` gets its bytes (with the NUL). If `capacity` is
 * smaller, `*length` gets the bytes all the same, and the result is LB_ERR_NVS_INVALID_LENGTH; with a capacity of 0
 * the buffer may be NULL. On any error the buffer's content is undefined.
 */
int lb_nvs_get_string(const struct lb_nvs *nvs, const char *namespace_name, const char *key, char *buffer,
                      uint32_t capacity, uint32_t *length);
int lb_nvs_get_blob(const struct lb_nvs *nvs, const char *namespace_name, const char *key, void *data,
                    uint32_t capacity, uint32_t *length);

/* ---- changing ----
 * All of them: LB_MORE (see above), LB_ERR_NVS_INVALID_NAME, LB_ERR_NVS_KEY_TOO_LONG, LB_ERR_NVS_READ_ONLY (not opened
 * writable), LB_ERR_STATE (a write failed before), LB_ERR_READ_BACK; and those that set something
 * LB_ERR_NVS_NOT_ENOUGH_SPACE, LB_ERR_NVS_VALUE_TOO_LONG.
 */

/* LB_ERR_ARGUMENT if the type is no integer's, or the value (extended, as above) does not fit into it. */
int lb_nvs_set_integer(struct lb_nvs *nvs, const char *namespace_name, const char *key, enum lb_nvs_type type,
                       uint64_t bits);

/* At most LB_NVS_STRING_MAX bytes with the NUL. */
int lb_nvs_set_string(struct lb_nvs *nvs, const char *namespace_name, const char *key, const char *text);

/* As long as there is room for; the old and the new value have to fit at the same time. May be 0 bytes long. */
int lb_nvs_set_blob(struct lb_nvs *nvs, const char *namespace_name, const char *key, const void *data, uint32_t length);

/* LB_ERR_NVS_NOT_FOUND if it is not there. A namespace stays, even without keys. */
int lb_nvs_erase_key(struct lb_nvs *nvs, const char *namespace_name, const char *key);

/* ---- looking around ---- */

struct lb_nvs_entry {
  char namespace_name[LB_NVS_NAME_SIZE];
  char key[LB_NVS_NAME_SIZE];
  enum lb_nvs_type type;
  uint32_t size; /* bytes: 1, 2, 4, 8; of a string with its NUL */

  uint32_t page; /* where the next one is looked for; belongs to the library */
  uint32_t place;
};

/*
 * The first setting and the one behind `*entry`, in no order that means anything. LB_ERR_NVS_NOT_FOUND if there is
 * none. What has no name of a namespace is left out: nothing can reach it. Changing settings in between may skip or
 * repeat. Each looks through the whole partition.
 */
int lb_nvs_first(const struct lb_nvs *nvs, struct lb_nvs_entry *entry);
int lb_nvs_next(const struct lb_nvs *nvs, struct lb_nvs_entry *entry);

struct lb_nvs_statistics {
  uint32_t pages;
  uint32_t pages_free; /* erased, or to be erased before their next use */
  uint32_t namespaces;
  uint32_t entries;        /* of 32 bytes, on all pages: an integer takes one, 4000 bytes take 126 */
  uint32_t entries_used;   /* written, with what belongs to namespaces */
  uint32_t entries_erased; /* that copying a page gains */
};

int lb_nvs_statistics(const struct lb_nvs *nvs, struct lb_nvs_statistics *statistics);

#endif
