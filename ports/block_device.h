// SPDX-License-Identifier: MIT
/* A card or disk of 512-byte sectors, as a file system reads it: filled in by its driver. */
#ifndef PORTS_BLOCK_DEVICE_H
#define PORTS_BLOCK_DEVICE_H

#include <stdint.h>

#define BLOCK_SIZE 512U

struct block_device {
  void *context; /* passed to each function; owned by the driver */

  /* Reads `count` sectors from `sector` on. LB_OK; PORT_ERR_FILE_IO; PORT_ERR_FILE_NO_MOUNT without a card. */
  int (*read)(void *context, uint64_t sector, void *buffer, uint32_t count);
  /* Writes one sector; it is on the medium when this returns. The same errors, and PORT_ERR_FILE_READ_ONLY. */
  int (*write)(void *context, uint64_t sector, const void *data);

  uint64_t sectors; /* of the medium; 0 without one */
};

#endif
