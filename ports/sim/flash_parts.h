// SPDX-License-Identifier: MIT
/* What the files of the simulated flash share among themselves; nobody else includes this. */
#ifndef PORTS_SIM_FLASH_PARTS_H
#define PORTS_SIM_FLASH_PARTS_H

#include "ports/sim/flash.h"

/* flash.c: makes the driver on these bytes; `wear` has an element for each sector. */
void sim_flash_attach(struct sim_flash *flash, uint8_t *bytes, uint32_t *wear, const struct sim_geometry *geometry);

/* flash_timing.c: the chip is busy with this. */
void sim_flash_spend_read(struct sim_flash *flash, uint32_t length);
void sim_flash_spend_program(struct sim_flash *flash);
void sim_flash_spend_erase(struct sim_flash *flash, uint32_t size_index);

/* flash_cut.c: counts an operation; if the power goes at this one, it is gone now, and the operation is handed over. */
bool sim_flash_cut_is_due(struct sim_flash *flash);
void sim_flash_cut_program(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length);
void sim_flash_cut_erase(struct sim_flash *flash, uint32_t address, uint32_t length);

#endif
