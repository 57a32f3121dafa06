// SPDX-License-Identifier: MIT
/*
 * The cable between the module and its peer, and the clock of both. Frames take a millisecond; some are lost, come
 * twice, or late. All of it follows from the seed, and no time passes but by cable_pass.
 */
#ifndef TESTS_LWIP_CABLE_H
#define TESTS_LWIP_CABLE_H

#include "module/port.h"
#include "ports/lwip/ethernet.h"
#include "tests/unit/support/unit.h"

#define CABLE_FRAME_SIZE 1514U
#define CABLE_RECENT     32U

/* Of a thousand frames, in either direction. */
struct cable_faults {
  uint32_t lost;
  uint32_t doubled;
  uint32_t late;    /* behind those that were sent after it */
  uint32_t refused; /* by the module's controller, which has no room */
};

struct cable_frame {
  uint32_t length; /* 0: none */
  uint8_t bytes[CABLE_FRAME_SIZE];
};

extern struct cable_faults cable_faults;
extern struct unit_random cable_random;

/* What the peer sent lately, for those who want to spoil it. */
extern struct cable_frame cable_recent[CABLE_RECENT];

void cable_start(uint64_t seed);
uint64_t cable_now(void);

/* The module's. */
const struct ethernet *cable_ethernet(void);
const struct port_clock *cable_clock(void);

/* The peer's: a frame for the module, over the cable with its faults, or right into the controller. */
void cable_send(const void *frame, uint32_t length);
void cable_inject(const void *frame, uint32_t length);

/* Lets time pass: a millisecond while frames are under way, else up to `ms`. The peer hears what has arrived. */
void cable_pass(uint32_t ms);

/* Frames that wait in the module's controller. */
uint32_t cable_waiting(void);

/* Loses all that is under way. */
void cable_clear(void);

#endif
