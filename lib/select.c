// SPDX-License-Identifier: MIT
#include "lifeboat/select.h"

#include <string.h>

#include "lifeboat/error.h"

enum state { VERIFYING, SELECTING, SELECTED, FAILED };

static bool is_factory(const struct lb_partition *partition)
{
  return partition->type == LB_TYPE_APP && partition->subtype == LB_SUBTYPE_FACTORY;
}

int lb_select_start(struct lb_select *select, const struct lb_device *device, const struct lb_partition *target,
                    const struct lb_trial_terms *terms)
{
  static const struct lb_trial_terms no_trial = {0};
  struct lb_partition known;
  select->terms = terms ? *terms : no_trial;
  select->on_trial = false;
  select->written_anew = false;
  select->device = device;
  select->target = *target;
  select->state = FAILED;
  if (lb_table_find(device->table, target->type, target->subtype, &known) != LB_OK ||
      !lb_partition_same(&known, target) || !(is_factory(target) || lb_partition_is_ota(target))) {
    select->result = LB_ERR_NOT_FOUND;
    return select->result;
  }
  select->result = lb_otadata_read(&select->otadata, device); /* only to know now that there is one */
  if (select->result == LB_OK) {
    select->result = lb_verify_start(&select->verify, device, target);
  }
  if (select->result == LB_OK) {
    select->state = VERIFYING;
  }
  return select->result;
}

/* Is there a record that names this image, and is not on trial? */
static bool is_named(const struct lb_otadata *otadata, const uint8_t *digest)
{
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    const struct lb_otadata_record *record = &otadata->records[i];
    if (record->usable && record->trial.tagged && !lb_otadata_on_trial(otadata, i) &&
        memcmp(record->trial.digest, digest, LB_SHA256_SIZE) == 0) {
      return true;
    }
  }
  return false;
}

/* Is this image one that has proved itself already? */
static bool was_confirmed(const struct lb_select *select, uint32_t slot)
{
  const struct lb_trial_terms *terms = &select->terms;
  const uint8_t *digest = select->verify.image.info.digest;
  bool known = select->written_anew ? is_named(&select->otadata, digest)
                                    : lb_otadata_was_confirmed(&select->otadata, select->device->table, slot, digest);
  return known || (terms->was_confirmed && terms->was_confirmed(terms->context, digest));
}

static int begin_selection(struct lb_select *select)
{
  int err = lb_otadata_read(&select->otadata, select->device); /* others may have selected since the start */
  if (err) {
    return err;
  }
  if (!is_factory(&select->target)) {
    select->on_trial =
        select->terms.attempts > 0 && !was_confirmed(select, select->target.subtype - (uint32_t)LB_SUBTYPE_OTA_0);
  }
  select->state = SELECTING;
  return LB_MORE;
}

static int write_selection(struct lb_select *select)
{
  if (is_factory(&select->target)) {
    return lb_otadata_select_factory(&select->otadata, select->device);
  }
  const struct lb_selection selection = {
      .slot = select->target.subtype - (uint32_t)LB_SUBTYPE_OTA_0,
      .digest = select->verify.image.info.digest,
      .attempts = select->on_trial ? select->terms.attempts : 0,
      .depot_expected = select->terms.depot_expected,
  };
  return lb_otadata_select_slot(&select->otadata, select->device, &selection);
}

int lb_select_step(struct lb_select *select)
{
  int result = select->result;
  switch ((enum state)select->state) {
  case VERIFYING:
    result = lb_verify_step(&select->verify);
    if (result == LB_OK) {
      result = begin_selection(select);
    }
    break;
  case SELECTING:
    result = write_selection(select);
    if (result == LB_OK) {
      select->state = SELECTED;
    }
    break;
  case SELECTED:
    return LB_OK;
  case FAILED:
    return result ? result : LB_ERR_STATE;
  }
  if (result < 0) {
    select->state = FAILED;
    select->result = result;
  }
  return result;
}
