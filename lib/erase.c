// SPDX-License-Identifier: MIT
#include "lifeboat/erase.h"

#include "lifeboat/error.h"
#include "lifeboat/journal.h"
#include "lifeboat/target.h"

int lb_erase_start(struct lb_erase *erase, const struct lb_device *device, const struct lb_partition *running,
                   const struct lb_partition *slot)
{
  int err = lb_target_allowed(device->table, running, slot);
  if (err == LB_OK) {
    err = lb_target_not_selected(device, slot);
  }
  if (err == LB_OK) {
    err = lb_target_not_fallback(device, running, slot);
  }
  uint32_t sector = lb_flash_sector(device->flash);
  if (err == LB_OK && ((slot->offset | slot->size) & (sector - 1U)) != 0) {
    err = LB_ERR_TARGET_SECTORS;
  }
  erase->flash = device->flash;
  erase->slot = *slot;
  erase->address = slot->offset;
  erase->journal_gone = false;
  erase->end = err ? slot->offset : slot->offset + slot->size; /* what was refused has nothing to erase */
  return err;
}

int lb_erase_step(struct lb_erase *erase)
{
  uint32_t erased = 0;
  if (erase->address == erase->end) {
    return LB_OK;
  }
  if (!erase->journal_gone) { /* else a cut would leave the journal of an update whose blocks are gone */
    int result = lb_journal_discard(erase->flash, &erase->slot, &erase->journal_gone);
    if (result || erase->journal_gone) {
      return result ? result : LB_MORE;
    }
    erase->journal_gone = true;
  }
  int err = lb_flash_erase_one(erase->flash, erase->address, erase->end, &erased);
  erase->address += erased;
  return err || erase->address == erase->end ? err : LB_MORE;
}
