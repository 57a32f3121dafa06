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
  bool is_selected = lb_update_target_is_selected(update);
  bool is_fallback = lb_update_target_is_fallback(update);
  if (is_selected && (update->config.only_write || !can_be_selected(device->table, &update->config.running))) {
    return LB_ERR_TARGET_SELECTED;
  }
  if (is_fallback && update->config.only_write) {
    return LB_ERR_TARGET_FALLBACK;
  }
  if ((is_selected || is_fallback) && update->resumed) { /* it is whole; to retire it takes the hash from the stream */
    return LB_ERR_NO_JOURNAL;
  }
  update->touched_flash = !update->in_danger; /* else that is found out first */
  update->state = LB_UPDATE_RETIRING;
  return LB_OK;
}
