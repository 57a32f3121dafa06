// SPDX-License-Identifier: MIT
/* The names that esptool gives to the SPI fields of an image's header. */
#ifndef TOOL_IMAGE_NAMES_H
#define TOOL_IMAGE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* "dio", "40m", "16MB"; "unknown" for a value without a name. */
const char *image_mode_name(uint8_t mode);
const char *image_frequency_name(uint16_t chip_id, uint8_t frequency);
const char *image_size_name(uint8_t size);

/* The other way round; false if there is no such name. */
bool image_mode_value(const char *name, uint8_t *mode);
bool image_frequency_value(uint16_t chip_id, const char *name, uint8_t *frequency);
bool image_size_value(const char *name, uint8_t *size);

#endif
