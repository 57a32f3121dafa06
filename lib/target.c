// SPDX-License-Identifier: MIT
#include "lifeboat/target.h"

#include "lib/otadata_parts.h"
#include "lifeboat/error.h"
#include "lifeboat/journal.h"
#include "lifeboat/stage.h"
#include "lifeboat/trial.h"

int lb_target_start(struct lb_target *target, const struct lb_device *device, const struct lb_partition *running)
{
  struct lb_otadata otadata;
  target->device = device;
  target->running = *running;
  target->number = 0;
  target->verifying = false;
  target->count = lb_table_ota_count(device->table);
  if (target->count == 0 || (target->count == 1 && lb_partition_is_ota(running))) {
    return LB_ERR_NO_TARGET;
  }
  target->has_selected = lb_otadata_read(&otadata, device) == LB_OK &&
                         lb_otadata_selected(&otadata, device->table, &target->selected) == LB_OK;
  return LB_OK;
}

/* All slots verify: the first one that otadata does not select, or simply the first. */
static int choose_among_good(struct lb_target *target)
{
  for (uint32_t number = 0; number < target->count; number++) {
    int err = lb_table_ota_slot(target->device->table, number, &target->slot);
    if (err) {
      return err;
    }
    if (!target->has_selected || !lb_partition_same(&target->slot, &target->selected)) {
      return LB_OK;
    }
  }
  return lb_table_ota_slot(target->device->table, 0, &target->slot);
}

/* What runs cannot be selected instead (a test app): then the selected slot is no target, whatever it holds. */
static bool must_stay_selected(const struct lb_target *target)
{
  bool factory_runs = target->running.subtype == LB_SUBTYPE_FACTORY;
  return !factory_runs && target->has_selected && lb_partition_same(&target->slot, &target->selected);
}

/* Does the slot have a journal, or does a patch wait in its tail? */
static bool has_signs(const struct lb_target *target)
{
  const struct lb_flash *flash = target->device->flash;
  struct lb_journal journal;
  struct lb_stage stage;
  return lb_journal_read(&journal, flash, &target->slot) == LB_OK ||
         lb_stage_open(&stage, flash, &target->slot) == LB_OK;
}

/*
 * Is there an update that can be gone on with? Its image may be whole already, and not be selected yet. If a record
 * means the slot it was selected since, and only its journal was not closed, or its patch not discarded.
 */
static bool was_interrupted(const struct lb_target *target)
{
  struct lb_otadata otadata;
  uint32_t slots = target->count;
  if (!has_signs(target)) {
    return false;
  }
  if (lb_otadata_read(&otadata, target->device) != LB_OK) {
    return true;
  }
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    const struct lb_otadata_record *record = &otadata.records[i];
    if ((record->usable || record->trial.rejected) && lb_otadata_slot_of(&otadata, i, slots) == target->number) {
      return false;
    }
  }
  return true;
}

/* The next one in turn, without the one that a failed trial of the running one goes back to, if there is another. */
static int choose_in_turn(struct lb_target *target)
{
  uint32_t running = target->running.subtype - (uint32_t)LB_SUBTYPE_OTA_0;
  for (uint32_t step = 1; step < target->count; step++) {
    uint32_t number = (running + step) % target->count;
    int err = lb_table_ota_slot(target->device->table, number, &target->slot);
    if (err || lb_target_not_fallback(target->device, &target->running, &target->slot) != LB_ERR_TARGET_FALLBACK) {
      return err;
    }
  }
  return lb_table_ota_slot(target->device->table, (running + 1U) % target->count, &target->slot);
}

int lb_target_step(struct lb_target *target)
{
  const struct lb_table *table = target->device->table;
  if (lb_partition_is_ota(&target->running)) {
    return choose_in_turn(target);
  }
  if (!target->verifying) {
    if (lb_table_ota_slot(table, target->number, &target->slot) != LB_OK) {
      return choose_among_good(target);
    }
    if (was_interrupted(target) && !must_stay_selected(target)) {
      return LB_OK;
    }
    target->verifying = true;
    int err = lb_verify_start(&target->verify, target->device, &target->slot);
    return err ? err : LB_MORE;
  }
  int result = lb_verify_step(&target->verify);
  if (lb_error_is_of_image(result) && !must_stay_selected(target)) {
    return LB_OK;
  }
  if (result == LB_OK || lb_error_is_of_image(result)) {
    target->verifying = false;
    target->number++;
    return LB_MORE;
  }
  return result;
}

int lb_target_allowed(const struct lb_table *table, const struct lb_partition *running, const struct lb_partition *slot)
{
  struct lb_partition known;
  if (lb_partition_same(running, slot)) {
    return LB_ERR_TARGET_RUNNING;
  }
  if (lb_table_find(table, slot->type, slot->subtype, &known) != LB_OK || !lb_partition_same(&known, slot)) {
    return LB_ERR_NOT_FOUND;
  }
  if (!lb_partition_is_ota(slot)) {
    return LB_ERR_TARGET_FACTORY;
  }
  if ((known.flags & (LB_FLAG_READ_ONLY | LB_FLAG_ENCRYPTED)) != 0) {
    return LB_ERR_TARGET_PROTECTED;
  }
  return lb_table_ota_slot(table, slot->subtype - (uint32_t)LB_SUBTYPE_OTA_0, &known);
}

int lb_target_not_selected(const struct lb_device *device, const struct lb_partition *slot)
{
  struct lb_otadata otadata;
  int err = lb_otadata_read(&otadata, device);
  if (err) {
    return err;
  }
  return lb_otadata_means(&otadata, device->table, otadata.active, slot) ? LB_ERR_TARGET_SELECTED : LB_OK;
}

int lb_target_not_fallback(const struct lb_device *device, const struct lb_partition *running,
                           const struct lb_partition *slot)
{
  struct lb_otadata otadata;
  if (!lb_partition_is_ota(running)) {
    return LB_OK; /* factory is always there to go back to */
  }
  int err = lb_otadata_read(&otadata, device);
  if (err == LB_ERR_NO_OTADATA || err == LB_ERR_OTADATA_SECTOR) {
    return LB_OK;
  }
  if (err) {
    return err;
  }
  bool is_fallback = lb_otadata_means(&otadata, device->table, lb_otadata_confirmed(&otadata), slot);
  bool proven = lb_otadata_slot_counts(&otadata, device->table, running->subtype - (uint32_t)LB_SUBTYPE_OTA_0);
  return is_fallback && !proven ? LB_ERR_TARGET_FALLBACK : LB_OK;
}

int lb_target_for_update(const struct lb_device *device, const struct lb_partition *running,
                         const struct lb_partition *slot, bool *in_danger)
{
  struct lb_otadata otadata;
  int err = lb_target_not_fallback(device, running, slot);
  *in_danger = err == LB_ERR_TARGET_FALLBACK && lb_trial_find(&otadata, device, running) != LB_OK;
  return *in_danger ? LB_OK : err;
}
