// SPDX-License-Identifier: MIT
/* How long the chip takes, and what happens meanwhile. */
#include <stddef.h>

#include "ports/sim/flash.h"
#include "ports/sim/flash_parts.h"

#define NS_PER_US 1000U

const struct sim_timing sim_timing_w25q128jv = {
    .program_us = 700,
    .erase_us = {45000, 120000, 150000},
    .read_ns = 50,
};

void sim_flash_set_timing(struct sim_flash *flash, const struct sim_timing *timing, struct sim_clock *clock)
{
  flash->timing = timing && clock ? timing : NULL;
  flash->clock = clock;
  flash->owed_ns = 0;
}

static void spend_busy(struct sim_flash *flash, uint32_t us)
{
  flash->busy = true;
  while (us > 0) {
    const uint32_t slice = us < SIM_CLOCK_SLICE_US ? us : SIM_CLOCK_SLICE_US;
    sim_clock_spend_us(flash->clock, slice);
    us -= slice;
    if (flash->idle.poll) {
      flash->idle.poll(flash->idle.context);
    }
  }
  flash->busy = false;
}

/* The processor itself fetches the bytes, so nothing is polled while reading. */
void sim_flash_spend_read(struct sim_flash *flash, uint32_t length)
{
  if (!flash->timing) {
    return;
  }
  const uint64_t ns = (uint64_t)length * flash->timing->read_ns + flash->owed_ns;
  flash->owed_ns = (uint32_t)(ns % NS_PER_US);
  sim_clock_spend_us(flash->clock, ns / NS_PER_US);
}

void sim_flash_spend_program(struct sim_flash *flash)
{
  if (flash->timing) {
    spend_busy(flash, flash->timing->program_us);
  }
}

void sim_flash_spend_erase(struct sim_flash *flash, uint32_t size_index)
{
  if (flash->timing) {
    spend_busy(flash, flash->timing->erase_us[size_index]);
  }
}
