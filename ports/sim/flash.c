// SPDX-License-Identifier: MIT
/* The chip itself: what reading, programming and erasing do to the bytes, and the counting of it. */
#include "ports/sim/flash.h"

#include <stddef.h>
#include <string.h>

#include "ports/sim/flash_parts.h"

#define DRIVER_FAILED (-1)

static bool is_inside(const struct sim_flash *flash, uint32_t address, uint32_t length)
{
  return length <= flash->driver.size && address <= flash->driver.size - length;
}

static bool is_protected(const struct sim_flash *flash, uint32_t address, uint32_t length)
{
  for (uint32_t i = 0; i < flash->protected_count; i++) {
    const struct sim_flash_range *range = &flash->protected_ranges[i];
    if (address < (uint64_t)range->address + range->length && range->address < (uint64_t)address + length) {
      return true;
    }
  }
  return false;
}

/* A chip without power, or one that is busy because the idle poll came back to it, does nothing. */
static bool is_ready(const struct sim_flash *flash)
{
  return flash->power.on && !flash->busy;
}

/* What programs and erases have in common: may this one happen? */
static bool may_change(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  if (!is_ready(flash) || flash->read_only) {
    return false;
  }
  if (is_protected(flash, address, length)) {
    flash->counters.violations++;
    return false;
  }
  return sim_flash_touch(flash, address, length);
}

static int driver_read(void *context, uint32_t address, void *buffer, uint32_t length)
{
  struct sim_flash *flash = context;
  if (!is_ready(flash)) {
    return DRIVER_FAILED;
  }
  if (!is_inside(flash, address, length)) {
    flash->counters.refused++;
    return DRIVER_FAILED;
  }
  if (sim_flash_fault_hit(flash, SIM_FAULT_READ_FAILS, address, length)) {
    return DRIVER_FAILED;
  }
  if (length > 0) {
    memcpy(buffer, flash->bytes + address, length);
    sim_flash_unstable_read(flash, address, buffer, length);
  }
  flash->counters.reads++;
  flash->counters.bytes_read += length;
  sim_flash_spend_read(flash, length);
  return 0;
}

static void clear_bits(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    flash->bytes[address + i] &= data[i];
  }
  sim_flash_unstable_program(flash, address, data, length);
}

static int driver_program(void *context, uint32_t address, const void *data, uint32_t length)
{
  struct sim_flash *flash = context;
  const uint8_t *bytes = data;
  const uint32_t page = flash->driver.page_size;
  if (!is_inside(flash, address, length) || length == 0 || length > page - address % page) {
    flash->counters.refused++;
    return DRIVER_FAILED;
  }
  if (!may_change(flash, address, length)) {
    return DRIVER_FAILED;
  }
  if (sim_flash_cut_is_due(flash)) {
    sim_flash_cut_program(flash, address, bytes, length);
    return DRIVER_FAILED;
  }
  if (sim_flash_fault_hit(flash, SIM_FAULT_PROGRAM_FAILS, address, length)) {
    return DRIVER_FAILED;
  }
  if (!sim_flash_fault_hit(flash, SIM_FAULT_PROGRAM_IGNORED, address, length)) {
    clear_bits(flash, address, bytes, length);
  }
  flash->counters.programs++;
  flash->counters.bytes_programmed += length;
  sim_flash_spend_program(flash);
  return 0;
}

/* Which of the chip's erase sizes this is, or LB_FLASH_ERASE_SIZES. */
static uint32_t erase_size_index(const struct sim_flash *flash, uint32_t length)
{
  uint32_t index = 0;
  while (index < LB_FLASH_ERASE_SIZES && (length == 0 || flash->driver.erase_sizes[index] != length)) {
    index++;
  }
  return index;
}

static void set_bits(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  const uint32_t sector = flash->driver.erase_sizes[0];
  memset(flash->bytes + address, 0xFF, length);
  sim_flash_unstable_erase(flash, address, length);
  for (uint32_t at = address; at < address + length; at += sector) {
    flash->wear[at / sector]++;
  }
}

static int driver_erase(void *context, uint32_t address, uint32_t length)
{
  struct sim_flash *flash = context;
  const uint32_t index = erase_size_index(flash, length);
  if (index == LB_FLASH_ERASE_SIZES || !is_inside(flash, address, length) || address % length != 0) {
    flash->counters.refused++;
    return DRIVER_FAILED;
  }
  if (!may_change(flash, address, length)) {
    return DRIVER_FAILED;
  }
  if (sim_flash_cut_is_due(flash)) {
    sim_flash_cut_erase(flash, address, length);
    return DRIVER_FAILED;
  }
  if (sim_flash_fault_hit(flash, SIM_FAULT_ERASE_FAILS, address, length)) {
    return DRIVER_FAILED;
  }
  if (!sim_flash_fault_hit(flash, SIM_FAULT_ERASE_IGNORED, address, length)) {
    set_bits(flash, address, length);
  }
  flash->counters.erases++;
  flash->counters.erases_by_size[index]++;
  flash->counters.bytes_erased += length;
  sim_flash_spend_erase(flash, index);
  return 0;
}

void sim_flash_attach(struct sim_flash *flash, uint8_t *bytes, uint32_t *wear, const struct sim_geometry *geometry)
{
  flash->bytes = bytes;
  flash->wear = wear;
  flash->power.on = true;
  flash->driver = (struct lb_flash){
      .context = flash,
      .read = driver_read,
      .program = driver_program,
      .erase = driver_erase,
      .size = geometry->size,
      .page_size = geometry->page_size,
  };
  memcpy(flash->driver.erase_sizes, geometry->erase_sizes, sizeof flash->driver.erase_sizes);
}

uint8_t *sim_flash_bytes(struct sim_flash *flash)
{
  return flash->bytes;
}

const struct sim_flash_counters *sim_flash_counters(const struct sim_flash *flash)
{
  return &flash->counters;
}

void sim_flash_clear_counters(struct sim_flash *flash)
{
  memset(&flash->counters, 0, sizeof flash->counters);
}

uint32_t sim_flash_wear(const struct sim_flash *flash, uint32_t address)
{
  return address < flash->driver.size ? flash->wear[address / flash->driver.erase_sizes[0]] : 0;
}

uint32_t sim_flash_wear_max(const struct sim_flash *flash)
{
  uint32_t most = 0;
  for (uint32_t i = 0; i < flash->driver.size / flash->driver.erase_sizes[0]; i++) {
    most = flash->wear[i] > most ? flash->wear[i] : most;
  }
  return most;
}

uint64_t sim_flash_wear_total(const struct sim_flash *flash)
{
  uint64_t total = 0;
  for (uint32_t i = 0; i < flash->driver.size / flash->driver.erase_sizes[0]; i++) {
    total += flash->wear[i];
  }
  return total;
}

bool sim_flash_protect(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  if (flash->protected_count == SIM_FLASH_PROTECTED) {
    return false;
  }
  flash->protected_ranges[flash->protected_count++] = (struct sim_flash_range){.address = address, .length = length};
  return true;
}

void sim_flash_unprotect_all(struct sim_flash *flash)
{
  flash->protected_count = 0;
}
