// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "ports/sim/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/sim/files_change.h"
#include "ports/sim/files_parts.h"
#include "ports/sim/files_path.h"

#define READ_LARGEST 4096U

/* Finds the mount that a path begins with, and what of the path is below it: "." for the mount itself. */
static const struct sim_files_mount *find_mount(const struct sim_files *files, const char *path, const char **below)
{
  if (*path != '/') {
    return NULL;
  }
  path += strspn(path, "/");
  const size_t length = strcspn(path, "/");
  for (unsigned i = 0; i < files->mount_count; i++) {
    const struct sim_files_mount *mount = &files->mounts[i];
    if (strlen(mount->name) == length && strncmp(path, mount->name, length) == 0) {
      path += length + strspn(path + length, "/");
      *below = *path ? path : ".";
      return mount;
    }
  }
  return NULL;
}

bool sim_files_is_root(const char *path)
{
  return *path == '/' && path[strspn(path, "/")] == '\0';
}

int sim_files_open_path(const struct sim_files *files, const char *path, int flags)
{
  const char *below = NULL;
  const struct sim_files_mount *mount = find_mount(files, path, &below);
  if (!mount) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  return files_path_open(mount->fd, below, flags, files->without_openat2);
}

/* PORT_ERR_FILE_IO for what is neither file nor directory. */
static int describe(int fd, struct port_file_info *info)
{
  struct stat status;
  if (fstat(fd, &status)) {
    return files_path_error(errno);
  }
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    return PORT_ERR_FILE_IO;
  }
  *info = (struct port_file_info){
      .size = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0,
      .modified = status.st_mtime,
      .is_directory = S_ISDIR(status.st_mode),
  };
  return LB_OK;
}

static int files_open(void *context, const char *path, struct port_file **file, struct port_file_info *info)
{
  if (sim_files_is_root(path)) {
    return PORT_ERR_FILE_IS_DIRECTORY;
  }
  /* O_NONBLOCK: opening a pipe does not wait for its other end */
  const int fd = sim_files_open_path(context, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    return fd;
  }
  int err = describe(fd, info);
  if (!err && info->is_directory) {
    err = PORT_ERR_FILE_IS_DIRECTORY;
  }
  struct port_file *opened = err ? NULL : malloc(sizeof *opened);
  if (!opened) {
    close(fd);
    return err ? err : PORT_ERR_FILE_IO;
  }
  opened->fd = fd;
  *file = opened;
  return LB_OK;
}

static int files_read(struct port_file *file, void *buffer, uint32_t capacity, uint32_t *got)
{
  *got = 0;
  if (capacity > READ_LARGEST) {
    return LB_ERR_ARGUMENT;
  }
  ssize_t count = 0;
  do {
    count = read(file->fd, buffer, capacity);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return PORT_ERR_FILE_IO;
  }
  *got = (uint32_t)count;
  return LB_OK;
}

static void files_close(struct port_file *file)
{
  close(file->fd);
  free(file);
}

static int files_stat(void *context, const char *path, struct port_file_info *info)
{
  if (sim_files_is_root(path)) {
    *info = (struct port_file_info){.is_directory = true};
    return LB_OK;
  }
  /* O_PATH: what may not be read can still be described */
  const int fd = sim_files_open_path(context, path, O_PATH);
  if (fd < 0) {
    return fd;
  }
  const int err = describe(fd, info);
  close(fd);
  return err;
}

/* ---- listing ---- */

struct names {
  char **names;
  size_t count;
  size_t room;
};

static void names_free(struct names *names)
{
  for (size_t i = 0; i < names->count; i++) {
    free(names->names[i]);
  }
  free(names->names);
}

static bool names_add(struct names *names, const char *name)
{
  if (names->count == names->room) {
    const size_t room = names->room ? 2 * names->room : 64;
    char **grown = realloc(names->names, room * sizeof *grown);
    if (!grown) {
      return false;
    }
    names->names = grown;
    names->room = room;
  }
  char *copy = strdup(name);
  if (!copy) {
    return false;
  }
  names->names[names->count++] = copy;
  return true;
}

static int compare_names(const void *left, const void *right)
{
  return strcmp(*(char *const *)left, *(char *const *)right);
}

static int read_names(DIR *directory, struct names *names)
{
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(directory);
    if (!entry) {
      return errno ? PORT_ERR_FILE_IO : LB_OK;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
      continue;
    }
    if (!names_add(names, entry->d_name)) {
      return PORT_ERR_FILE_IO;
    }
  }
}

/* Takes over `fd`. */
static int gather_names(int fd, struct names *names)
{
  DIR *directory = fdopendir(fd);
  if (!directory) {
    const int err = files_path_error(errno);
    close(fd);
    return err;
  }
  const int err = read_names(directory, names);
  closedir(directory);
  return err;
}

static int gather_mounts(const struct sim_files *files, struct names *names)
{
  for (unsigned i = 0; i < files->mount_count; i++) {
    if (!names_add(names, files->mounts[i].name)) {
      return PORT_ERR_FILE_IO;
    }
  }
  return LB_OK;
}

static int gather(const struct sim_files *files, const char *path, struct names *names)
{
  if (sim_files_is_root(path)) {
    return gather_mounts(files, names);
  }
  const int fd = sim_files_open_path(files, path, O_RDONLY | O_DIRECTORY);
  return fd < 0 ? fd : gather_names(fd, names);
}

static int files_list(void *context, const char *path,
                      void (*entry)(void *entry_context, const char *name, const struct port_file_info *info),
                      void *entry_context)
{
  struct names names = {0};
  int err = gather(context, path, &names);
  if (!err && names.count > 0) {
    qsort(names.names, names.count, sizeof *names.names, compare_names);
  }
  for (size_t i = 0; !err && i < names.count; i++) {
    struct port_file_info info = {0};
    char *full = NULL;
    if (asprintf(&full, "%s/%s", path, names.names[i]) < 0) {
      err = PORT_ERR_FILE_IO;
      break;
    }
    /* what cannot be described, like a link that leads outside, still has its name in the list */
    (void)files_stat(context, full, &info);
    free(full);
    entry(entry_context, names.names[i], &info);
  }
  names_free(&names);
  return err;
}

/* ---- mounting ---- */

void sim_files_open(struct sim_files *files)
{
  memset(files, 0, sizeof *files);
  files->port = (struct port_files){
      .context = files,
      .open = files_open,
      .read = files_read,
      .close = files_close,
      .stat = files_stat,
      .list = files_list,
      .create = files_change_create,
      .write = files_change_write,
      .commit = files_change_commit,
      .remove = files_change_remove,
      .rename = files_change_rename,
  };
}

int sim_files_mount(struct sim_files *files, const char *name, const char *folder)
{
  if (files->mount_count == SIM_FILES_MOUNTS) {
    return LB_ERR_STATE;
  }
  const int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return files_path_error(errno);
  }
  files->mounts[files->mount_count++] = (struct sim_files_mount){.name = name, .fd = fd};
  return LB_OK;
}

void sim_files_close(struct sim_files *files)
{
  while (files->mount_count > 0) {
    close(files->mounts[--files->mount_count].fd);
  }
}
