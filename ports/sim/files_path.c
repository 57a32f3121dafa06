// SPDX-License-Identifier: MIT
/* The kernel keeps a path below its folder (openat2); where it cannot, we walk down folder by folder. */
#define _GNU_SOURCE
#include "ports/sim/files_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "module/port.h"

#define DEPTH_MAX      64 /* of folders that are walked through */
#define OPENAT2_TRIALS 16

int files_path_error(int number)
{
  switch (number) {
  case ENOENT:
  case ENAMETOOLONG:
  case ELOOP: /* links in a circle lead to no file */
    return PORT_ERR_FILE_NOT_FOUND;
  case EACCES:
  case EPERM:
    return PORT_ERR_FILE_PERMISSION;
  case EISDIR:
    return PORT_ERR_FILE_IS_DIRECTORY;
  case ENOTDIR:
    return PORT_ERR_FILE_NOT_DIRECTORY;
  case EXDEV:
    return PORT_ERR_FILE_OUTSIDE;
  default:
    return PORT_ERR_FILE_IO;
  }
}

/* ---- without openat2 ---- */

struct walk {
  int folders[DEPTH_MAX]; /* from the root, which is not ours to close, down to where we are */
  int depth;
};

static void climb(struct walk *walk, int depth)
{
  while (walk->depth > depth) {
    close(walk->folders[walk->depth--]);
  }
}

/* Opens one name in the folder where we are; a link is refused, since only the kernel could follow it safely. */
static int open_name(const struct walk *walk, const char *name, int flags)
{
  struct stat status;
  const int folder = walk->folders[walk->depth];
  if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW)) {
    return files_path_error(errno);
  }
  if (S_ISLNK(status.st_mode)) {
    return PORT_ERR_FILE_OUTSIDE;
  }
  const int fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    /* ELOOP: it has become a link since we looked */
    return errno == ELOOP ? PORT_ERR_FILE_OUTSIDE : files_path_error(errno);
  }
  return fd;
}

static int descend(struct walk *walk, const char *name)
{
  if (strcmp(name, ".") == 0) {
    return LB_OK;
  }
  if (strcmp(name, "..") == 0) {
    if (walk->depth == 0) {
      return PORT_ERR_FILE_OUTSIDE;
    }
    climb(walk, walk->depth - 1);
    return LB_OK;
  }
  if (walk->depth + 1 == DEPTH_MAX) {
    return PORT_ERR_FILE_NOT_FOUND;
  }
  const int fd = open_name(walk, name, O_PATH | O_DIRECTORY);
  if (fd < 0) {
    return fd;
  }
  walk->folders[++walk->depth] = fd;
  return LB_OK;
}

/* `path` is taken apart in place. */
static int walk_open(int root, char *path, int flags)
{
  struct walk walk = {.folders = {root}, .depth = 0};
  char *name = path;
  int err = LB_OK;
  for (char *slash = strchr(name, '/'); slash && !err; slash = strchr(name, '/')) {
    *slash = '\0';
    if (*name) {
      err = descend(&walk, name);
    }
    name = slash + 1;
  }
  if (!err && (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)) {
    err = descend(&walk, *name ? name : ".");
    name = NULL;
  }
  if (!err && name) {
    err = open_name(&walk, name, flags);
  } else if (!err) {
    /* "." of a descriptor that is ours already can be no link */
    err = openat(walk.folders[walk.depth], ".", flags | O_CLOEXEC);
    err = err < 0 ? files_path_error(errno) : err;
  }
  climb(&walk, 0);
  return err;
}

int files_path_open(int root, const char *path, int flags, bool without_openat2)
{
  struct open_how how = {
      .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  if (!without_openat2) {
    long fd = -1;
    /* EAGAIN: somebody renamed something while a ".." was on its way */
    for (int trial = 0; trial < OPENAT2_TRIALS && (trial == 0 || (fd < 0 && errno == EAGAIN)); trial++) {
      fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    }
    if (fd >= 0) {
      return (int)fd;
    }
    if (errno != ENOSYS && errno != EPERM) { /* EPERM: containers that do not know the call */
      return files_path_error(errno);
    }
  }
  char copy[PATH_MAX];
  const size_t length = strlen(path);
  if (length >= sizeof copy) {
    return PORT_ERR_FILE_NOT_FOUND;
  }
  memcpy(copy, path, length + 1);
  return walk_open(root, copy, flags);
}
