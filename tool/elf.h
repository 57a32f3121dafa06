// SPDX-License-Identifier: MIT
/* ELF files, as a compiler for the chip makes them: 32-bit, little-endian, linked. */
#ifndef TOOL_ELF_H
#define TOOL_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/chip.h"
#include "tool/image_parts.h"

/*
 * Adds each section that is in memory and has content in the file to `parts`, and tells the entry point. Every offset
 * and size is checked against `length` before it is used. False and an error line that begins with `path`.
 */
bool elf_read(const char *path, const uint8_t *data, uint32_t length, const struct lb_chip *chip,
              struct image_parts *parts, uint32_t *entry);

#endif
