// SPDX-License-Identifier: MIT
/* An SPI bus with one device on it, as the drivers of this folder want it: filled in by the board. */
#ifndef PORTS_SPI_SPI_H
#define PORTS_SPI_SPI_H

#include <stdint.h>

struct spi {
  void *context; /* passed to each function; owned by the board */

  /* Takes the device's chip select (down), until release. */
  void (*select)(void *context);
  void (*release)(void *context);
  /*
   * Shifts `length` bytes out and as many in at the same time. `out` NULL: 0xFF is sent; `in` NULL: what comes is
   * dropped. The device need not be selected: an SD card wants to be clocked before it listens.
   */
  void (*transfer)(void *context, const uint8_t *out, uint8_t *in, uint32_t length);
  /* The clock from now on, in Hz; the board takes the next lower one that it can make. */
  void (*set_clock)(void *context, uint32_t hertz);
  /* Microseconds since start, for time-outs. */
  uint64_t (*now_us)(void *context);
};

#endif
