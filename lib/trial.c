// SPDX-License-Identifier: MIT
/* The marks that the running firmware makes. */
#include "lifeboat/trial.h"

#include <string.h>

#include "lib/otadata_parts.h"
#include "lib/trial_marks.h"
#include "lifeboat/bytes.h"
#include "lifeboat/error.h"

static const uint8_t zeros[MARK_SIZE] = {0};

int lb_trial_mark(const struct lb_otadata *otadata, const struct lb_flash *flash, int index, uint32_t offset)
{
  return lb_otadata_clear_bits(flash, lb_otadata_address(otadata, index) + offset, zeros, sizeof zeros);
}

int lb_trial_mark_state(const struct lb_otadata *otadata, const struct lb_flash *flash, int index,
                        enum lb_otadata_state state)
{
  uint8_t bytes[4];
  lb_store_le32(bytes, (uint32_t)state);
  int err = lb_otadata_clear_bits(flash, lb_otadata_address(otadata, index) + STATE_AT, bytes, sizeof bytes);
  return err ? err : lb_trial_mark(otadata, flash, index, MARK_MIRRORED_AT);
}

int lb_trial_mark_boot(const struct lb_otadata *otadata, const struct lb_flash *flash, uint32_t number, uint8_t bits)
{
  const uint8_t byte = (uint8_t)~bits;
  uint32_t address = lb_otadata_address(otadata, otadata->active) + BOOTS_AT + number;
  return lb_otadata_clear_bits(flash, address, &byte, 1);
}

/* The mark that counts, and the state for ESP-IDF's tools. */
int lb_trial_mark_rejected(struct lb_otadata *otadata, const struct lb_flash *flash, int index,
                           enum lb_trial_cause cause)
{
  uint8_t bytes[MARK_SIZE + 2] = {0};
  bytes[MARK_SIZE] = (uint8_t)cause;
  bytes[MARK_SIZE + 1] = (uint8_t) ~(uint32_t)cause;
  int err = lb_otadata_clear_bits(flash, lb_otadata_address(otadata, index) + MARK_REJECTED_AT, bytes, sizeof bytes);
  if (err == LB_OK) {
    err = lb_trial_mark_state(otadata, flash, index, LB_OTADATA_ABORTED);
  }
  return err ? err : lb_otadata_read_records(otadata, flash);
}

/* Does the active record select `running`? */
static bool selects(const struct lb_otadata *otadata, const struct lb_device *device,
                    const struct lb_partition *running)
{
  return otadata->active != LB_OTADATA_NONE && lb_otadata_means(otadata, device->table, otadata->active, running);
}

static int find_record(struct lb_otadata *otadata, const struct lb_device *device, const struct lb_partition *running)
{
  int err = lb_otadata_read(otadata, device);
  return err == LB_OK && !selects(otadata, device, running) ? LB_ERR_NOT_FOUND : err;
}

int lb_trial_find(struct lb_otadata *otadata, const struct lb_device *device, const struct lb_partition *running)
{
  int err = find_record(otadata, device, running);
  if (err == LB_ERR_NOT_FOUND || (err == LB_OK && !lb_otadata_on_trial(otadata, otadata->active))) {
    return LB_ERR_NOT_ON_TRIAL;
  }
  return err;
}

/* Marks the last boot, which is this one; a boot that found no room for a mark has none. */
static int mark_this_boot(const struct lb_device *device, const struct lb_partition *running, uint8_t bits)
{
  struct lb_otadata otadata;
  int err = lb_trial_find(&otadata, device, running);
  if (err) {
    return err;
  }
  uint32_t boots = otadata.records[otadata.active].trial.boots;
  return boots == 0 ? LB_OK : lb_trial_mark_boot(&otadata, device->flash, boots - 1U, bits);
}

int lb_trial_survive(const struct lb_device *device, const struct lb_partition *running)
{
  return mark_this_boot(device, running, BOOT_SURVIVED);
}

int lb_trial_close(const struct lb_device *device, const struct lb_partition *running)
{
  return mark_this_boot(device, running, BOOT_CLOSED);
}

/* The next bit that is left, not the one of that number: a bit that has rotted away stops no other. */
int lb_trial_count_quarter(const struct lb_device *device, const struct lb_partition *running)
{
  struct lb_otadata otadata;
  uint8_t quarters[QUARTERS_SIZE];
  int err = lb_trial_find(&otadata, device, running);
  if (err) {
    return err;
  }
  uint32_t address = lb_otadata_address(&otadata, otadata.active) + QUARTERS_AT;
  err = lb_flash_read(device->flash, address, quarters, sizeof quarters);
  for (uint32_t i = 0; err == LB_OK && i < sizeof quarters; i++) {
    if (quarters[i] != 0) {
      const uint8_t byte = (uint8_t)(quarters[i] & (quarters[i] - 1U));
      return lb_otadata_clear_bits(device->flash, address + i, &byte, 1);
    }
  }
  return err;
}

int lb_trial_reach_depot(const struct lb_device *device, const struct lb_partition *running)
{
  struct lb_otadata otadata;
  int err = find_record(&otadata, device, running);
  if (err) {
    return err;
  }
  const struct lb_trial *trial = &otadata.records[otadata.active].trial;
  if (!trial->tagged) { /* not a record of ours: there is no room for it */
    return LB_ERR_NOT_FOUND;
  }
  /* also if it can be seen: a cut may have left it so that it reads so only now */
  return lb_trial_mark(&otadata, device->flash, otadata.active, MARK_DEPOT_AT);
}

/* A mark that a cut left unstable, and that the bootloader did not see, may be seen now. */
static bool is_half_confirmed(const struct lb_otadata *otadata, const struct lb_device *device,
                              const struct lb_partition *running)
{
  return selects(otadata, device, running) && otadata->records[otadata->active].trial.confirmed &&
         !otadata->records[otadata->active].trial.mirrored;
}

int lb_trial_confirm(const struct lb_device *device, const struct lb_partition *running)
{
  struct lb_otadata otadata;
  int err = lb_trial_find(&otadata, device, running);
  if (err == LB_ERR_NOT_ON_TRIAL && is_half_confirmed(&otadata, device, running)) {
    err = LB_OK;
  }
  if (err == LB_OK) {
    err = lb_trial_mark(&otadata, device->flash, otadata.active, MARK_CONFIRMED_AT);
  }
  return err ? err : lb_trial_mark_state(&otadata, device->flash, otadata.active, LB_OTADATA_VALID);
}

/* The same of a rejection, whose record does not count any more then: its index, or LB_OTADATA_NONE. */
static int find_half_rejected(const struct lb_otadata *otadata, const struct lb_device *device,
                              const struct lb_partition *running)
{
  uint32_t slots = lb_table_ota_count(device->table);
  for (int i = 0; i < (int)LB_OTADATA_RECORDS && slots > 0 && lb_partition_is_ota(running); i++) {
    const struct lb_trial *trial = &otadata->records[i].trial;
    if (trial->rejected && !trial->mirrored &&
        lb_otadata_slot_of(otadata, i, slots) == running->subtype - (uint32_t)LB_SUBTYPE_OTA_0) {
      return i;
    }
  }
  return LB_OTADATA_NONE;
}

int lb_trial_reject(const struct lb_device *device, const struct lb_partition *running, enum lb_trial_cause cause)
{
  struct lb_otadata otadata;
  int err = lb_trial_find(&otadata, device, running);
  int index = err == LB_OK ? otadata.active : LB_OTADATA_NONE;
  if (err == LB_ERR_NOT_ON_TRIAL) {
    index = find_half_rejected(&otadata, device, running);
  }
  return index == LB_OTADATA_NONE ? err : lb_trial_mark_rejected(&otadata, device->flash, index, cause);
}
