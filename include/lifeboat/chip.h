// SPDX-License-Identifier: MIT
/*
 * The chips that images are made for, by the id in the image header: ESP-IDF's esp_chip_id_t, and from 0xFFF0 on
 * Lifeboat's own (docs/SPEC.md, "Application image").
 */
#ifndef LIFEBOAT_CHIP_H
#define LIFEBOAT_CHIP_H

#include <stdbool.h>
#include <stdint.h>

/* Addresses from `start` up to, not including, `end`. Flash is mapped through them in pages of 64 KB. */
struct lb_chip_window {
  uint32_t start;
  uint32_t end;
};

struct lb_chip {
  uint16_t id;
  const char *name;           /* as esptool spells it: "esp32" */
  struct lb_chip_window data; /* mapped constants; an application's first segment lies here */
  struct lb_chip_window code; /* mapped code; both 0 for a chip that maps nothing */
  struct lb_chip_window ram;  /* where an application's segments have to be loaded; 0: not judged */
};

/* The chip with that id or name, NULL if there is none. */
const struct lb_chip *lb_chip_by_id(uint16_t id);
const struct lb_chip *lb_chip_by_name(const char *name);

/* Is `address` one through which the chip maps its flash? */
bool lb_chip_maps(const struct lb_chip *chip, uint32_t address);
bool lb_chip_maps_data(const struct lb_chip *chip, uint32_t address);

/* May an application be loaded to these `length` bytes? They lie in `ram`, wholly, or that is not judged. */
bool lb_chip_loads(const struct lb_chip *chip, uint32_t address, uint32_t length);

#endif
