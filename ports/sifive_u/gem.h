// SPDX-License-Identifier: MIT
/*
 * The Ethernet controller: a Cadence GEM (FU540-C000 manual, chapter 21), polled, with one queue in each direction.
 * Descriptors and buffers are static, 60 KB. The PHY is left as it starts: QEMU's is always linked. There is one
 * GEM on the board, so these functions take no context.
 */
#ifndef PORTS_SIFIVE_U_GEM_H
#define PORTS_SIFIVE_U_GEM_H

#include <stdbool.h>
#include <stdint.h>

#define GEM_FRAME_MAX 1518U /* bytes of a frame without its check sequence, with a VLAN tag */
#define GEM_MAC_SIZE  6U

struct gem_counters {
  uint32_t received; /* frames that were handed out */
  uint32_t sent;
  uint32_t overruns;    /* times that all receive buffers were full, or the controller fell behind */
  uint32_t bad_frames;  /* frames that did not fit into one buffer, dropped */
  uint32_t send_errors; /* times that the transmitter had to be started anew */
};

/* Resets the controller and starts it. */
void gem_open(void);

/* The station's address, as the boot ROM (or QEMU) has left it in the controller. */
void gem_mac(uint8_t mac[GEM_MAC_SIZE]);

/* Gives a frame to the controller, which adds padding and check sequence. False: too long, or no buffer is free. */
bool gem_send(const void *frame, uint32_t length);

/* Takes the next frame, without its check sequence. 0: there is none; one longer than `capacity` is dropped. */
uint32_t gem_receive(void *buffer, uint32_t capacity);

/* What has happened since gem_open. */
const struct gem_counters *gem_counters(void);

#endif
