// SPDX-License-Identifier: MIT
/* Broken parts of the chip. */
#include "ports/sim/flash.h"
#include "ports/sim/flash_parts.h"

bool sim_flash_set_fault(struct sim_flash *flash, enum sim_fault kind, uint32_t address, uint32_t length,
                         uint32_t times)
{
  if (flash->fault_count == SIM_FLASH_FAULTS) {
    return false;
  }
  flash->faults[flash->fault_count++] =
      (struct sim_flash_fault){.kind = kind, .range = {.address = address, .length = length}, .times_left = times};
  return true;
}

void sim_flash_clear_faults(struct sim_flash *flash)
{
  flash->fault_count = 0;
}

uint64_t sim_flash_fault_hits(const struct sim_flash *flash)
{
  return flash->fault_hits;
}

static bool touches(const struct sim_flash_range *range, uint32_t address, uint32_t length)
{
  return address < (uint64_t)range->address + range->length && range->address < (uint64_t)address + length;
}

bool sim_flash_fault_hit(struct sim_flash *flash, enum sim_fault kind, uint32_t address, uint32_t length)
{
  for (uint32_t i = 0; i < flash->fault_count; i++) {
    struct sim_flash_fault *fault = &flash->faults[i];
    if (fault->kind == kind && touches(&fault->range, address, length)) {
      flash->fault_hits++;
      if (fault->times_left != SIM_FAULT_ALWAYS && --fault->times_left == 0) {
        *fault = flash->faults[--flash->fault_count];
      }
      return true;
    }
  }
  return false;
}
