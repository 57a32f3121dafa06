// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "ports/sim/console_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITING_CLIENTS 8
#define SEND_SECONDS    10

static bool refuse(const char *path, const char *cause, const char *remedy)
{
  fprintf(stderr, "Error: %s: %s - %s\n", path, cause, remedy);
  return false;
}

static bool make_address(const char *path, struct sockaddr_un *address)
{
  const size_t length = strlen(path);
  const size_t most = sizeof address->sun_path - 1;
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (length == 0) {
    return refuse("''", "this is no path of a socket", "give one, like module.socket");
  }
  if (length > most) {
    fprintf(stderr, "Error: %s: the path of a socket may have %zu bytes, this has %zu - choose a shorter one\n", path,
            most, length);
    return false;
  }
  memcpy(address->sun_path, path, length);
  return true;
}

/* ---- the module's side ---- */

/*
 * Opens and locks the folder of the socket, so that of two modules that find the same stale socket only one replaces
 * it. The lock goes with the descriptor. -1: it has been said why not.
 */
static int lock_folder(const char *path)
{
  char copy[sizeof((struct sockaddr_un *)0)->sun_path];
  memcpy(copy, path, strlen(path) + 1); /* make_address has measured it */
  const char *folder = dirname(copy);
  const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    refuse(folder, strerror(errno), "choose a folder that is there and that you may use");
    return -1;
  }
  while (flock(fd, LOCK_EX) < 0) {
    if (errno != EINTR) {
      refuse(folder, strerror(errno), "choose another folder for the socket");
      close(fd);
      return -1;
    }
  }
  return fd;
}

/* Removes what a module has left behind. False: it has been said why that is not what lies there. */
static bool remove_stale(const char *path, const struct sockaddr_un *address)
{
  struct stat info;
  if (lstat(path, &info)) {
    return errno == ENOENT || refuse(path, strerror(errno), "choose another path");
  }
  if (!S_ISSOCK(info.st_mode)) {
    return refuse(path, "the file exists and is no socket", "choose another path, or move the file away");
  }
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) {
    return refuse(path, strerror(errno), "close other programs");
  }
  const bool connected = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0;
  const int error = connected ? 0 : errno;
  close(probe);
  if (connected || error == EAGAIN) {
    return refuse(path, "another module listens there", "choose another path, or end that module");
  }
  if (error != ECONNREFUSED) {
    return refuse(path, strerror(error), "choose another path");
  }
  return unlink(path) == 0 ||
         refuse(path, strerror(errno), "a stale socket is there: remove it, or choose another path");
}

/* The file is created with its mode: there is no moment at which others could connect. */
static int bind_privately(int fd, const struct sockaddr_un *address)
{
  const mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
  const int result = bind(fd, (const struct sockaddr *)address, sizeof *address);
  const int error = errno;
  umask(before);
  errno = error;
  return result;
}

/* Gives the socket its name, where nothing may be; file systems that cannot promise that are trusted. */
static int rename_to(int folder, const char *name, const char *path)
{
  int result = renameat2(folder, name, AT_FDCWD, path, RENAME_NOREPLACE);
  if (result && (errno == EINVAL || errno == ENOSYS)) {
    result = renameat(folder, name, AT_FDCWD, path);
  }
  return result;
}

/*
 * Whoever waits for the socket to appear may connect at once: it listens before it gets its name. The name that it has
 * before is reached through the folder's descriptor, which makes it short enough, however long the path is.
 */
static bool listen_at(struct console_socket *listener, int folder)
{
  struct stat info;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char name[32];
  (void)snprintf(name, sizeof name, ".lifeboat-%ld", (long)getpid());
  (void)snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
  listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener->fd < 0) {
    return refuse(listener->path, strerror(errno), "close other programs");
  }
  (void)unlinkat(folder, name, 0); /* of a process that had our number and was killed just here */
  if (bind_privately(listener->fd, &address) || listen(listener->fd, WAITING_CLIENTS) ||
      fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) || rename_to(folder, name, listener->path)) {
    const int error = errno;
    (void)unlinkat(folder, name, 0);
    close(listener->fd);
    return refuse(listener->path, strerror(error), "choose another path");
  }
  listener->device = info.st_dev;
  listener->inode = info.st_ino;
  return true;
}

bool console_socket_listen(struct console_socket *listener, const char *path)
{
  struct sockaddr_un address;
  listener->path = path;
  listener->fd = -1;
  if (!make_address(path, &address)) {
    return false;
  }
  const int folder = lock_folder(path);
  if (folder < 0) {
    return false;
  }
  const bool listens = remove_stale(path, &address) && listen_at(listener, folder);
  close(folder);
  listener->fd = listens ? listener->fd : -1;
  return listens;
}

void console_socket_close(struct console_socket *listener)
{
  struct stat info;
  if (listener->fd < 0) {
    return;
  }
  if (lstat(listener->path, &info) == 0 && info.st_dev == listener->device && info.st_ino == listener->inode) {
    (void)unlink(listener->path); /* if it cannot be removed, the next module finds it stale */
  }
  close(listener->fd);
  listener->fd = -1;
}

/* ---- the console's side ---- */

static bool refuse_to_connect(const char *path, int error)
{
  struct stat info;
  switch (error) {
  case ENOENT:
    return refuse(path, "there is no such socket", "start a module with --listen and this path");
  case ECONNREFUSED:
    if (stat(path, &info) == 0 && !S_ISSOCK(info.st_mode)) {
      return refuse(path, "this is no socket", "give the path that a module was started with: --listen PATH");
    }
    return refuse(path, "nobody listens there", "the module has ended: start it again with --listen and this path");
  case EACCES:
    return refuse(path, "permission denied", "only the user who started the module may attach to it");
  case EAGAIN:
    return refuse(path, "the module does not answer", "try again, or see what it does");
  default:
    return refuse(path, strerror(error), "give the path that a module was started with: --listen PATH");
  }
}

int console_socket_connect(const char *path)
{
  struct sockaddr_un address;
  const struct timeval patience = {.tv_sec = SEND_SECONDS};
  if (!make_address(path, &address)) {
    return -1;
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) ||
      connect(fd, (const struct sockaddr *)&address, sizeof address)) {
    refuse_to_connect(path, errno);
    if (fd >= 0) {
      close(fd);
    }
    return -1;
  }
  return fd;
}
