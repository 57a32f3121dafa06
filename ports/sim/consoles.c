// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "ports/sim/consoles.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ports/sim/console_socket.h"
#include "ports/sim/remote_console.h"

#define NAP_MS 10

struct consoles {
  struct console_socket listener;
  struct module *module;
  struct remote_console remotes[CONSOLES_MOST];
};

struct consoles *consoles_open(const char *path, struct module *module)
{
  struct consoles *consoles = calloc(1, sizeof *consoles);
  if (!consoles) {
    fputs("Error: no memory for further consoles - close other programs\n", stderr);
    return NULL;
  }
  consoles->module = module;
  if (!console_socket_listen(&consoles->listener, path)) {
    free(consoles);
    return NULL;
  }
  return consoles;
}

/* ---- rounds ---- */

static void refuse_client(int fd)
{
  const char reason = FAREWELL_FULL;
  struct frame_sender sender = {0};
  if (frame_put(&sender, FRAME_FAREWELL, &reason, 1)) {
    (void)frame_flush(&sender, fd);
  }
  frame_sender_clear(&sender);
  close(fd);
}

static void take_in(struct consoles *consoles, int fd)
{
  for (unsigned i = 0; i < CONSOLES_MOST; i++) {
    if (!consoles->remotes[i].in_use) {
      remote_console_open(&consoles->remotes[i], fd, consoles->module);
      return;
    }
  }
  refuse_client(fd);
}

static void accept_client(struct consoles *consoles)
{
  const int fd = accept4(consoles->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    take_in(consoles, fd);
  } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    (void)poll(NULL, 0, NAP_MS); /* the client goes on waiting, and shall not keep us from sleeping */
  }
}

void consoles_work(struct consoles *consoles)
{
  if (!consoles) {
    return;
  }
  accept_client(consoles);
  for (unsigned i = 0; i < CONSOLES_MOST && !consoles->module->reset_requested; i++) {
    if (consoles->remotes[i].in_use) {
      remote_console_work(&consoles->remotes[i]);
    }
  }
}

bool consoles_are_busy(const struct consoles *consoles)
{
  for (unsigned i = 0; consoles && i < CONSOLES_MOST; i++) {
    if (consoles->remotes[i].in_use && remote_console_is_busy(&consoles->remotes[i])) {
      return true;
    }
  }
  return false;
}

bool consoles_have_job(const struct consoles *consoles)
{
  for (unsigned i = 0; consoles && i < CONSOLES_MOST; i++) {
    if (consoles->remotes[i].in_use && remote_console_has_job(&consoles->remotes[i])) {
      return true;
    }
  }
  return false;
}

/* ---- waiting ---- */

/* All that may end a wait. Returns how many they are. */
static unsigned descriptors_of(const struct consoles *consoles, int fd, struct pollfd *descriptors)
{
  unsigned count = 0;
  if (fd >= 0) {
    descriptors[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
  }
  if (consoles) {
    descriptors[count++] = (struct pollfd){.fd = consoles->listener.fd, .events = POLLIN};
  }
  for (unsigned i = 0; consoles && i < CONSOLES_MOST; i++) {
    const struct remote_console *remote = &consoles->remotes[i];
    const short events = remote->in_use ? remote_console_events(remote) : 0;
    if (events != 0) {
      descriptors[count++] = (struct pollfd){.fd = remote->fd, .events = events};
    }
  }
  return count;
}

void consoles_wait(struct consoles *consoles, struct sim_clock *clock, int fd, bool job, uint32_t ms)
{
  struct pollfd descriptors[CONSOLES_MOST + 2U];
  const unsigned count = descriptors_of(consoles, fd, descriptors);
  if (!job) {
    (void)poll(descriptors, count, (int)ms);
    return;
  }
  for (unsigned i = 0; i < count; i++) {
    if (descriptors[i].events & POLLIN) {
      (void)sim_clock_watch(clock, descriptors[i].fd); /* SIM_CLOCK_WATCHED is enough for all */
    }
  }
  clock->port.idle(clock->port.context, ms);
  for (unsigned i = 0; i < count; i++) {
    sim_clock_unwatch(clock, descriptors[i].fd);
  }
}

/* ---- resets and the end ---- */

void consoles_cancel(struct consoles *consoles)
{
  for (unsigned i = 0; consoles && i < CONSOLES_MOST; i++) {
    if (consoles->remotes[i].in_use) {
      remote_console_cancel(&consoles->remotes[i]);
    }
  }
}

void consoles_reset(struct consoles *consoles)
{
  for (unsigned i = 0; consoles && i < CONSOLES_MOST; i++) {
    if (consoles->remotes[i].in_use) {
      remote_console_reset(&consoles->remotes[i]);
    }
  }
}

void consoles_restart(struct consoles *consoles)
{
  for (unsigned i = 0; consoles && i < CONSOLES_MOST; i++) {
    if (consoles->remotes[i].in_use) {
      remote_console_restart(&consoles->remotes[i], consoles->module);
    }
  }
}

void consoles_close(struct consoles *consoles, enum frame_farewell reason)
{
  if (!consoles) {
    return;
  }
  consoles_cancel(consoles);
  console_socket_close(&consoles->listener);
  for (unsigned i = 0; i < CONSOLES_MOST; i++) {
    if (consoles->remotes[i].in_use) {
      remote_console_close(&consoles->remotes[i], reason);
    }
  }
  free(consoles);
}
