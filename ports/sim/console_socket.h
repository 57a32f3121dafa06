// SPDX-License-Identifier: MIT
/*
 * The Unix socket where a virtual module's further consoles are: made by the module, found by `lifeboat console`.
 *
 * Only its owner may connect (mode 0600 from the moment it exists). A socket that a module left behind is replaced; one
 * where somebody listens, or anything that is no socket, is not touched. What goes wrong is said on stderr.
 */
#ifndef PORTS_SIM_CONSOLE_SOCKET_H
#define PORTS_SIM_CONSOLE_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct console_socket {
  int fd; /* listens; does not block */
  const char *path;
  dev_t device; /* which file it is, lest another one is removed */
  ino_t inode;
};

/* Listens at `path`, which stays the caller's and has to stay valid. */
bool console_socket_listen(struct console_socket *listener, const char *path);

/* Listens no longer and removes the file, if it still is this socket's. */
void console_socket_close(struct console_socket *listener);

/* Connects to a module: a descriptor that blocks, but does not wait long to send, or -1. */
int console_socket_connect(const char *path);

#endif
