// SPDX-License-Identifier: MIT
/* Erasing an OTA slot, in steps of one erase, its first block first: what is left after a cut does not begin like an
 * image. */
#ifndef LIFEBOAT_ERASE_H
#define LIFEBOAT_ERASE_H

#include <stdbool.h>

#include "lifeboat/device.h"

struct lb_erase {
  const struct lb_flash *flash;
  struct lb_partition slot;
  uint32_t address; /* erased up to here */
  uint32_t end;
  bool journal_gone; /* no interrupted update can be gone on with any more */
};

/*
 * Begins to erase `slot`. `running` is what the bootloader booted. LB_ERR_TARGET_RUNNING, LB_ERR_TARGET_FACTORY,
 * LB_ERR_TARGET_SELECTED (otadata selects it), LB_ERR_TARGET_FALLBACK, LB_ERR_TARGET_PROTECTED,
 * LB_ERR_TARGET_SECTORS, LB_ERR_NOT_FOUND, LB_ERR_NO_OTADATA, LB_ERR_FLASH_... Then there is nothing to step.
 */
int lb_erase_start(struct lb_erase *erase, const struct lb_device *device, const struct lb_partition *running,
                   const struct lb_partition *slot);

/* Discards the journal of an interrupted update first, then erases the next block: LB_MORE, then LB_OK.
 * LB_ERR_FLASH_... */
int lb_erase_step(struct lb_erase *erase);

#endif
