// SPDX-License-Identifier: MIT
/* From a path to the entry it names. */
#include <string.h>

#include "ports/fat/fat_parts.h"

static void make_root(const struct fat_volume *volume, struct fat_entry *entry)
{
  memset(entry, 0, sizeof *entry);
  entry->is_directory = true;
  entry->cluster = volume->root_cluster;
  entry->directory = volume->root_cluster;
}

/* Looks for `length` bytes of `name` in the directory `entry`, and replaces it by what was found. */
static int find_name(struct fat_volume *volume, const char *name, uint32_t length, struct fat_entry *entry)
{
  struct fat_directory directory;
  int result = fat_directory_open(volume, &directory, entry);
  if (result) {
    return result;
  }
  while ((result = fat_directory_any(volume, &directory, entry)) == LB_MORE) {
    if (fat_same_name(name, length, entry->name) || fat_same_name(name, length, entry->short_name)) {
      return LB_OK;
    }
  }
  return result ? result : PORT_ERR_FILE_NOT_FOUND;
}

/* One name of a path; `*depth` is how many directories below the root it is in. */
static int step(struct fat_volume *volume, const char *name, uint32_t length, uint32_t *depth, struct fat_entry *entry)
{
  if (!entry->is_directory) {
    return PORT_ERR_FILE_NOT_DIRECTORY;
  }
  if (fat_same_name(name, length, ".")) {
    return LB_OK;
  }
  if (!fat_same_name(name, length, "..")) {
    (*depth)++;
    return find_name(volume, name, length, entry);
  }
  if (*depth == 0) {
    return PORT_ERR_FILE_OUTSIDE;
  }
  (*depth)--;
  if (*depth == 0) { /* whatever the directory says of it */
    make_root(volume, entry);
    return LB_OK;
  }
  const int err = find_name(volume, name, length, entry);
  return err == PORT_ERR_FILE_NOT_FOUND ? PORT_ERR_FILE_IO : err; /* every directory has one */
}

int fat_find(struct fat_volume *volume, const char *path, struct fat_entry *entry)
{
  uint32_t depth = 0;
  make_root(volume, entry);
  for (;;) {
    const bool must_be_directory = *path == '/';
    while (*path == '/') {
      path++;
    }
    if (*path == '\0') {
      return must_be_directory && !entry->is_directory ? PORT_ERR_FILE_NOT_DIRECTORY : LB_OK;
    }
    uint32_t length = 0;
    while (path[length] != '\0' && path[length] != '/') {
      length++;
    }
    const int err = step(volume, path, length, &depth, entry);
    if (err) {
      return err;
    }
    path += length;
  }
}
