// SPDX-License-Identifier: MIT
/* The power switch: what is left on the chip when the power goes in the middle of an operation. */
#include "ports/sim/flash.h"
#include "ports/sim/flash_parts.h"

bool sim_cut_applies(enum sim_cut cut, enum sim_operation operation)
{
  switch (cut) {
  case SIM_CUT_PROGRAM_PREFIX:
  case SIM_CUT_PROGRAM_SUBSET:
    return operation == SIM_OPERATION_PROGRAM;
  case SIM_CUT_ERASE_MIXED:
    return operation == SIM_OPERATION_ERASE;
  case SIM_CUT_BEFORE:
  case SIM_CUT_UNSTABLE:
  case SIM_CUT_TORN:
    break;
  }
  return true;
}

const char *sim_cut_name(enum sim_cut cut)
{
  static const char *const names[] = {"before", "prefix", "subset", "mixed", "unstable", "torn"};
  return names[cut];
}

void sim_flash_cut_at(struct sim_flash *flash, uint64_t operation_number, enum sim_cut cut)
{
  flash->power.countdown = operation_number;
  flash->power.cut = cut;
  flash->power.cut_fired = false;
}

bool sim_flash_cut_fired(const struct sim_flash *flash)
{
  return flash->power.cut_fired;
}

const struct sim_cut_report *sim_flash_cut_report(const struct sim_flash *flash)
{
  return &flash->power.report;
}

void sim_flash_power_on(struct sim_flash *flash)
{
  flash->power.on = true;
}

bool sim_flash_cut_is_due(struct sim_flash *flash)
{
  if (flash->power.countdown == 0 || --flash->power.countdown > 0) {
    return false;
  }
  flash->power.cut_fired = true;
  flash->power.on = false;
  return true;
}

/* The way in which this operation is cut: what was ordered, if it is one for it; noted for whoever asks. */
static enum sim_cut note(struct sim_flash *flash, enum sim_operation operation, uint32_t address, uint32_t length)
{
  enum sim_cut cut = sim_cut_applies(flash->power.cut, operation) ? flash->power.cut : SIM_CUT_TORN;
  if (cut == SIM_CUT_UNSTABLE && !sim_flash_unstable_begin(flash, address, length)) {
    cut = SIM_CUT_BEFORE; /* without memory for it: the report says so */
  }
  flash->power.report =
      (struct sim_cut_report){.cut = cut, .operation = operation, .address = address, .length = length};
  return cut;
}

/* ---- programs ---- */

/* The first bytes are done, with `within` some bits of the next one, too. */
static void tear_prefix(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length, bool within)
{
  const uint32_t whole = sim_flash_random_below(flash, length);
  uint8_t *bytes = flash->bytes + address;
  for (uint32_t i = 0; i < whole; i++) {
    bytes[i] &= data[i];
  }
  if (within) {
    bytes[whole] &= (uint8_t)(data[whole] | (uint8_t)sim_flash_random(flash));
  }
}

/* Any of the bits: about half of them, or nearly none, or nearly all, since each is dangerous in its own way. */
static void tear_subset(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length)
{
  const uint32_t style = sim_flash_random_below(flash, 3);
  for (uint32_t i = 0; i < length; i++) {
    const uint64_t random = sim_flash_random(flash);
    uint8_t spared = (uint8_t)random;
    if (style == 1) {
      spared |= (uint8_t)((random >> 8) | (random >> 16) | (random >> 24));
    } else if (style == 2) {
      spared &= (uint8_t)((random >> 8) & (random >> 16) & (random >> 24));
    }
    flash->bytes[address + i] &= (uint8_t)(data[i] | spared);
  }
}

/* As existing tests have it: half of these cuts leave a prefix, the others any of the bits. */
static void tear_program(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length)
{
  if (sim_flash_random_below(flash, 2) == 0) {
    tear_prefix(flash, address, data, length, false);
    return;
  }
  for (uint32_t i = 0; i < length; i++) {
    flash->bytes[address + i] &= (uint8_t)(data[i] | (uint8_t)sim_flash_random(flash));
  }
}

/* ---- unstable bits ---- */

/*
 * Which bits of a byte are done, and which of the others are unstable. The style decides what is frequent: all three
 * alike, or hardly any unstable bits among what is nearly done or nearly untouched, which are the ones that are not
 * noticed; or nothing but unstable bits.
 */
struct outcome {
  uint8_t done;
  uint8_t unstable;
};

enum style { EVEN, NEARLY_DONE, NEARLY_UNTOUCHED, ALL_UNSTABLE, STYLES };

/* About one bit in 32 of these is set; one byte of a page must be hit, which `always` sees to. */
static uint8_t rare(uint64_t random, bool always)
{
  const uint8_t bit = (uint8_t)(1U << (random & 7U));
  return always || (random >> 8) % 32 == 0 ? bit : 0;
}

static struct outcome draw(uint64_t random, enum style style, bool always)
{
  switch (style) {
  case NEARLY_DONE:
  case NEARLY_UNTOUCHED: {
    const uint8_t unstable = rare(random, always);
    return (struct outcome){.done = style == NEARLY_DONE ? (uint8_t)~unstable : 0, .unstable = unstable};
  }
  case ALL_UNSTABLE:
    return (struct outcome){.done = 0, .unstable = 0xFF};
  case EVEN:
  case STYLES:
    break;
  }
  const uint8_t done = (uint8_t)(random & (random >> 8)); /* a quarter, and half of the rest */
  return (struct outcome){.done = done, .unstable = (uint8_t)((random >> 16) & (uint8_t)~done)};
}

static void unsettle_program(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length)
{
  const enum style style = (enum style)sim_flash_random_below(flash, STYLES);
  const uint32_t chosen = sim_flash_random_below(flash, length);
  for (uint32_t i = 0; i < length; i++) {
    const uint8_t to_clear = (uint8_t)~data[i];
    const uint8_t old = flash->bytes[address + i];
    const struct outcome outcome = draw(sim_flash_random(flash), style, i == chosen);
    /* what was 0 and stable stays so; what was unstable already may have become anything */
    const uint8_t open = (uint8_t)(to_clear & (old | flash->unstable.mask[address + i]));
    flash->bytes[address + i] = (uint8_t)(old & ~(outcome.done & open));
    flash->unstable.mask[address + i] =
        (uint8_t)((flash->unstable.mask[address + i] & ~(outcome.done & open)) | (outcome.unstable & open));
  }
}

static void unsettle_erase(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  const enum style style = (enum style)sim_flash_random_below(flash, STYLES);
  const uint32_t chosen = sim_flash_random_below(flash, length);
  for (uint32_t i = 0; i < length; i++) {
    const struct outcome outcome = draw(sim_flash_random(flash), style, i == chosen);
    flash->bytes[address + i] |= outcome.done;
    flash->unstable.mask[address + i] =
        (uint8_t)((flash->unstable.mask[address + i] & ~outcome.done) | outcome.unstable);
  }
}

/* ---- erases ---- */

static void fill_noise(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  uint64_t random = 0;
  for (uint32_t i = 0; i < length; i++) {
    if (i % sizeof random == 0) {
      random = sim_flash_random(flash);
    }
    flash->bytes[address + i] = (uint8_t)random;
    random >>= 8;
  }
}

/* Three parts, each of any length, in any order: what is erased, what is in between and reads as noise, what is old. */
static void mix_erase(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  const uint8_t *order = orders[sim_flash_random_below(flash, 6)];
  const uint32_t first = sim_flash_random_below(flash, length + 1);
  const uint32_t second = sim_flash_random_below(flash, length - first + 1);
  const uint32_t lengths[3] = {first, second, length - first - second};
  for (uint32_t i = 0; i < 3; i++) {
    if (order[i] == 1) {
      fill_noise(flash, address, lengths[i]);
    } else if (order[i] == 2) {
      for (uint32_t at = address; at < address + lengths[i]; at++) {
        flash->bytes[at] = 0xFF;
      }
    }
    address += lengths[i];
  }
}

/*
 * As existing tests have it. Which of the ends comes first is left to chance; chips program a block before they erase
 * it, so any bit of the noise may be either.
 */
static void tear_erase(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  const uint32_t erased = sim_flash_random_below(flash, length + 1);
  const uint32_t noise = sim_flash_random_below(flash, length - erased + 1);
  const bool from_end = sim_flash_random_below(flash, 2) == 1;
  for (uint32_t i = 0; i < erased + noise; i++) {
    const uint32_t at = address + (from_end ? length - 1 - i : i);
    flash->bytes[at] = i < erased ? 0xFF : (uint8_t)sim_flash_random(flash);
  }
}

/* ---- what the chip calls ---- */

void sim_flash_cut_program(struct sim_flash *flash, uint32_t address, const uint8_t *data, uint32_t length)
{
  switch (note(flash, SIM_OPERATION_PROGRAM, address, length)) {
  case SIM_CUT_BEFORE:
    break;
  case SIM_CUT_PROGRAM_PREFIX:
    tear_prefix(flash, address, data, length, true);
    break;
  case SIM_CUT_PROGRAM_SUBSET:
    tear_subset(flash, address, data, length);
    break;
  case SIM_CUT_UNSTABLE:
    unsettle_program(flash, address, data, length);
    break;
  case SIM_CUT_ERASE_MIXED:
  case SIM_CUT_TORN:
    tear_program(flash, address, data, length);
    break;
  }
}

void sim_flash_cut_erase(struct sim_flash *flash, uint32_t address, uint32_t length)
{
  switch (note(flash, SIM_OPERATION_ERASE, address, length)) {
  case SIM_CUT_BEFORE:
    break;
  case SIM_CUT_ERASE_MIXED:
    mix_erase(flash, address, length);
    break;
  case SIM_CUT_UNSTABLE:
    unsettle_erase(flash, address, length);
    break;
  case SIM_CUT_PROGRAM_PREFIX:
  case SIM_CUT_PROGRAM_SUBSET:
  case SIM_CUT_TORN:
    tear_erase(flash, address, length);
    break;
  }
}
