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

/* flash_random.c: random numbers from the seed; the first also one below a bound, which is not 0. */
uint64_t sim_flash_random(struct sim_flash *flash);
uint32_t sim_flash_random_below(struct sim_flash *flash, uint32_t bound);

/*
 * flash_unstable.c: an operation that was cut left bits unstable (a mask for each byte of the range, LB_OK or no
 * memory); what was read is changed where it is unstable; a program or an erase makes bits stable.
 */
bool sim_flash_unstable_begin(struct sim_flash *flash, uint32_t address, uint32_t length);
void sim_flash_unstable_read(struct sim_flash *flash, uint32_t address, uint8_t *buffer, uint32_t length);
void sim_flash_unstable_program(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length);
void sim_flash_unstable_erase(struct sim_flash *flash, uint32_t address, uint32_t length);

/* flash_fault.c: is one of these kinds set for a range? Then it has happened now. */
bool sim_flash_fault_hit(struct sim_flash *flash, enum sim_fault kind, uint32_t address, uint32_t length);

/* flash_snapshot.c: frees what marks need. */
void sim_flash_free_marks(struct sim_flash *flash);

#endif
