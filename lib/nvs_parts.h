// SPDX-License-Identifier: MIT
/*
 * What the files of lib/nvs_*.c share, from the bottom up: pages (nvs_page.c), the items on them (nvs_item.c), writing
 * and erasing an item (nvs_put.c), making room (nvs_compact.c).
 *
 * An item is what has a header: an integer, a string, a chunk or the index of a blob. It spans one or more entries of
 * 32 bytes on one page, the first of which is the header.
 */
#ifndef LIB_NVS_PARTS_H
#define LIB_NVS_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/nvs.h"

#define NVS_ENTRY       32U
#define NVS_ENTRIES     126U /* on a page */
#define NVS_BITMAP      32U  /* where the bitmap is on a page, and its bytes */
#define NVS_FIRST_ENTRY 64U
#define NVS_CHUNKS_MAX  127U
#define NVS_SECOND_RUN  0x80U /* chunks of a blob count from 0 and from here in turns */
#define NVS_NO_CHUNK    0xFFU
#define NVS_TYPE_SIZE   0x0FU /* bits of an integer's type: its bytes, */
#define NVS_TYPE_SIGNED 0x10U /* and whether it is signed */
#define NVS_VALUE       24U   /* where the value is in a header */
#define NVS_PIECE       256U  /* bytes that are looked at or copied in one go */

/* Types that are only on the flash. */
enum { NVS_BLOB_OLD = 0x41, NVS_BLOB_DATA = 0x42, NVS_BLOB_INDEX = 0x48 };

/* ---- pages ---- */

enum nvs_page_state { NVS_PAGE_FREE, NVS_PAGE_ACTIVE, NVS_PAGE_FULL, NVS_PAGE_FREEING };

enum nvs_entry_state { NVS_ENTRY_ERASED = 0, NVS_ENTRY_ILLEGAL = 1, NVS_ENTRY_WRITTEN = 2, NVS_ENTRY_EMPTY = 3 };

/* The flash address of an entry; NVS_FIRST_ENTRY bytes before entry 0 the page begins. */
uint32_t nvs_page_address(const struct lb_nvs *nvs, uint32_t page);
uint32_t nvs_entry_address(const struct lb_nvs *nvs, uint32_t page, uint32_t index);

/* Reads all page headers. LB_ERR_NVS_NEW_VERSION. */
int nvs_pages_load(struct lb_nvs *nvs);

/* Is page `a` younger than page `b`? Both are in use. */
bool nvs_page_is_newer(const struct lb_nvs *nvs, uint32_t a, uint32_t b);

/* The youngest page in use, the only one in that state; page_count if there is none. */
uint32_t nvs_page_newest(const struct lb_nvs *nvs);
uint32_t nvs_pages_count(const struct lb_nvs *nvs, enum nvs_page_state state);

int nvs_bitmap_read(const struct lb_nvs *nvs, uint32_t page, uint8_t bitmap[NVS_BITMAP]);
enum nvs_entry_state nvs_bitmap_get(const uint8_t bitmap[NVS_BITMAP], uint32_t index);
uint32_t nvs_bitmap_count(const uint8_t bitmap[NVS_BITMAP], enum nvs_entry_state state);

/* Where the entries begin that were never used: behind the last one that was. */
uint32_t nvs_bitmap_tail(const uint8_t bitmap[NVS_BITMAP]);

/* Marks the entries from `begin` to before `end`: empty ones as written; any as erased. */
int nvs_bitmap_written(struct lb_nvs *nvs, uint32_t page, uint32_t begin, uint32_t end);
int nvs_bitmap_erased(struct lb_nvs *nvs, uint32_t page, uint32_t begin, uint32_t end);

/* Moves a page on to FULL or FREEING. */
int nvs_page_mark(struct lb_nvs *nvs, uint32_t page, enum nvs_page_state state);

/* Erases a free page if it is not blank. LB_MORE if this call may not erase any more. */
int nvs_page_prepare(struct lb_nvs *nvs, uint32_t page);

/* Makes a free page, prepared like that, the active one. */
int nvs_page_activate(struct lb_nvs *nvs, uint32_t page);

/*
 * The free page that is next in turn; one that is known to be blank if this call may not erase. page_count if there is
 * none.
 */
uint32_t nvs_page_next_free(const struct lb_nvs *nvs);

/* Makes a page worthless in one stroke, then erases it, if this call still may: else whoever needs it will. */
int nvs_page_retire(struct lb_nvs *nvs, uint32_t page);

/* Programs blank flash, or a header that goes on, reads it back, and remembers if that failed. LB_ERR_READ_BACK. */
int nvs_program(struct lb_nvs *nvs, uint32_t address, const void *data, uint32_t length);

/* ---- items ---- */

struct nvs_item {
  uint32_t page;
  uint32_t index; /* of its header */
  uint32_t span;
  bool whole;               /* all of its entries are marked as written: it counts */
  uint8_t bytes[NVS_ENTRY]; /* the header */
};

uint8_t nvs_item_space(const struct nvs_item *item);
uint8_t nvs_item_type(const struct nvs_item *item);
uint8_t nvs_item_chunk(const struct nvs_item *item);
const char *nvs_item_key(const struct nvs_item *item); /* ends with NUL */
uint32_t nvs_item_size(const struct nvs_item *item);   /* bytes of a string or blob (chunk, all of an index) */
uint8_t nvs_index_count(const struct nvs_item *item);  /* chunks, of a blob index */
uint8_t nvs_index_start(const struct nvs_item *item);  /* number of the first one */
bool nvs_item_is_chunk(const struct nvs_item *item);
bool nvs_item_has_data(uint8_t type); /* further entries follow the header */
bool nvs_type_is_integer(uint32_t type);
bool nvs_index_covers(const struct nvs_item *index, uint8_t chunk);

/* Looks through the items of all pages, or of one. */
struct nvs_cursor {
  uint32_t page;
  uint32_t index; /* where the next item may begin */
  bool one_page;
  bool loaded; /* the bitmap is that of `page` */
  uint8_t bitmap[NVS_BITMAP];
};

void nvs_cursor_start(struct nvs_cursor *cursor);
void nvs_cursor_start_page(struct nvs_cursor *cursor, uint32_t page);

/* The next item whose header verifies, whole or not. LB_ERR_NVS_NOT_FOUND behind the last one. */
int nvs_cursor_next(const struct lb_nvs *nvs, struct nvs_cursor *cursor, struct nvs_item *item);

/* Is `a` younger than `b`? */
bool nvs_item_is_newer(const struct lb_nvs *nvs, const struct nvs_item *a, const struct nvs_item *b);

/* What makes two items versions of the same thing: namespace, key and, of chunks, their number. */
struct nvs_identity {
  uint8_t space;
  bool is_chunk;
  uint8_t chunk;
  const char *key;
};

struct nvs_identity nvs_identity_of(const struct nvs_item *item);
struct nvs_identity nvs_identity_value(uint8_t space, const char *key);
struct nvs_identity nvs_identity_chunk(uint8_t space, const char *key, uint8_t chunk);
bool nvs_identity_matches(const struct nvs_identity *identity, const struct nvs_item *item);

/* The youngest whole item of that identity. LB_ERR_NVS_NOT_FOUND. */
int nvs_find(const struct lb_nvs *nvs, const struct nvs_identity *identity, struct nvs_item *item);

/* Tells whether there is a younger whole item of the same identity. */
int nvs_item_is_superseded(const struct lb_nvs *nvs, const struct nvs_item *item, bool *superseded);

/* Checks and finds. LB_ERR_NVS_INVALID_NAME, LB_ERR_NVS_KEY_TOO_LONG; LB_ERR_NVS_NOT_FOUND if there is no such one. */
int nvs_check_name(const char *name);
int nvs_find_space(const struct lb_nvs *nvs, const char *name, uint8_t *space);
int nvs_find_value(const struct lb_nvs *nvs, const char *namespace_name, const char *key, struct nvs_item *item);

/* Checks the data of an item against its CRC and tells whether it is `data` (as far as that one is not NULL). */
int nvs_item_check_data(const struct lb_nvs *nvs, const struct nvs_item *item, const void *data, bool *same);

/* ---- writing items ---- */

/* What a header says; the rest follows from it. */
struct nvs_header {
  uint8_t space;
  uint8_t type;
  uint8_t chunk;
  const char *key;
  uint8_t value[8]; /* of what has no data */
};

/* How many entries so many bytes of data take, with their header. */
uint32_t nvs_span_of(uint32_t length);

/* How many entries are left on the active page. */
int nvs_room(const struct lb_nvs *nvs, uint32_t *entries);

/* Writes an item to the active page, which has room for it. `data` is NULL for what has none. `item` gets it. */
int nvs_put(struct lb_nvs *nvs, const struct nvs_header *header, const void *data, uint32_t length,
            struct nvs_item *item);

/* Copies an item to the active page, which has room for it. */
int nvs_put_copy(struct lb_nvs *nvs, const struct nvs_item *from);

/* Marks all entries of an item as erased, its header last. */
int nvs_item_erase(struct lb_nvs *nvs, const struct nvs_item *item);

/* Erases all other values of the key of `kept`, then the chunks of that key that are not its own. */
int nvs_erase_others(struct lb_nvs *nvs, const struct nvs_item *kept);

/* Is there anything that nvs_erase_others would erase? */
int nvs_has_others(const struct lb_nvs *nvs, const struct nvs_item *kept, bool *has);

/* Erases the chunks of a key that `index` does not cover; all of them if it is NULL. */
int nvs_erase_chunks(struct lb_nvs *nvs, uint8_t space, const char *key, const struct nvs_item *index);

/* ---- making room ---- */

/*
 * Sees to it that the active page has room for `entries`, at most NVS_ENTRIES. LB_MORE if another call has to go on;
 * LB_ERR_NVS_NOT_ENOUGH_SPACE, and nothing was changed.
 */
int nvs_make_room(struct lb_nvs *nvs, uint32_t entries);

/* Entries of data that all pages together could still take in chunks. */
int nvs_capacity(const struct lb_nvs *nvs, uint32_t *entries);

/* Copies what counts on a FREEING page to the free page and retires it. LB_MORE as above. */
int nvs_compact(struct lb_nvs *nvs, uint32_t source);

/* Finishes or takes back what a cut left. LB_ERR_NVS_NO_FREE_PAGES, LB_ERR_NVS_INVALID_STATE. */
int nvs_recover(struct lb_nvs *nvs);

/*
 * Marks once more what reads as if it were written last, and drops an active page without items: a cut may have left
 * marks or the page's header so weak that they read differently the next time. Only once after opening.
 */
int nvs_settle(struct lb_nvs *nvs);

/* Begins a call that changes a setting: may it? LB_ERR_NVS_INVALID_NAME and so on. */
int nvs_begin(struct lb_nvs *nvs, const char *namespace_name, const char *key);

/*
 * A namespace's number. It is made if it is not there, and if there is room for `entries` more on its page.
 * LB_MORE, LB_ERR_NVS_NOT_ENOUGH_SPACE.
 */
int nvs_make_space(struct lb_nvs *nvs, const char *name, uint32_t entries, uint8_t *space);

#endif
