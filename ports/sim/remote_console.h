// SPDX-License-Identifier: MIT
/*
 * One console of the module whose person is at the other end of a socket: the module's side of it.
 *
 * It never waits. What a client sends is taken no faster than it is answered; what is answered is kept for the client,
 * but for one that does not read for REMOTE_STALL_MS it is given up. A client that goes away leaves the command behind
 * that it has begun: that goes on to its end, and what it prints is dropped.
 */
#ifndef PORTS_SIM_REMOTE_CONSOLE_H
#define PORTS_SIM_REMOTE_CONSOLE_H

#include "ports/sim/console_frame.h"

#define REMOTE_KEPT     65536U /* with more bytes kept for the client, its command stands still */
#define REMOTE_STALL_MS 5000U

struct remote_console {
  bool in_use;
  int fd;       /* -1: the client has gone, its command goes on */
  bool no_more; /* the client sends no further requests */
  bool leaving; /* hang up as soon as all has been sent */
  bool resets;  /* has asked for a reset, and is answered after it */
  struct console console;
  struct frame_receiver requests;
  struct frame_sender answers;
  char text[FRAME_PAYLOAD]; /* output that is no frame yet */
  size_t text_length;
  uint64_t moving_ms; /* when the client took something last, or had nothing to take */
};

/* Begins with a client on `fd`, which is this console's from now on. */
void remote_console_open(struct remote_console *remote, int fd, struct module *module);

/* One round: takes requests, does a bounded piece of a command, sends answers. Not in use any more: it has ended. */
void remote_console_work(struct remote_console *remote);

/* Is there more to do at once? */
bool remote_console_is_busy(const struct remote_console *remote);

/* Is a command under way? */
bool remote_console_has_job(const struct remote_console *remote);

/* What it waits for at the socket, as for poll(); 0: nothing. */
short remote_console_events(const struct remote_console *remote);

/* Abandons the command under way; the client is told. */
void remote_console_cancel(struct remote_console *remote);

/* The same, because the module is reset. */
void remote_console_reset(struct remote_console *remote);

/* After a reset: a fresh console on the module. */
void remote_console_restart(struct remote_console *remote, struct module *module);

/* Tells the client why, and hangs up without waiting for it. */
void remote_console_close(struct remote_console *remote, enum frame_farewell reason);

#endif
