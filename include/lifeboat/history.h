// SPDX-License-Identifier: MIT
/*
 * The last updates of a module, and which images failed or were confirmed on it: LB_HISTORY_ENTRIES entries in nvs
 * (docs/SPEC.md, "History"), the oldest overwritten first. A blob each, so that a cut leaves the old or the new one.
 */
#ifndef LIFEBOAT_HISTORY_H
#define LIFEBOAT_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/image.h"
#include "lifeboat/nvs.h"
#include "lifeboat/otadata.h"

#define LB_HISTORY_NAMESPACE   "lifeboat" /* of nvs; nothing else is in it */
#define LB_HISTORY_ENTRIES     16U
#define LB_HISTORY_SOURCE_SIZE 97U /* bytes of a source with its NUL; a longer one keeps its end */

enum lb_history_result {
  LB_HISTORY_BEGUN = 0,       /* being written; found at a boot: it was interrupted */
  LB_HISTORY_INTERRUPTED = 1, /* the power went or the link was lost, and it was not gone on with yet */
  LB_HISTORY_FAILED = 2,  /* refused, or not whole: cause is an LB_ERR_..., or another negative code of the caller */
  LB_HISTORY_FLASHED = 3, /* verified and selected; its trial has not ended yet */
  LB_HISTORY_CONFIRMED = 4,
  LB_HISTORY_REJECTED = 5,  /* failed its trial: cause is an enum lb_trial_cause */
  LB_HISTORY_SUPERSEDED = 6 /* another firmware was selected before its trial ended */
};

struct lb_history_entry {
  uint32_t number; /* counts updates from 1 */
  enum lb_history_result result;
  int32_t cause;
  int64_t begun;        /* seconds since 1970, UTC; 0: the module did not know */
  int64_t ended;        /* of the result */
  uint32_t size;        /* of the image */
  uint32_t transferred; /* bytes that came for it, in all its attempts; after a cut at least so many; 0: not known */
  char source[LB_HISTORY_SOURCE_SIZE];
  char slot[LB_LABEL_SIZE];      /* label of the target */
  char from_slot[LB_LABEL_SIZE]; /* of what was running */
  char version[33];
  char from_version[33];
  char patch_base[LB_LABEL_SIZE];     /* label of the slot that its patch changes; "-" from nothing, "" no patch */
  uint8_t digest[LB_SHA256_SIZE];     /* of the image; all zero until it is known */
  uint8_t elf_sha256[LB_SHA256_SIZE]; /* of its description; all zero if it has none */
};

/* Puts a source into an entry: a longer one keeps its end, behind "...". */
void lb_history_set_source(struct lb_history_entry *entry, const char *source);

/* Which entries there are, newest first; filled by lb_history_open. nvs stays the caller's and has to stay open. */
struct lb_history {
  struct lb_nvs *nvs;
  uint32_t count;
  uint32_t next_number;
  uint8_t places[LB_HISTORY_ENTRIES]; /* where they are kept, newest first */
  uint32_t numbers[LB_HISTORY_ENTRIES];
};

/* Looks for entries; damaged and foreign ones are left out. Without any LB_OK and a count of 0. LB_ERR_FLASH_... */
int lb_history_open(struct lb_history *history, struct lb_nvs *nvs);

/* The entry at an index below history->count, 0 the newest. LB_ERR_ARGUMENT, LB_ERR_NVS_... */
int lb_history_get(const struct lb_history *history, uint32_t index, struct lb_history_entry *entry);

/*
 * Writes an entry, in steps as lb_nvs_set_blob: LB_MORE, then LB_OK; to be called again with the same entry. One with
 * number 0 is a new one and gets its number, which an error takes back; else the entry of that number is replaced.
 * Where nvs has no room for it, the oldest other entry is forgotten, one a step. LB_ERR_NOT_FOUND: there is none of
 * that number any more. LB_ERR_NVS_..., LB_ERR_FLASH_...
 */
int lb_history_put(struct lb_history *history, struct lb_history_entry *entry);

/* Forgets the oldest entry, to make room for something else. LB_MORE, LB_ERR_NOT_FOUND if there is none. */
int lb_history_forget_oldest(struct lb_history *history);

/* The newest entry of an image with that digest; LB_ERR_NOT_FOUND, also for one that is all zero. */
int lb_history_find(const struct lb_history *history, const uint8_t digest[LB_SHA256_SIZE],
                    struct lb_history_entry *entry);

/*
 * The newest entry that says that this image failed its trial, if no later one says that it was confirmed. With
 * `complete` by its digest, else by what its head tells: the ELF's SHA-256 (unless it is all zero) and the version.
 * LB_ERR_NOT_FOUND.
 */
int lb_history_find_failed(const struct lb_history *history, const struct lb_image_info *info, bool complete,
                           struct lb_history_entry *entry);

#endif
