// SPDX-License-Identifier: MIT
/*
 * Before an update touches its target no record of otadata may mean that slot any more: neither what boots next nor
 * what a failed trial goes back to nor what may be chosen again as confirmed. What the running firmware can answer for
 * takes its place.
 */
#include <stddef.h>

#include "lib/otadata_parts.h"
#include "lib/update_parts.h"
#include "lifeboat/error.h"

enum retiring { BEGIN, PROVE, PLAN, END_TRIAL, VERIFY, SELECT_SLOT, SELECT_FACTORY, MAKE_VOID };

static bool means_target(const struct lb_update *update, int index)
{
  const struct lb_table *table = update->config.device->table;
  const struct lb_otadata *otadata = &update->select.otadata;
  uint32_t slots = lb_table_ota_count(table);
  return index != LB_OTADATA_NONE && slots > 0 && otadata->records[index].usable &&
         lb_otadata_slot_of(otadata, index, slots) == update->config.target.subtype - (uint32_t)LB_SUBTYPE_OTA_0;
}

bool lb_update_target_is_selected(const struct lb_update *update)
{
  const struct lb_otadata *otadata = &update->select.otadata;
  return lb_otadata_means(otadata, update->config.device->table, otadata->active, &update->config.target);
}

bool lb_update_target_is_fallback(const struct lb_update *update)
{
  return means_target(update, lb_otadata_confirmed(&update->select.otadata));
}

/* Verifying used the hash that the stream goes through: the inspector has to see the head again. */
static int show_head_again(struct lb_update *update)
{
  int result = lb_update_start_image(update);
  if (result == LB_OK) {
    result = lb_image_write(&update->image, update->head, update->received, NULL);
  }
  return result < 0 ? result : LB_OK;
}

/* Is what the target holds, whole, what was confirmed there, or at least nothing that failed? */
static bool is_what_was_confirmed(const struct lb_update *update)
{
  const struct lb_otadata *otadata = &update->select.otadata;
  const uint8_t *digest = update->select.verify.image.info.digest;
  int index = lb_otadata_confirmed(otadata);
  return index == LB_OTADATA_NONE ? !lb_otadata_has_failed(otadata, digest)
                                  : lb_otadata_is_about(&otadata->records[index], digest);
}

/*
 * The target holds what a failed trial goes back to, and the running firmware has not proved itself. Only if that does
 * not verify any more, or is something else by now, nothing is lost.
 */
static int prove(struct lb_update *update)
{
  int result = lb_verify_step(&update->select.verify);
  if (result == LB_OK && is_what_was_confirmed(update)) {
    return LB_ERR_TARGET_FALLBACK;
  }
  if (result != LB_OK && !lb_error_is_of_image(result)) {
    return result;
  }
  update->touched_flash = true;
  update->retiring = PLAN;
  result = show_head_again(update);
  return result ? result : LB_MORE;
}

static int begin(struct lb_update *update)
{
  update->retiring = update->in_danger ? PROVE : PLAN;
  if (!update->in_danger) {
    return LB_MORE;
  }
  int err = lb_verify_start(&update->select.verify, update->config.device, &update->config.target);
  return err ? err : LB_MORE;
}

/* Something else than the target has to be selected: the running slot, once its digest is known, or factory. */
static int begin_selecting(struct lb_update *update)
{
  const struct lb_update_config *config = &update->config;
  if (!lb_partition_is_ota(&config->running)) {
    update->retiring = SELECT_FACTORY;
    return LB_MORE;
  }
  update->retiring = VERIFY;
  int err = lb_verify_start(&update->select.verify, config->device, &config->running);
  return err ? err : LB_MORE;
}

/* What is next, by what otadata says now? LB_OK: nothing means the target any more. */
static int plan(struct lb_update *update)
{
  struct lb_otadata *otadata = &update->select.otadata;
  int err = lb_otadata_read(otadata, update->config.device);
  if (err) {
    return err;
  }
  if (lb_otadata_on_trial(otadata, otadata->active) && means_target(update, otadata->active)) {
    update->retiring = END_TRIAL; /* it never ran: what was confirmed before it is selected again */
    return LB_MORE;
  }
  /* Without any record nothing can be done about a target that boots by default: there is nowhere to go. */
  bool recorded = lb_update_target_is_fallback(update) || means_target(update, otadata->active);
  if (recorded && !update->in_danger) { /* else the running firmware can answer for nothing */
    return begin_selecting(update);
  }
  if (means_target(update, 0) || means_target(update, 1)) {
    update->retiring = MAKE_VOID;
    return LB_MORE;
  }
  update->state = LB_UPDATE_JOURNALING;
  return LB_OK;
}

/* The running slot's digest belongs to its selection. What does not verify any more must not be what boots next. */
static int verify_running(struct lb_update *update)
{
  int result = lb_verify_step(&update->select.verify);
  if (result == LB_OK) {
    update->retiring = SELECT_SLOT;
    result = show_head_again(update);
    return result ? result : LB_MORE;
  }
  return lb_error_is_of_image(result) ? LB_ERR_NOT_BOOTABLE : result;
}

static int select_running(struct lb_update *update)
{
  const struct lb_selection selection = {
      .slot = update->config.running.subtype - (uint32_t)LB_SUBTYPE_OTA_0,
      .digest = update->select.verify.image.info.digest,
  };
  return lb_otadata_select_slot(&update->select.otadata, update->config.device, &selection);
}

static int make_void(struct lb_update *update)
{
  return lb_otadata_make_void(&update->select.otadata, update->config.device->flash, means_target(update, 0) ? 0 : 1);
}

int lb_update_retire(struct lb_update *update)
{
  const struct lb_device *device = update->config.device;
  int result = LB_ERR_STATE;
  switch ((enum retiring)update->retiring) {
  case BEGIN:
    return begin(update);
  case PROVE:
    return prove(update);
  case PLAN:
    return plan(update);
  case VERIFY:
    return verify_running(update);
  case END_TRIAL:
    result = lb_otadata_retire_trial(&update->select.otadata, device);
    break;
  case SELECT_SLOT:
    result = select_running(update);
    break;
  case SELECT_FACTORY:
    result = lb_otadata_select_factory(&update->select.otadata, device);
    break;
  case MAKE_VOID:
    result = make_void(update);
    break;
  }
  if (result == LB_OK) { /* it is done, and otadata has to be looked at again */
    update->retiring = PLAN;
    result = LB_MORE;
  }
  return result;
}
