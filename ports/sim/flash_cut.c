// SPDX-License-Identifier: MIT
/* The power switch: what is left on the chip when the power goes in the middle of an operation. */
#include "ports/sim/flash.h"
#include "ports/sim/flash_parts.h"

/* splitmix64: small, well mixed, and the same everywhere. */
static uint64_t random_next(struct sim_flash *flash)
{
  uint64_t mixed = flash->random += 0x9E3779B97F4A7C15U;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31);
}

static uint32_t random_below(struct sim_flash *flash, uint32_t bound)
{
  return (uint32_t)(random_next(flash) % bound);
}

void sim_flash_seed(struct sim_flash *flash, uint64_t seed)
{
  flash->random = seed;
}

void sim_flash_cut_at(struct sim_flash *flash, uint64_t operation_number, enum sim_cut cut)
{
  flash->cut_countdown = operation_number;
  flash->cut = cut;
  flash->cut_fired = false;
}

bool sim_flash_cut_fired(const struct sim_flash *flash)
{
  return flash->cut_fired;
}

void sim_flash_power_on(struct sim_flash *flash)
{
  flash->powered = true;
}

bool sim_flash_cut_is_due(struct sim_flash *flash)
{
  if (flash->cut_countdown == 0 || --flash->cut_countdown > 0) {
    return false;
  }
  flash->cut_fired = true;
  flash->powered = false;
  return true;
}

/* Half of the cuts leave the first bytes programmed, the others any of the bits that were to be cleared. */
void sim_flash_cut_program(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length)
{
  if (flash->cut == SIM_CUT_BEFORE) {
    return;
  }
  const bool as_prefix = random_below(flash, 2) == 0;
  const uint32_t prefix = random_below(flash, length);
  for (uint32_t i = 0; i < length; i++) {
    uint8_t spared = (uint8_t)random_next(flash);
    if (as_prefix) {
      spared = i < prefix ? 0x00 : 0xFF;
    }
    flash->bytes[address + i] &= (uint8_t)(data[i] | spared);
  }
}

/*
 * A block that is being erased falls into three parts, each of any length: what is erased, what is in between and reads
 * as noise (chips program a block before they erase it, so any bit may be either), what is still old. Which of the
 * ends comes first is left to chance, too.
 */
void sim_flash_cut_erase(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  if (flash->cut == SIM_CUT_BEFORE) {
    return;
  }
  const uint32_t erased = random_below(flash, length + 1);
  const uint32_t noise = random_below(flash, length - erased + 1);
  const bool from_end = random_below(flash, 2) == 1;
  for (uint32_t i = 0; i < erased + noise; i++) {
    const uint32_t at = address + (from_end ? length - 1 - i : i);
    flash->bytes[at] = i < erased ? 0xFF : (uint8_t)random_next(flash);
  }
}
