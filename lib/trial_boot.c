// SPDX-License-Identifier: MIT
/* What the bootloader does with otadata before it trusts it, and with a trial before it boots it. */
#include <string.h>

#include "lib/otadata_parts.h"
#include "lib/trial_marks.h"
#include "lifeboat/bytes.h"
#include "lifeboat/error.h"

/* ---- settling ----
 * What was in flight when the power went may read right now and wrong a moment later. So each of these functions does
 * one thing and says LB_MORE, whereupon all is read again; the reading that counts is one in which nothing is left to
 * do.
 */

static int done(int err)
{
  return err ? err : LB_MORE;
}

/*
 * A record that is neither blank nor right was in flight, or has rotted. It does not count now, and must not count
 * tomorrow because a weak bit reads differently.
 */
static int settle_broken(struct lb_otadata *otadata, const struct lb_flash *flash, int index)
{
  const struct lb_otadata_record *record = &otadata->records[index];
  bool is_void;
  if (lb_otadata_is_whole(record)) {
    return LB_OK;
  }
  int err = lb_otadata_is_void(otadata, flash, index, &is_void);
  return err || is_void ? err : done(lb_otadata_make_void(otadata, flash, index));
}

/* A mark of which there is a sign was decided: it is completed. */
static int settle_mark(const struct lb_otadata *otadata, const struct lb_flash *flash, int index, bool has_sign,
                       uint32_t offset)
{
  static const uint8_t zeros[MARK_SIZE] = {0};
  bool complete = false;
  if (!has_sign) {
    return LB_OK;
  }
  int err = lb_flash_equals(flash, lb_otadata_address(otadata, index) + offset, zeros, sizeof zeros, &complete);
  return err || complete ? err : done(lb_trial_mark(otadata, flash, index, offset));
}

/* The verdict, and its mirror in the record's state; then the other marks. */
static int settle_marks(const struct lb_otadata *otadata, const struct lb_flash *flash, int index)
{
  const struct lb_trial *trial = &otadata->records[index].trial;
  int result = settle_mark(otadata, flash, index, trial->confirmed, MARK_CONFIRMED_AT);
  if (result == LB_OK) {
    result = settle_mark(otadata, flash, index, trial->rejected, MARK_REJECTED_AT);
  }
  if (result == LB_OK && (trial->rejected || trial->confirmed) && !trial->mirrored) {
    return done(lb_trial_mark_state(otadata, flash, index, trial->rejected ? LB_OTADATA_ABORTED : LB_OTADATA_VALID));
  }
  if (result == LB_OK) {
    result = settle_mark(otadata, flash, index, trial->mirrored, MARK_MIRRORED_AT);
  }
  if (result == LB_OK) {
    result = settle_mark(otadata, flash, index, trial->depot_reached, MARK_DEPOT_AT);
  }
  return result == LB_OK ? settle_mark(otadata, flash, index, trial->settled, MARK_SETTLED_AT) : result;
}

/*
 * The record that counts may have been in flight when it was found first: it is programmed again, once, and as it was
 * found, since it may read differently by now.
 */
static int settle_active(const struct lb_otadata *otadata, const struct lb_flash *flash)
{
  uint8_t bytes[LB_OTADATA_RECORD_SIZE];
  if (otadata->active == LB_OTADATA_NONE || !otadata->records[otadata->active].trial.tagged ||
      otadata->records[otadata->active].trial.settled) {
    return LB_OK;
  }
  const struct lb_otadata_record *record = &otadata->records[otadata->active];
  memset(bytes, 0xFF, sizeof bytes);
  lb_store_le32(bytes, record->sequence);
  lb_store_le32(bytes + STATE_AT, record->state);
  lb_store_le32(bytes + CRC_AT, record->crc);
  int err = lb_otadata_clear_bits(flash, lb_otadata_address(otadata, otadata->active), bytes, sizeof bytes);
  return done(err ? err : lb_trial_mark(otadata, flash, otadata->active, MARK_SETTLED_AT));
}

/* A trial that something else was selected over. */
static int settle_other(struct lb_otadata *otadata, const struct lb_flash *flash)
{
  int other = 1 - otadata->active;
  if (otadata->active == LB_OTADATA_NONE || !lb_otadata_on_trial(otadata, other)) {
    return LB_OK;
  }
  return done(lb_otadata_make_void(otadata, flash, other));
}

static int settle_one(struct lb_otadata *otadata, const struct lb_flash *flash)
{
  int result = LB_OK;
  for (int i = 0; i < (int)LB_OTADATA_RECORDS && result == LB_OK; i++) {
    result = settle_broken(otadata, flash, i);
    if (result == LB_OK) {
      result = settle_marks(otadata, flash, i);
    }
  }
  if (result == LB_OK) {
    result = settle_active(otadata, flash);
  }
  return result == LB_OK ? settle_other(otadata, flash) : result;
}

#define THINGS_TO_SETTLE 16U /* more than there can be */

int lb_trial_settle(struct lb_otadata *otadata, const struct lb_device *device)
{
  const struct lb_flash *flash = device->flash;
  int err = lb_otadata_read(otadata, device);
  for (uint32_t i = 0; i < THINGS_TO_SETTLE && err == LB_OK; i++) {
    int result = settle_one(otadata, flash);
    if (result != LB_MORE) {
      return result;
    }
    err = lb_otadata_read_records(otadata, flash);
  }
  return err;
}

/* ---- judging ---- */

/* How many boots can be marked; the last places are kept for failures. */
static uint32_t places(const struct lb_flash *flash)
{
  return lb_flash_sector(flash) - BOOTS_AT;
}

/* Was the last boot one that found no place? Then the last mark is of an earlier one, which was judged already. */
static bool is_unmarked(const struct lb_trial *trial, uint32_t room)
{
  bool judged = boot_has(trial->last, BOOT_FAILED) || boot_has(trial->last, BOOT_CLOSED);
  return judged && trial->boots + BOOTS_RESERVED >= room && trial->boots < room;
}

/* What has to be marked at the last boot, and at which number. 0: nothing. */
static uint8_t verdict_on_last(const struct lb_trial *trial, enum lb_reset reset, uint32_t room, uint32_t *number)
{
  bool crashed = reset == LB_RESET_CRASH || reset == LB_RESET_WATCHDOG;
  if (trial->boots == 0) {
    return 0;
  }
  if (crashed && is_unmarked(trial, room)) {
    *number = trial->boots;
    return BOOT_STARTED | BOOT_FAILED;
  }
  *number = trial->boots - 1U;
  if (boot_has(trial->last, BOOT_FAILED)) {
    return BOOT_FAILED; /* completes it */
  }
  if (boot_has(trial->last, BOOT_CLOSED)) {
    return 0;
  }
  bool power_failed = reset == LB_RESET_POWER_ON && !boot_has(trial->last, BOOT_SURVIVED);
  return crashed || power_failed ? BOOT_FAILED : BOOT_CLOSED;
}

static enum lb_trial_cause cause_of(enum lb_reset reset)
{
  switch (reset) {
  case LB_RESET_CRASH:
    return LB_TRIAL_CRASHED;
  case LB_RESET_WATCHDOG:
    return LB_TRIAL_HUNG;
  case LB_RESET_POWER_ON:
    return LB_TRIAL_POWER;
  case LB_RESET_COMMANDED:
    break;
  }
  return LB_TRIAL_UNKNOWN;
}

int lb_trial_judge(struct lb_otadata *otadata, const struct lb_device *device, enum lb_reset reset, bool *rejected)
{
  const struct lb_flash *flash = device->flash;
  uint32_t number = 0;
  *rejected = false;
  if (!lb_otadata_on_trial(otadata, otadata->active)) {
    return LB_OK;
  }
  int index = otadata->active;
  const struct lb_trial *trial = &otadata->records[index].trial;
  uint8_t bits = verdict_on_last(trial, reset, places(flash), &number);
  if (bits != 0) {
    int err = lb_trial_mark_boot(otadata, flash, number, bits);
    if (err == LB_OK) {
      err = lb_otadata_read_records(otadata, flash);
    }
    if (err) {
      return err;
    }
  }
  if (trial->failures < trial->attempts) {
    return LB_OK;
  }
  *rejected = true;
  return lb_trial_mark_rejected(otadata, flash, index, cause_of(reset));
}

int lb_trial_begin_boot(struct lb_otadata *otadata, const struct lb_device *device)
{
  if (!lb_otadata_on_trial(otadata, otadata->active)) {
    return LB_OK;
  }
  uint32_t boots = otadata->records[otadata->active].trial.boots;
  if (boots + BOOTS_RESERVED >= places(device->flash)) {
    return LB_OK; /* so many boots ended in order: from now on only crashes count */
  }
  int err = lb_trial_mark_boot(otadata, device->flash, boots, BOOT_STARTED);
  return err ? err : lb_otadata_read_records(otadata, device->flash);
}
