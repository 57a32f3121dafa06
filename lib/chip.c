// SPDX-License-Identifier: MIT
#include "lifeboat/chip.h"

#include <stddef.h>

#include "lib/common.h"

/* Windows as esptool and ESP-IDF's soc headers give them. The board has its bootloader below its window. */
static const struct lb_chip chips[] = {
    {0, "esp32", {0x3F400000, 0x3F800000}, {0x400D0000, 0x40400000}, {0, 0}},
    {2, "esp32s2", {0x3F000000, 0x3FF80000}, {0x40080000, 0x40B80000}, {0, 0}},
    {5, "esp32c3", {0x3C000000, 0x3C800000}, {0x42000000, 0x42800000}, {0, 0}},
    {9, "esp32s3", {0x3C000000, 0x3E000000}, {0x42000000, 0x44000000}, {0, 0}},
    {12, "esp32c2", {0x3C000000, 0x3C400000}, {0x42000000, 0x42400000}, {0, 0}},
    {13, "esp32c6", {0x42000000, 0x43000000}, {0x42000000, 0x43000000}, {0, 0}}, /* one window for both */
    {16, "esp32h2", {0x42000000, 0x43000000}, {0x42000000, 0x43000000}, {0, 0}},
    {0xFFF0, "sifive_u", {0, 0}, {0, 0}, {0x80080000, 0x88000000}},
};

#define CHIPS (sizeof chips / sizeof chips[0])

static bool within(const struct lb_chip_window *window, uint32_t address)
{
  return address >= window->start && address < window->end;
}

const struct lb_chip *lb_chip_by_id(uint16_t id)
{
  for (size_t i = 0; i < CHIPS; i++) {
    if (chips[i].id == id) {
      return &chips[i];
    }
  }
  return NULL;
}

const struct lb_chip *lb_chip_by_name(const char *name)
{
  for (size_t i = 0; i < CHIPS; i++) {
    if (lb_same_text(chips[i].name, name)) {
      return &chips[i];
    }
  }
  return NULL;
}

bool lb_chip_maps_data(const struct lb_chip *chip, uint32_t address)
{
  return within(&chip->data, address);
}

bool lb_chip_maps(const struct lb_chip *chip, uint32_t address)
{
  return within(&chip->data, address) || within(&chip->code, address);
}

bool lb_chip_loads(const struct lb_chip *chip, uint32_t address, uint32_t length)
{
  const struct lb_chip_window *ram = &chip->ram;
  return ram->end == 0 || (address >= ram->start && address <= ram->end && length <= ram->end - address);
}
