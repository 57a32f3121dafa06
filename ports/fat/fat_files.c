// SPDX-License-Identifier: MIT
#include "ports/fat/fat_files.h"

#include <string.h>

#include "ports/fat/fat_files_list.h"
#include "ports/fat/fat_parts.h"

#define MOUNT        "sd"
#define READ_LARGEST 4096U

/* ---- paths and mounting ---- */

/* Is it "/", or "//"? */
static bool is_root(const char *path)
{
  const char *behind = path;
  while (*behind == '/') {
    behind++;
  }
  return *path == '/' && *behind == '\0';
}

/* What of a path is below /sd; NULL if it leads elsewhere. */
static const char *below_mount(const char *path)
{
  const char *name = path;
  while (*name == '/') {
    name++;
  }
  uint32_t length = 0;
  while (name[length] != '\0' && name[length] != '/') {
    length++;
  }
  const bool is_mount = length == sizeof MOUNT - 1 && memcmp(name, MOUNT, length) == 0;
  return *path == '/' && is_mount ? name + length : NULL;
}

static int mount(struct fat_files *files)
{
  if (files->is_mounted) {
    fat_forget(&files->volume);
    return LB_OK;
  }
  int err = files->start ? files->start(files->start_context) : LB_OK;
  err = err ? err : fat_mount(&files->volume, files->device);
  if (err == LB_OK) {
    files->is_mounted = true;
    files->mounted++;
  }
  return err;
}

/*
 * Does something with the volume: a second time if the device failed, because the card may be another one since it was
 * mounted.
 */
static int with_volume(struct fat_files *files, const char *path,
                       int (*act)(struct fat_files *files, const char *below))
{
  const char *below = below_mount(path);
  if (!below) {
    return PORT_ERR_FILE_NO_MOUNT;
  }
  const bool was_mounted = files->is_mounted;
  int err = mount(files);
  err = err ? err : act(files, below);
  if (files->is_mounted && files->volume.device_failed) {
    files->is_mounted = false;
    if (was_mounted) {
      err = mount(files);
      err = err ? err : act(files, below);
      files->is_mounted = files->is_mounted && !files->volume.device_failed;
    }
  }
  return err;
}

/* ---- reading ---- */

static struct port_file_info describe(const struct fat_entry *entry)
{
  return (struct port_file_info){.size = entry->size, .modified = entry->modified, .is_directory = entry->is_directory};
}

static int find(struct fat_files *files, const char *below)
{
  return fat_find(&files->volume, below, &files->entry);
}

static int find_file(struct fat_files *files, const char *below)
{
  const int err = find(files, below);
  return err ? err : fat_file_open(&files->volume, &files->opening, &files->entry);
}

static int files_open(void *context, const char *path, struct port_file **file, struct port_file_info *info)
{
  struct fat_files *files = context;
  struct port_file *opened = NULL;
  for (uint32_t i = 0; i < FAT_FILES_OPEN && !opened; i++) {
    opened = files->open_files[i].files ? NULL : &files->open_files[i];
  }
  if (is_root(path)) {
    return PORT_ERR_FILE_IS_DIRECTORY;
  }
  const int err = with_volume(files, path, find_file);
  if (err || !opened) {
    return err ? err : PORT_ERR_FILE_BUSY;
  }
  *opened = (struct port_file){.files = files, .file = files->opening, .mounted = files->mounted};
  *info = describe(&files->entry);
  *file = opened;
  return LB_OK;
}

static int files_read(struct port_file *file, void *buffer, uint32_t capacity, uint32_t *got)
{
  struct fat_files *files = file->files;
  *got = 0;
  if (capacity > READ_LARGEST) {
    return LB_ERR_ARGUMENT;
  }
  if (!files->is_mounted || file->mounted != files->mounted) {
    return PORT_ERR_FILE_IO; /* of a card that is gone */
  }
  const int err = fat_file_read(&file->file, buffer, capacity, got);
  if (files->volume.device_failed) {
    files->is_mounted = false;
  }
  return err;
}

static void files_close(struct port_file *file)
{
  file->files = NULL;
}

static int files_stat(void *context, const char *path, struct port_file_info *info)
{
  struct fat_files *files = context;
  if (is_root(path)) {
    *info = (struct port_file_info){.is_directory = true};
    return LB_OK;
  }
  const int err = with_volume(files, path, find);
  if (err == LB_OK) {
    *info = describe(&files->entry);
  }
  return err;
}

/* ---- listing ---- */

/* "/" has the card if there is one, whatever is on it. */
static int list_root(struct fat_files *files)
{
  const struct port_file_info info = {.is_directory = true};
  if (with_volume(files, "/" MOUNT, find) != PORT_ERR_FILE_NO_MOUNT) {
    files->listing.entry(files->listing.context, MOUNT, &info);
  }
  return LB_OK;
}

static int list_directory(struct fat_files *files, const char *below)
{
  if (files->listing.has_begun) { /* and the device failed then: no name is told twice */
    return PORT_ERR_FILE_IO;
  }
  const int err = find(files, below);
  return err ? err : fat_files_list(files);
}

static int files_list(void *context, const char *path,
                      void (*entry)(void *entry_context, const char *name, const struct port_file_info *info),
                      void *entry_context)
{
  struct fat_files *files = context;
  files->listing.entry = entry;
  files->listing.context = entry_context;
  files->listing.has_begun = false;
  return is_root(path) ? list_root(files) : with_volume(files, path, list_directory);
}

/* ---- changing ---- */

static int refuse(const char *path)
{
  if (is_root(path)) {
    return PORT_ERR_FILE_IS_DIRECTORY;
  }
  return below_mount(path) ? PORT_ERR_FILE_READ_ONLY : PORT_ERR_FILE_NO_MOUNT;
}

static int files_create(void *context, const char *path, struct port_file **file)
{
  (void)context;
  (void)file;
  return refuse(path);
}

static int files_write(struct port_file *file, const void *data, uint32_t length)
{
  (void)file;
  (void)data;
  (void)length;
  return PORT_ERR_FILE_READ_ONLY;
}

static int files_commit(struct port_file *file)
{
  (void)file;
  return PORT_ERR_FILE_READ_ONLY;
}

static int files_remove(void *context, const char *path)
{
  (void)context;
  return refuse(path);
}

static int files_rename(void *context, const char *from, const char *to)
{
  const int err = refuse(from);
  (void)context;
  return err == PORT_ERR_FILE_READ_ONLY ? refuse(to) : err;
}

/* Finding the file first mounts the card if that is needed; the renaming itself is not tried twice. */
int fat_files_rename(struct fat_files *files, const char *path, const char *name)
{
  int err = with_volume(files, path, find);
  if (err) {
    return err;
  }
  err = fat_rename(&files->volume, below_mount(path), name);
  files->is_mounted = !files->volume.device_failed;
  return err;
}

/* ---- all of it ---- */

void fat_files_open(struct fat_files *files, const struct block_device *device, int (*start)(void *context),
                    void *start_context)
{
  memset(files, 0, sizeof *files);
  files->device = device;
  files->start = start;
  files->start_context = start_context;
  files->port = (struct port_files){
      .context = files,
      .open = files_open,
      .read = files_read,
      .close = files_close,
      .stat = files_stat,
      .list = files_list,
      .create = files_create,
      .write = files_write,
      .commit = files_commit,
      .remove = files_remove,
      .rename = files_rename,
  };
}
