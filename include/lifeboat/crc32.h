// SPDX-License-Identifier: MIT
/* CRC-32 as zlib computes it (reflected polynomial 0xEDB88320). */
#ifndef LIFEBOAT_CRC32_H
#define LIFEBOAT_CRC32_H

#include <stdint.h>

/*
 * The CRC of `length` bytes, continuing from `crc`: the result of the call before, or 0 at the start.
 * ESP-IDF's otadata and NVS start their register at 0, which is a `crc` of 0xFFFFFFFF here.
 */
uint32_t lb_crc32(uint32_t crc, const void *data, uint32_t length);

#endif
