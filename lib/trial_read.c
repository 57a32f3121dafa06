// SPDX-License-Identifier: MIT
/* Reading what lies behind a record of otadata. */
#include <string.h>

#include "lib/common.h"
#include "lib/otadata_parts.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

#define CHUNK 64U /* marks of boots that are read at once */

static uint32_t count_cleared(const uint8_t *bytes, uint32_t length)
{
  uint32_t cleared = 0;
  for (uint32_t i = 0; i < length; i++) {
    for (uint32_t byte = bytes[i]; byte != 0xFF; byte |= byte + 1U) { /* sets the lowest bit that is clear */
      cleared++;
    }
  }
  return cleared;
}

/* One bit that has rotted makes no mark; any more are the sign of a mark that was begun. */
static bool is_marked(const uint8_t *mark)
{
  return count_cleared(mark, MARK_SIZE) >= 2U;
}

static bool is_tag(const uint8_t *tag, uint32_t sequence)
{
  return lb_load_le32(tag) == TAG_MAGIC && lb_load_le32(tag + TAG_SEQUENCE_AT) == sequence &&
         lb_load_le32(tag + TAG_CRC_AT) == lb_crc32(0, tag, TAG_CRC_AT);
}

static void flip(uint8_t *tag, uint32_t bit)
{
  tag[bit / 8U] ^= (uint8_t)(1U << (bit % 8U));
}

/*
 * A record without a tag counts as confirmed. So one rotten bit must not cost the tag, lest a trial that goes badly
 * never ends: it is found by trying, since two tags of this length with right CRCs differ in more bits than that.
 */
static bool repair(uint8_t *tag, uint32_t sequence)
{
  bool whole = is_tag(tag, sequence);
  for (uint32_t bit = 0; !whole && bit < 8U * TAG_SIZE; bit++) {
    flip(tag, bit);
    whole = is_tag(tag, sequence);
    if (!whole) {
      flip(tag, bit);
    }
  }
  return whole;
}

static bool take_tag(uint8_t *tag, uint32_t sequence, struct lb_trial *trial)
{
  bool mine = repair(tag, sequence);
  if (mine) {
    trial->tagged = true;
    trial->counts_at_once = tag[TAG_KIND_AT] != TAG_KIND_TRIAL;
    trial->attempts = tag[TAG_ATTEMPTS_AT];
    trial->depot_expected = tag[TAG_DEPOT_AT] == 1;
    memcpy(trial->digest, tag + TAG_DIGEST_AT, LB_SHA256_SIZE);
  }
  return mine;
}

static void take_marks(const uint8_t *marks, struct lb_trial *trial)
{
  const uint8_t *cause = marks + (CAUSE_AT - MARKS_AT);
  trial->rejected = is_marked(marks + (MARK_REJECTED_AT - MARKS_AT));
  trial->confirmed = !trial->rejected && is_marked(marks + (MARK_CONFIRMED_AT - MARKS_AT));
  trial->mirrored = is_marked(marks + (MARK_MIRRORED_AT - MARKS_AT));
  trial->settled = is_marked(marks + (MARK_SETTLED_AT - MARKS_AT));
  trial->depot_reached = is_marked(marks + (MARK_DEPOT_AT - MARKS_AT));
  if (trial->rejected && (cause[0] ^ cause[1]) == 0xFF && cause[0] <= LB_TRIAL_NO_DEPOT) {
    trial->cause = (enum lb_trial_cause)cause[0];
  }
  trial->quarters = count_cleared(marks + (QUARTERS_AT - MARKS_AT), QUARTERS_SIZE);
}

/* Counts the boots; behind the last one the sector is blank. */
static int take_boots(const struct lb_flash *flash, uint32_t address, struct lb_trial *trial)
{
  uint8_t chunk[CHUNK];
  uint32_t sector = lb_flash_sector(flash);
  bool more = true;
  trial->last = 0xFF;
  for (uint32_t at = BOOTS_AT; at < sector && more; at += CHUNK) {
    uint32_t size = lb_smaller(CHUNK, sector - at);
    int err = lb_flash_read(flash, address + at, chunk, size);
    if (err) {
      return err;
    }
    more = false;
    for (uint32_t i = 0; i < size; i++) {
      if (chunk[i] != 0xFF) {
        more = true;
        trial->boots = at - BOOTS_AT + i + 1U;
        trial->last = chunk[i];
        trial->failures += boot_has(chunk[i], BOOT_FAILED) ? 1U : 0U;
      }
    }
  }
  return LB_OK;
}

int lb_trial_read(struct lb_trial *trial, const struct lb_flash *flash, uint32_t address, uint32_t sequence)
{
  uint8_t bytes[TAG_SIZE];
  int err = lb_flash_read(flash, address + TAG_AT, bytes, TAG_SIZE);
  if (err || !take_tag(bytes, sequence, trial)) {
    return err;
  }
  err = lb_flash_read(flash, address + MARKS_AT, bytes, MARKS_SIZE);
  if (err) {
    return err;
  }
  take_marks(bytes, trial);
  return trial->counts_at_once ? LB_OK : take_boots(flash, address, trial);
}
