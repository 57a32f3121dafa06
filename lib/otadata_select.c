// SPDX-License-Identifier: MIT
/* Changing what otadata selects, one operation of the flash a step. */
#include <string.h>

#include "lib/otadata_parts.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

enum phase {
  PLANNING,
  VOIDING,   /* the record that will be overwritten is made void, lest a cut erase brings it back changed */
  ERASING,   /* its half, always: what reads blank may have been in flight once */
  TAGGING,   /* the tag is written ... */
  RECORDING, /* ... before the record */
  RETIRING,  /* what is on trial and not active any more is made void */
  RENUMBERED /* the record that was copied to a low sequence is made void */
};

/* The smallest sequence number above `above` that means that slot; LB_OTADATA_BLANK if there is none left. */
static uint32_t next_sequence(uint32_t above, uint32_t slot, uint32_t slots)
{
  uint32_t next_slot = above % slots; /* what above + 1 means */
  uint32_t step = 1U + (slot + slots - next_slot) % slots;
  return step < LB_OTADATA_BLANK - above ? above + step : LB_OTADATA_BLANK;
}

/* A record that ESP-IDF's bootloader would give up by itself, with its rollback, is no lasting selection. */
static bool is_lasting(const struct lb_otadata_record *record)
{
  return record->state != LB_OTADATA_NEW && record->state != LB_OTADATA_PENDING_VERIFY;
}

/*
 * Does a record mean that slot and that image? One without a tag means whatever is there; but it is no trial of it, nor
 * says it that the image needs none.
 */
static bool says(const struct lb_otadata *otadata, int index, uint32_t slots, const struct lb_selection *selection)
{
  if (index == LB_OTADATA_NONE || !is_lasting(&otadata->records[index]) ||
      lb_otadata_slot_of(otadata, index, slots) != selection->slot) {
    return false;
  }
  const struct lb_otadata_record *record = &otadata->records[index];
  if (selection->attempts > 0) {
    return record->trial.tagged && memcmp(record->trial.digest, selection->digest, LB_SHA256_SIZE) == 0;
  }
  return !selection->digest || lb_otadata_is_about(record, selection->digest);
}

/* The half to be written: never that of the record confirmed last; else not the active one. */
static uint8_t half_to_write(const struct lb_otadata *otadata)
{
  int keep = lb_otadata_confirmed(otadata);
  keep = keep == LB_OTADATA_NONE ? otadata->active : keep;
  if (keep != LB_OTADATA_NONE) {
    return (uint8_t)(1 - keep);
  }
  /* Nothing counts: what failed its trial is remembered as long as there is room. */
  return otadata->records[0].trial.rejected && !otadata->records[1].trial.rejected ? 1 : 0;
}

static void plan_write(struct lb_otadata *otadata, uint32_t slots, const struct lb_selection *selection)
{
  otadata->half = half_to_write(otadata);
  const struct lb_otadata_record *other = &otadata->records[1 - otadata->half];
  bool counted = lb_otadata_is_whole(other);
  otadata->next = next_sequence(counted ? other->sequence : 0, selection->slot, slots);
  otadata->renumbers = otadata->next == LB_OTADATA_BLANK && other->usable;
  if (otadata->renumbers) { /* the other record begins the count anew first */
    otadata->next = lb_otadata_slot_of(otadata, 1 - otadata->half, slots) + 1U;
  } else if (otadata->next == LB_OTADATA_BLANK) {
    otadata->next = selection->slot + 1U;
  }
  otadata->phase = VOIDING;
}

/* What has to be done? LB_OK: nothing. */
static int plan(struct lb_otadata *otadata, uint32_t slots, const struct lb_selection *selection)
{
  bool on_trial = lb_otadata_on_trial(otadata, otadata->active);
  bool wants_trial = selection->attempts > 0;
  int confirmed = lb_otadata_confirmed(otadata);
  if (says(otadata, otadata->active, slots, selection) && (wants_trial || !on_trial)) {
    return LB_OK;
  }
  if (on_trial && !wants_trial && says(otadata, confirmed, slots, selection)) {
    otadata->phase = RETIRING;
  } else {
    plan_write(otadata, slots, selection);
  }
  return LB_MORE;
}

static int make_half_void(struct lb_otadata *otadata, const struct lb_flash *flash, int index)
{
  bool is_void;
  int err = lb_otadata_is_void(otadata, flash, index, &is_void);
  if (err || is_void) {
    return err;
  }
  err = lb_otadata_make_void(otadata, flash, index);
  return err ? err : LB_MORE;
}

static int erase_sector(const struct lb_flash *flash, uint32_t address)
{
  uint32_t erased = 0;
  bool blank = false;
  int err = lb_flash_erase_one(flash, address, address + lb_flash_sector(flash), &erased);
  if (err == LB_OK) {
    err = lb_flash_is_blank(flash, address, erased, &blank);
  }
  return err == LB_OK && !blank ? LB_ERR_READ_BACK : err;
}

/* Erases the next sector of a half that is not blank, and the first one in any case if it `has_to`. LB_MORE, LB_OK. */
static int erase_half(struct lb_otadata *otadata, const struct lb_flash *flash, int index, bool has_to)
{
  uint32_t start = lb_otadata_address(otadata, index);
  uint32_t sector = lb_flash_sector(flash);
  uint32_t at = otadata->erase_at > start ? otadata->erase_at : start;
  for (; at < start + otadata->sector; at += sector) {
    bool blank = false;
    int err = has_to && at == start ? LB_OK : lb_flash_is_blank(flash, at, sector, &blank);
    if (err == LB_OK && !blank) {
      err = erase_sector(flash, at);
      if (err == LB_OK) {
        err = lb_otadata_read_records(otadata, flash);
      }
      otadata->erase_at = at + sector;
      return err ? err : LB_MORE;
    }
    if (err) {
      return err;
    }
  }
  return LB_OK;
}

/* The tag of what is selected, or a copy of the one that is renumbered, its trial beginning anew. */
static void make_tag(const struct lb_otadata *otadata, const struct lb_selection *selection, uint8_t *tag)
{
  const struct lb_trial *old = &otadata->records[1 - otadata->half].trial;
  bool trial = selection->attempts > 0;
  uint8_t attempts = selection->attempts;
  bool depot = selection->depot_expected;
  const uint8_t *digest = selection->digest;
  if (otadata->renumbers) {
    trial = lb_otadata_on_trial(otadata, 1 - otadata->half);
    attempts = old->attempts;
    depot = old->depot_expected;
    digest = old->digest;
  }
  memset(tag, 0xFF, TAG_SIZE);
  lb_store_le32(tag, TAG_MAGIC);
  lb_store_le32(tag + TAG_SEQUENCE_AT, otadata->next);
  tag[TAG_KIND_AT] = trial ? TAG_KIND_TRIAL : TAG_KIND_AT_ONCE;
  tag[TAG_ATTEMPTS_AT] = attempts;
  tag[TAG_DEPOT_AT] = depot ? 1 : 0;
  memset(tag + TAG_DIGEST_AT, 0, LB_SHA256_SIZE);
  if (digest) {
    memcpy(tag + TAG_DIGEST_AT, digest, LB_SHA256_SIZE);
  }
  lb_store_le32(tag + TAG_CRC_AT, lb_crc32(0, tag, TAG_CRC_AT));
}

static int write_tag(const struct lb_otadata *otadata, const struct lb_flash *flash,
                     const struct lb_selection *selection)
{
  uint8_t tag[TAG_SIZE];
  bool equal = false;
  uint32_t address = lb_otadata_address(otadata, otadata->half) + TAG_AT;
  if (otadata->renumbers && !otadata->records[1 - otadata->half].trial.tagged) {
    return LB_OK; /* nothing is known of it, and nothing is made up */
  }
  make_tag(otadata, selection, tag);
  int err = lb_flash_program(flash, address, tag, sizeof tag);
  if (err == LB_OK) {
    err = lb_flash_equals(flash, address, tag, sizeof tag, &equal);
  }
  return err == LB_OK && !equal ? LB_ERR_READ_BACK : err;
}

static int write_record(struct lb_otadata *otadata, const struct lb_flash *flash)
{
  uint8_t bytes[LB_OTADATA_RECORD_SIZE];
  memset(bytes, 0xFF, sizeof bytes);
  lb_store_le32(bytes, otadata->next);
  lb_store_le32(bytes + CRC_AT, lb_otadata_crc(otadata->next));
  int err = lb_flash_program(flash, lb_otadata_address(otadata, otadata->half), bytes, sizeof bytes);
  if (err == LB_OK) {
    err = lb_otadata_read_records(otadata, flash);
  }
  const struct lb_otadata_record *record = &otadata->records[otadata->half];
  bool counts = record->usable && record->sequence == otadata->next &&
                (otadata->renumbers || otadata->active == (int)otadata->half);
  return err == LB_OK && !counts ? LB_ERR_READ_BACK : err;
}

/* The record of a trial that was selected over, or one that is given up for what was confirmed last. */
static int retire(struct lb_otadata *otadata, const struct lb_flash *flash, bool active_too)
{
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    if (lb_otadata_on_trial(otadata, i) && (active_too || i != otadata->active)) {
      int err = lb_otadata_make_void(otadata, flash, i);
      return err ? err : LB_MORE;
    }
  }
  return LB_OK;
}

/* One step of the phase that the change is in. LB_OK: the phase is over. */
static int work(struct lb_otadata *otadata, const struct lb_flash *flash, const struct lb_selection *selection)
{
  int err;
  switch ((enum phase)otadata->phase) {
  case VOIDING:
    otadata->erase_at = 0;
    return make_half_void(otadata, flash, otadata->half);
  case ERASING:
    return erase_half(otadata, flash, otadata->half, true);
  case TAGGING:
    err = write_tag(otadata, flash, selection);
    otadata->phase = RECORDING;
    return err ? err : LB_MORE;
  case RECORDING:
    err = write_record(otadata, flash);
    otadata->phase = otadata->renumbers ? RENUMBERED : RETIRING;
    return err ? err : LB_MORE;
  case RENUMBERED:
    err = lb_otadata_make_void(otadata, flash, 1 - otadata->half);
    otadata->phase = PLANNING;
    return err ? err : LB_MORE;
  case RETIRING:
    return retire(otadata, flash, selection->attempts == 0);
  case PLANNING:
    break;
  }
  return LB_OK;
}

int lb_otadata_select_slot(struct lb_otadata *otadata, const struct lb_device *device,
                           const struct lb_selection *selection)
{
  uint32_t slots = lb_table_ota_count(device->table);
  int result = LB_OK;
  bool possible = selection->attempts <= (selection->digest ? LB_TRIAL_ATTEMPTS_MAX : 0U);
  if (selection->slot >= slots || !possible) {
    return selection->slot >= slots ? LB_ERR_NOT_FOUND : LB_ERR_ARGUMENT;
  }
  if (otadata->phase == PLANNING) {
    result = plan(otadata, slots, selection);
    if (result == LB_OK) {
      otadata->phase = RETIRING;
    }
  }
  while ((result = work(otadata, device->flash, selection)) == LB_OK && otadata->phase != RETIRING) {
    otadata->phase++; /* nothing was to do in it */
  }
  if (result == LB_OK) {
    otadata->phase = PLANNING;
  }
  return result;
}

int lb_otadata_select_factory(struct lb_otadata *otadata, const struct lb_device *device)
{
  if (otadata->phase == PLANNING) {
    otadata->half = (uint8_t)(otadata->active == LB_OTADATA_NONE ? 0 : 1 - otadata->active);
    otadata->phase = VOIDING;
    otadata->erase_at = 0;
  }
  /* Both are void before either is erased: then a cut erase cannot bring one back. */
  const int order[LB_OTADATA_RECORDS] = {otadata->half, 1 - otadata->half};
  int result = LB_OK;
  for (uint32_t i = 0; i < LB_OTADATA_RECORDS && result == LB_OK; i++) {
    result = make_half_void(otadata, device->flash, order[i]);
  }
  for (uint32_t i = 0; i < LB_OTADATA_RECORDS && result == LB_OK; i++) {
    otadata->erase_at = 0;
    result = erase_half(otadata, device->flash, order[i], false);
  }
  if (result == LB_OK) {
    otadata->phase = PLANNING;
  }
  return result;
}

int lb_otadata_retire_trial(struct lb_otadata *otadata, const struct lb_device *device)
{
  return retire(otadata, device->flash, true);
}
