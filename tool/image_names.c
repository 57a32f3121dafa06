// SPDX-License-Identifier: MIT
#include "tool/image_names.h"

#include <stddef.h>
#include <string.h>

struct name {
  const char *name;
  uint8_t value;
};

struct names {
  size_t count;
  struct name names[8];
};

static const struct names modes = {6, {{"qio", 0}, {"qout", 1}, {"dio", 2}, {"dout", 3}, {"fastrd", 4}, {"slowrd", 5}}};
static const struct names sizes = {
    8, {{"1MB", 0}, {"2MB", 1}, {"4MB", 2}, {"8MB", 3}, {"16MB", 4}, {"32MB", 5}, {"64MB", 6}, {"128MB", 7}}};
static const struct names frequencies = {4, {{"80m", 15}, {"40m", 0}, {"26m", 1}, {"20m", 2}}};
static const struct names frequencies_c2 = {4, {{"60m", 15}, {"30m", 0}, {"20m", 1}, {"15m", 2}}};
static const struct names frequencies_h2 = {4, {{"48m", 15}, {"24m", 0}, {"16m", 1}, {"12m", 2}}};
/* The C6's first bootloader takes 0 for 80 MHz, too: esptool writes 0 for both, and reads it as the greater. */
static const struct names frequencies_c6 = {3, {{"80m", 0}, {"40m", 0}, {"20m", 2}}};

static const struct names *frequencies_of(uint16_t chip_id)
{
  switch (chip_id) {
  case 12:
    return &frequencies_c2;
  case 13:
    return &frequencies_c6;
  case 16:
    return &frequencies_h2;
  default:
    return &frequencies;
  }
}

static const char *find_name(const struct names *names, uint8_t value)
{
  for (size_t i = 0; i < names->count; i++) {
    if (names->names[i].value == value) {
      return names->names[i].name;
    }
  }
  return "unknown";
}

static bool find_value(const struct names *names, const char *name, uint8_t *value)
{
  for (size_t i = 0; i < names->count; i++) {
    if (strcmp(names->names[i].name, name) == 0) {
      *value = names->names[i].value;
      return true;
    }
  }
  return false;
}

const char *image_mode_name(uint8_t mode)
{
  return find_name(&modes, mode);
}

const char *image_frequency_name(uint16_t chip_id, uint8_t frequency)
{
  return find_name(frequencies_of(chip_id), frequency);
}

const char *image_size_name(uint8_t size)
{
  return find_name(&sizes, size);
}

bool image_mode_value(const char *name, uint8_t *mode)
{
  return find_value(&modes, name, mode);
}

bool image_frequency_value(uint16_t chip_id, const char *name, uint8_t *frequency)
{
  return find_value(frequencies_of(chip_id), name, frequency);
}

bool image_size_value(const char *name, uint8_t *size)
{
  return find_value(&sizes, name, size);
}
