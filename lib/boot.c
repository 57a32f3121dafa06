// SPDX-License-Identifier: MIT
#include "lifeboat/boot.h"

#include <stddef.h>
#include <string.h>

#include "lifeboat/error.h"

/* What the steps of one decision share. */
struct attempt {
  const struct lb_device *device;
  struct lb_verify *verify;
  const struct lb_boot_log *log;
  struct lb_boot_decision *decision;
};

static void report(const struct lb_boot_log *log, enum lb_boot_event event, int result,
                   const struct lb_partition *partition, const struct lb_image_info *image)
{
  if (log) {
    log->report(log->context, event, result, partition, image);
  }
}

static int load_table(struct lb_device *device, struct lb_table *table, const struct lb_boot_log *log)
{
  int err = lb_table_read(table, device->flash, device->md5);
  device->table = table;
  report(log, LB_BOOT_EVENT_TABLE, table->first_error, NULL, NULL);
  if (err == LB_OK && table->first_error != LB_OK) {
    report(log, LB_BOOT_EVENT_COPY, LB_OK, NULL, NULL);
  }
  return err;
}

/* Finds what should boot: by otadata if it can be read and selects something, else the table's default. */
static int find_selected(const struct attempt *attempt, enum lb_boot_reason *reason)
{
  struct lb_otadata otadata;
  struct lb_partition *selected = &attempt->decision->selected;
  int err = lb_otadata_read(&otadata, attempt->device);
  *reason = err == LB_OK && otadata.active != LB_OTADATA_NONE ? LB_BOOT_SELECTED : LB_BOOT_DEFAULT;
  int found = lb_otadata_selected(&otadata, attempt->device->table, selected);
  report(attempt->log, LB_BOOT_EVENT_SELECTED, err, found == LB_OK ? selected : NULL, NULL);
  return found;
}

static int try_slot(const struct attempt *attempt, const struct lb_partition *slot, enum lb_boot_reason reason)
{
  int result = lb_verify_partition(attempt->verify, attempt->device, slot);
  report(attempt->log, LB_BOOT_EVENT_TRIED, result, slot, &attempt->verify->image.info);
  if (result == LB_OK) {
    attempt->decision->partition = *slot;
    attempt->decision->reason = reason;
  }
  return result;
}

/* Factory comes first in the order of app slots, so one walk does both fallbacks. */
static int fall_back(const struct attempt *attempt)
{
  struct lb_partition slot;
  for (uint32_t i = 0; lb_table_app_slot(attempt->device->table, i, &slot) == LB_OK; i++) {
    bool factory = slot.subtype == LB_SUBTYPE_FACTORY;
    bool tried = lb_partition_same(&slot, &attempt->decision->selected);
    if (!tried && try_slot(attempt, &slot, factory ? LB_BOOT_FALLBACK_FACTORY : LB_BOOT_FALLBACK_OTHER) == LB_OK) {
      return LB_OK;
    }
  }
  return LB_ERR_NOTHING_BOOTS;
}

int lb_boot(struct lb_device *device, struct lb_table *table, struct lb_verify *verify, const struct lb_boot_log *log,
            struct lb_boot_decision *decision)
{
  const struct attempt attempt = {.device = device, .verify = verify, .log = log, .decision = decision};
  enum lb_boot_reason reason;
  memset(decision, 0, sizeof *decision);
  int err = load_table(device, table, log);
  if (err) {
    return err;
  }
  decision->selected_error = find_selected(&attempt, &reason);
  if (decision->selected_error == LB_OK) {
    decision->selected_error = try_slot(&attempt, &decision->selected, reason);
  }
  return decision->selected_error == LB_OK ? LB_OK : fall_back(&attempt);
}
