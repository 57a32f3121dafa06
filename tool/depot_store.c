// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* renameat2, st_mtim */
#include "tool/depot_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool/depot_folder.h"
#include "tool/depot_patch_list.h"

/* Names with a leading dot are never served. There is one publisher at a time, so one name will do. */
#define TEMPORARY ".publishing"

/* ---- a time of change that no other release has ---- */

/* The list of patches may be newer than the image. */
static bool is_changed_at(int releases, const char *version, time_t second)
{
  static const char *const names[] = {DEPOT_IMAGE_NAME, DEPOT_PATCH_LIST_NAME};
  bool found = false;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && version[0] != '.'; i++) {
    char path[sizeof((struct dirent *)NULL)->d_name + sizeof "/" DEPOT_PATCH_LIST_NAME];
    struct stat file;
    (void)snprintf(path, sizeof path, "%s/%s", version, names[i]);
    found = found || (fstatat(releases, path, &file, 0) == 0 && file.st_mtim.tv_sec == second);
  }
  return found;
}

/* Returns 0 or an errno. */
static int is_second_taken(int releases, time_t second, bool *taken)
{
  int copy = openat(releases, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = copy < 0 ? NULL : fdopendir(copy);
  if (!folder) {
    int error = errno;
    if (copy >= 0) {
      close(copy);
    }
    return error;
  }
  *taken = false;
  errno = 0;
  for (struct dirent *entry = readdir(folder); entry && !*taken; entry = readdir(folder)) {
    *taken = is_changed_at(releases, entry->d_name, second);
    errno = 0;
  }
  int error = errno;
  closedir(folder);
  return error;
}

/* Now, or as many seconds earlier as there are releases that have them already. */
static int choose_time(int releases, struct timespec *when)
{
  bool taken = true;
  if (clock_gettime(CLOCK_REALTIME, when) != 0) {
    return errno;
  }
  int error = is_second_taken(releases, when->tv_sec, &taken);
  while (!error && taken) {
    when->tv_sec--;
    error = is_second_taken(releases, when->tv_sec, &taken);
  }
  return error;
}

/* ---- the files ---- */

int depot_store_clean(int releases)
{
  return depot_folder_remove(releases, TEMPORARY);
}

/* The new patches, and the list of all. */
static int write_patches(int folder, const struct depot_patches *patches, struct timespec when)
{
  char list[DEPOT_PATCH_LIST_SIZE];
  char name[DEPOT_PATCH_NAME_SIZE];
  int error = 0;
  for (uint32_t i = 0; i < patches->count && !error; i++) {
    const struct depot_patch *patch = &patches->patches[i];
    if (patch->state == DEPOT_PATCH_MADE) {
      depot_patch_name(patch, name);
      error = depot_folder_write(folder, name, patch->data, patch->size, when);
    }
  }
  uint32_t length = depot_patch_list_write(patches, list);
  if (!error && length > 0) {
    error = depot_folder_write(folder, DEPOT_PATCH_LIST_NAME, (const uint8_t *)list, length, when);
  }
  return error;
}

static int write_files(int folder, const struct depot_release *release, struct timespec when)
{
  const struct file_bytes *image = &release->image->bytes;
  int error = depot_folder_write(folder, DEPOT_IMAGE_NAME, image->data, image->length, when);
  if (!error) {
    error = depot_folder_write(folder, DEPOT_VERSION_NAME, release->text, release->text_length, when);
  }
  if (!error) {
    error = write_patches(folder, release->patches, when);
  }
  return error || fsync(folder) == 0 ? error : errno;
}

/* The temporary folder, and the time of change of what is written into it. */
static int begin(int releases, int *folder, struct timespec *when)
{
  int error = choose_time(releases, when);
  return error ? error : depot_folder_create(releases, TEMPORARY, folder);
}

int depot_store_release(int releases, const struct depot_release *release)
{
  struct timespec when;
  int folder = -1;
  int error = begin(releases, &folder, &when);
  if (error) {
    return error;
  }
  error = write_files(folder, release, when);
  close(folder);
  if (!error && renameat2(releases, TEMPORARY, releases, release->version, RENAME_NOREPLACE) != 0) {
    error = errno;
  }
  if (error) {
    (void)depot_store_clean(releases); /* the error to report is the first one; the next publisher tries again */
    return error;
  }
  return fsync(releases) == 0 ? 0 : errno;
}

/* ---- patches for a release that is there ---- */

/*
 * The list goes last, and only when all that it names would outlast a power cut. The folder keeps its time of change:
 * it tells when the release was published.
 */
static int move_patches(int from, int to, const struct depot_patches *patches)
{
  char name[DEPOT_PATCH_NAME_SIZE];
  struct stat status;
  if (fstat(to, &status) != 0) {
    return errno;
  }
  for (uint32_t i = 0; i < patches->count; i++) {
    depot_patch_name(&patches->patches[i], name);
    if (patches->patches[i].state == DEPOT_PATCH_MADE && renameat(from, name, to, name) != 0) {
      return errno;
    }
  }
  const struct timespec times[2] = {status.st_atim, status.st_mtim};
  bool moved = fsync(to) == 0 && renameat(from, DEPOT_PATCH_LIST_NAME, to, DEPOT_PATCH_LIST_NAME) == 0;
  return moved && futimens(to, times) == 0 && fsync(to) == 0 ? 0 : errno;
}

int depot_store_patches(int releases, int folder, const struct depot_patches *patches)
{
  struct timespec when;
  int temporary = -1;
  int error = begin(releases, &temporary, &when);
  if (error) {
    return error;
  }
  error = write_patches(temporary, patches, when);
  if (!error) {
    error = move_patches(temporary, folder, patches);
  }
  close(temporary);
  int cleaned = depot_store_clean(releases);
  return error ? error : cleaned;
}
