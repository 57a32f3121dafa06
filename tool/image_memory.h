// SPDX-License-Identifier: MIT
/* The names of the memories that a segment is loaded or mapped to, as esptool gives them. */
#ifndef TOOL_IMAGE_MEMORY_H
#define TOOL_IMAGE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define IMAGE_MEMORY_SIZE 64U

/* "IROM", "DRAM, BYTE_ACCESSIBLE", ...; "" for an address without a name. `text` has IMAGE_MEMORY_SIZE bytes. */
void image_memory_names(uint16_t chip_id, uint32_t address, char *text);

#endif
