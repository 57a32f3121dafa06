// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "ports/sim/files_change.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/sim/files_parts.h"
#include "ports/sim/files_path.h"

#define FILE_MODE 0644

/* The folder that a path lies in, opened, and the name in it, which points into `path`. */
struct place {
  int folder;
  const char *name;
};

static int open_place(const struct sim_files *files, const char *path, struct place *place)
{
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  if (sim_files_is_root(path)) {
    return PORT_ERR_FILE_IS_DIRECTORY;
  }
  if (path[0] != '/' || (size_t)(slash - path) >= sizeof folder) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  if (slash == path) { /* "/sd", which is a mount, or "/x", which is none */
    int mount = sim_files_open_path(files, path, O_PATH);
    if (mount < 0) {
      return mount;
    }
    close(mount);
    return PORT_ERR_FILE_IS_DIRECTORY;
  }
  memcpy(folder, path, (size_t)(slash - path));
  folder[slash - path] = '\0';
  place->name = slash + 1;
  if (place->name[0] == '\0') { /* "/sd/text/" */
    int opened = sim_files_open_path(files, path, O_PATH | O_DIRECTORY);
    if (opened < 0) {
      return opened;
    }
    close(opened);
  }
  if (place->name[0] == '\0' || strcmp(place->name, ".") == 0 || strcmp(place->name, "..") == 0) {
    return PORT_ERR_FILE_IS_DIRECTORY;
  }
  place->folder = sim_files_open_path(files, folder, O_PATH | O_DIRECTORY);
  return place->folder < 0 ? place->folder : LB_OK;
}

static int error_of_change(int number)
{
  switch (number) {
  case EEXIST:
  case ENOTEMPTY:
    return PORT_ERR_FILE_EXISTS;
  case ENOSPC:
  case EDQUOT:
    return PORT_ERR_FILE_NO_ROOM;
  case EXDEV:
    return PORT_ERR_FILE_OTHER_MOUNT;
  case EINVAL: /* a folder into itself */
    return PORT_ERR_FILE_IS_DIRECTORY;
  default:
    return files_path_error(number);
  }
}

int files_change_create(void *context, const char *path, struct port_file **file)
{
  struct place place;
  int err = open_place(context, path, &place);
  if (err) {
    return err;
  }
  const int fd = openat(place.folder, place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
  err = fd < 0 ? error_of_change(errno) : LB_OK;
  close(place.folder);
  struct port_file *made = err ? NULL : malloc(sizeof *made);
  if (!made) {
    if (!err) {
      close(fd);
    }
    return err ? err : PORT_ERR_FILE_IO;
  }
  made->fd = fd;
  *file = made;
  return LB_OK;
}

int files_change_write(struct port_file *file, const void *data, uint32_t length)
{
  const uint8_t *bytes = data;
  while (length > 0) {
    ssize_t count = write(file->fd, bytes, length);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return count < 0 ? error_of_change(errno) : PORT_ERR_FILE_IO;
    }
    bytes += count;
    length -= (uint32_t)count;
  }
  return LB_OK;
}

int files_change_commit(struct port_file *file)
{
  return fsync(file->fd) == 0 ? LB_OK : error_of_change(errno);
}

int files_change_remove(void *context, const char *path)
{
  struct place place;
  struct stat status;
  int err = open_place(context, path, &place);
  if (err) {
    return err;
  }
  if (fstatat(place.folder, place.name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    err = files_path_error(errno);
  } else if (S_ISDIR(status.st_mode)) {
    err = PORT_ERR_FILE_IS_DIRECTORY;
  } else if (unlinkat(place.folder, place.name, 0) != 0) {
    err = error_of_change(errno);
  }
  close(place.folder);
  return err;
}

/* Do both paths begin with the same mount? On a module each is a file system of its own. */
static bool same_mount(const char *from, const char *to)
{
  from += strspn(from, "/");
  to += strspn(to, "/");
  size_t length = strcspn(from, "/");
  return length == strcspn(to, "/") && strncmp(from, to, length) == 0;
}

static bool exists(const struct place *place)
{
  struct stat status;
  return fstatat(place->folder, place->name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

int files_change_rename(void *context, const char *from, const char *to)
{
  struct place source;
  struct place target;
  int err = open_place(context, from, &source);
  if (err) {
    return err;
  }
  err = open_place(context, to, &target);
  if (!err && !same_mount(from, to)) {
    err = exists(&target) ? PORT_ERR_FILE_EXISTS : PORT_ERR_FILE_OTHER_MOUNT;
    close(target.folder);
  } else if (!err) {
    bool done = renameat2(source.folder, source.name, target.folder, target.name, RENAME_NOREPLACE) == 0;
    err = done ? LB_OK : error_of_change(errno);
    close(target.folder);
  }
  close(source.folder);
  return err;
}
