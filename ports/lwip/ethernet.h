// SPDX-License-Identifier: MIT
/* An Ethernet controller as ports/lwip wants it: filled in by the board. */
#ifndef PORTS_LWIP_ETHERNET_H
#define PORTS_LWIP_ETHERNET_H

#include <stdbool.h>
#include <stdint.h>

#define ETHERNET_MAC_SIZE 6U

struct ethernet {
  void *context; /* passed to each function; owned by the board */

  /* The station's address. */
  void (*mac)(void *context, uint8_t mac[ETHERNET_MAC_SIZE]);
  /* Sends a frame of at most 1514 bytes without padding and check sequence; it is copied. False: there is no room now.
   */
  bool (*send)(void *context, const void *frame, uint32_t length);
  /* The next frame, without its check sequence; 0: there is none. */
  uint32_t (*receive)(void *context, void *buffer, uint32_t capacity);
};

#endif
