// SPDX-License-Identifier: MIT
/* Chance, as the seed has it: splitmix64, which is small, well mixed, and the same everywhere. */
#include "ports/sim/flash.h"
#include "ports/sim/flash_parts.h"

uint64_t sim_flash_random(struct sim_flash *flash)
{
  uint64_t mixed = flash->random += 0x9E3779B97F4A7C15U;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31);
}

uint32_t sim_flash_random_below(struct sim_flash *flash, uint32_t bound)
{
  return (uint32_t)(sim_flash_random(flash) % bound);
}

void sim_flash_seed(struct sim_flash *flash, uint64_t seed)
{
  flash->random = seed;
}
