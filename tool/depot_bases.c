// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* st_mtim, strdup */
#include "tool/depot_bases.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/depot_release.h"
#include "tool/report.h"

/* ---- the releases, newest first ---- */

struct release {
  char *version;
  struct timespec published;
};

struct releases {
  struct release *items;
  size_t count;
};

static void free_releases(struct releases *releases)
{
  for (size_t i = 0; i < releases->count; i++) {
    free(releases->items[i].version);
  }
  free(releases->items);
}

/* Returns 0 or an errno. What is no folder is no release. */
static int append(struct releases *releases, int folder, const char *version)
{
  struct stat status;
  if (version[0] == '.' || fstatat(folder, version, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(status.st_mode)) {
    return 0;
  }
  struct release *items = realloc(releases->items, (releases->count + 1U) * sizeof *items);
  if (!items) {
    return ENOMEM;
  }
  releases->items = items;
  items[releases->count] = (struct release){.version = strdup(version), .published = status.st_mtim};
  return items[releases->count++].version ? 0 : ENOMEM;
}

static int list_releases(struct releases *releases, int folder)
{
  int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *stream = copy < 0 ? NULL : fdopendir(copy);
  if (!stream) {
    int error = errno;
    if (copy >= 0) {
      close(copy);
    }
    return error;
  }
  int error = 0;
  struct dirent *entry = NULL;
  do {
    errno = 0;
    entry = readdir(stream);
    error = entry ? append(releases, folder, entry->d_name) : errno;
  } while (entry && !error);
  closedir(stream);
  return error;
}

static int compare_newest_first(const void *a, const void *b)
{
  const struct release *left = a;
  const struct release *right = b;
  if (left->published.tv_sec != right->published.tv_sec) {
    return left->published.tv_sec > right->published.tv_sec ? -1 : 1;
  }
  if (left->published.tv_nsec != right->published.tv_nsec) {
    return left->published.tv_nsec > right->published.tv_nsec ? -1 : 1;
  }
  return strcmp(right->version, left->version); /* copied without their times: as good as any, but always the same */
}

/* ---- patches from them ---- */

/* False and a warning if there is no good image. */
static bool read_release(const struct depot_bases *bases, const char *version, struct depot_image *image)
{
  const char *cause = NULL;
  int folder = openat(bases->releases, version, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  bool good = folder >= 0 && depot_image_read_in(folder, DEPOT_IMAGE_NAME, image, &cause);
  if (!good) {
    fprintf(stderr, "Warning: no patch is made from %s/%s/" DEPOT_IMAGE_NAME ": %s\n", bases->place, version,
            folder >= 0 ? cause : strerror(errno));
  }
  if (folder >= 0) {
    close(folder);
  }
  return good;
}

/* Makes the patches; false if memory is short. */
static bool add_all(const struct depot_bases *bases, struct depot_patches *patches, const struct releases *releases)
{
  uint32_t used = 0;
  for (size_t i = 0; i < releases->count; i++) {
    const char *version = releases->items[i].version;
    struct depot_image image = {0};
    bool tagged = strcmp(version, bases->tagged) == 0;
    if (strcmp(version, bases->except) == 0 || (used == bases->last && !tagged) ||
        !read_release(bases, version, &image)) {
      continue;
    }
    bool equal = memcmp(depot_image_digest(&image), depot_image_digest(patches->image), LB_SHA256_SIZE) == 0;
    bool good = depot_patches_add(patches, &image);
    depot_image_free(&image);
    if (!good) {
      return false;
    }
    used += !equal && used < bases->last;
  }
  return true;
}

bool depot_bases_add(const struct depot_bases *bases, struct depot_patches *patches)
{
  struct releases releases = {0};
  int error = list_releases(&releases, bases->releases);
  bool good = error == 0;
  if (error) {
    report_system_error("list", bases->place, error);
  } else {
    if (releases.count > 0) {
      qsort(releases.items, releases.count, sizeof *releases.items, compare_newest_first);
    }
    good = add_all(bases, patches, &releases);
  }
  free_releases(&releases);
  return good;
}
