// SPDX-License-Identifier: MIT
/* What an update is judged by before the target is touched, and the selection that moves away from it first. */
#include <stddef.h>

#include "lib/common.h"
#include "lib/update_parts.h"
#include "lifeboat/error.h"

static int judge_project(const struct lb_update *update)
{
  const char *wanted = update->config.project;
  const char *named = update->image.info.description.project;
  if (!wanted || wanted[0] == '\0' || named[0] == '\0') {
    return LB_OK;
  }
  return lb_same_text(wanted, named) ? LB_OK : LB_ERR_IMAGE_PROJECT;
}

int lb_update_judge_length(const struct lb_update *update)
{
  uint32_t size = update->config.size;
  return size != LB_SIZE_UNKNOWN && update->image.info.length > size ? LB_ERR_IMAGE_TRUNCATED : LB_OK;
}

static int judge_past(const struct lb_update *update, bool complete)
{
  const struct lb_update_config *config = &update->config;
  bool failed = config->failed_before && config->failed_before(config->failed_context, &update->image.info, complete);
  return failed ? LB_ERR_FAILED_BEFORE : LB_OK;
}

int lb_update_judge_whole(const struct lb_update *update)
{
  return judge_past(update, true);
}

/* Can otadata say that this partition boots next? Not of a test app, nor of a slot behind a gap in the numbers. */
static bool can_be_selected(const struct lb_table *table, const struct lb_partition *partition)
{
  struct lb_partition slot;
  if (lb_partition_is_ota(partition)) {
    return lb_table_ota_slot(table, partition->subtype - (uint32_t)LB_SUBTYPE_OTA_0, &slot) == LB_OK;
  }
  return partition->type == LB_TYPE_APP && partition->subtype == LB_SUBTYPE_FACTORY;
}

static bool target_is_selected(const struct lb_update *update)
{
  struct lb_partition selected;
  return lb_otadata_selected(&update->select.otadata, update->config.device->table, &selected) == LB_OK &&
         lb_partition_same(&selected, &update->config.target);
}

int lb_update_judge(struct lb_update *update)
{
  const struct lb_device *device = update->config.device;
  int err = lb_image_judge_application(&update->image);
  if (err == LB_OK) {
    err = judge_project(update);
  }
  if (err == LB_OK) {
    err = lb_update_judge_length(update);
  }
  if (err == LB_OK) {
    err = judge_past(update, false);
  }
  if (err == LB_OK) {
    err = lb_otadata_read(&update->select.otadata, device);
  }
  if (err) {
    return err;
  }
  bool is_selected = target_is_selected(update);
  if (is_selected && (update->config.only_write || !can_be_selected(device->table, &update->config.running))) {
    return LB_ERR_TARGET_SELECTED;
  }
  if (is_selected && update->resumed) { /* what is selected is whole; to retire it takes the hash from the stream */
    return LB_ERR_NO_JOURNAL;
  }
  update->touched_flash = true;
  update->state = is_selected ? LB_UPDATE_RETIRING : LB_UPDATE_JOURNALING;
  return LB_OK;
}

/* ---- the selection moves away ---- */

enum retiring { BEGIN, END_TRIAL, VERIFY, SELECT_SLOT, SELECT_FACTORY };

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

/* A target on trial that never ran is given up first: then what was confirmed before it is selected again. */
static int begin_retiring(struct lb_update *update)
{
  const struct lb_otadata *otadata = &update->select.otadata;
  if (lb_otadata_on_trial(otadata, otadata->active)) {
    update->retiring = END_TRIAL;
    return LB_MORE;
  }
  return begin_selecting(update);
}

static int end_trial(struct lb_update *update)
{
  const struct lb_device *device = update->config.device;
  int result = lb_otadata_retire_trial(&update->select.otadata, device);
  if (result == LB_OK) {
    result = lb_otadata_read(&update->select.otadata, device);
    return result == LB_OK && target_is_selected(update) ? begin_selecting(update) : result;
  }
  return result;
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

int lb_update_retire(struct lb_update *update)
{
  int result = LB_ERR_STATE;
  switch ((enum retiring)update->retiring) {
  case BEGIN:
    result = begin_retiring(update);
    break;
  case END_TRIAL:
    result = end_trial(update);
    break;
  case VERIFY:
    result = verify_running(update);
    break;
  case SELECT_SLOT:
    result = select_running(update);
    break;
  case SELECT_FACTORY:
    result = lb_otadata_select_factory(&update->select.otadata, update->config.device);
    break;
  }
  if (result == LB_OK) {
    update->state = LB_UPDATE_JOURNALING;
  }
  return result;
}
