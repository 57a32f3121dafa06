// SPDX-License-Identifier: MIT
#include "tool/depot_release.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/depot_bases.h"
#include "tool/depot_folder.h"
#include "tool/depot_patch_list.h"
#include "tool/depot_store.h"
#include "tool/report.h"

/* Names with a leading dot are never served. There is one publisher at a time, so one name will do. */
#define LOCK_NAME           ".lock"
#define TEMPORARY_LINK      ".link"
#define RELEASES            "releases"
#define RELEASE_TARGET_SIZE 128U /* "releases/" and a version of 32 characters */

/* The open folders of one publication; -1: not open. */
struct publication {
  const char *folder;
  const struct depot_release *release;
  int product;
  int releases;
  int lock;
  bool changed;                     /* the release is new, or has new patches */
  char target[RELEASE_TARGET_SIZE]; /* of the link: "releases/3.1.003" */
};

/* "cannot ACTION DIR/PRODUCT/NAME: ..." */
static bool fail(const struct publication *publication, const char *action, const char *name, int error)
{
  report_error("cannot %s %s/%s/%s: %s", action, publication->folder, publication->release->product, name,
               strerror(error));
  return false;
}

/* ---- the folders, and one publisher at a time ---- */

static bool take_lock(struct publication *publication)
{
  publication->lock = openat(publication->product, LOCK_NAME, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (publication->lock < 0) {
    return fail(publication, "create", LOCK_NAME, errno);
  }
  while (flock(publication->lock, LOCK_EX) != 0) {
    if (errno != EINTR) {
      return fail(publication, "lock", LOCK_NAME, errno);
    }
  }
  return true;
}

static bool open_folders(struct publication *publication)
{
  int root = -1;
  int error = depot_folder_create_path(publication->folder, &root);
  if (error) {
    report_system_error("open the depot", publication->folder, error);
    return false;
  }
  error = depot_folder_create(root, publication->release->product, &publication->product);
  close(root);
  if (error) {
    return fail(publication, "open", "", error);
  }
  error = depot_folder_create(publication->product, RELEASES, &publication->releases);
  if (error) {
    return fail(publication, "open", RELEASES, error);
  }
  return take_lock(publication);
}

/* Closing the lock file releases it. */
static void close_folders(const struct publication *publication)
{
  const int files[] = {publication->product, publication->releases, publication->lock};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    if (files[i] >= 0) {
      close(files[i]);
    }
  }
}

/* ---- the release ---- */

/* Is the release that is there already this one? False and an error line if not. */
static bool judge_existing(const struct publication *publication, int folder)
{
  const struct depot_release *release = publication->release;
  bool same_image = false;
  bool same_text = false;
  uint32_t text_length = release->has_changes ? release->text_length : (uint32_t)strlen(release->version) + 1U;
  int error = depot_folder_compare(folder, DEPOT_IMAGE_NAME, release->image->bytes.data, release->image->bytes.length,
                                   true, &same_image);
  if (!error) {
    error =
        depot_folder_compare(folder, DEPOT_VERSION_NAME, release->text, text_length, release->has_changes, &same_text);
  }
  if (error) {
    return fail(publication, "read", publication->target, error);
  }
  if (!same_image || !same_text) {
    report_error("version %s of %s is published already with another %s, and published releases never change; %sgive "
                 "the build another version",
                 release->version, release->product, same_image ? "changelog" : "image",
                 same_image ? "give the same --changes, or " : "");
  }
  return same_image && same_text;
}

/* ---- its patches ---- */

/* The version that the tag leads to; "" if it leads to none. */
static void read_tagged(const struct publication *publication, char version[RELEASE_TARGET_SIZE])
{
  static const char before[] = RELEASES "/";
  char target[RELEASE_TARGET_SIZE];
  ssize_t length = readlinkat(publication->product, publication->release->tag, target, sizeof target - 1U);
  target[length > 0 ? length : 0] = '\0';
  bool is_release = strncmp(target, before, strlen(before)) == 0;
  (void)snprintf(version, RELEASE_TARGET_SIZE, "%s", is_release ? target + strlen(before) : "");
}

/* Makes those that are not there. False and an error line if memory is short. */
static bool make_patches(const struct publication *publication)
{
  const struct depot_release *release = publication->release;
  char place[PATH_MAX];
  char tagged[RELEASE_TARGET_SIZE];
  const struct depot_bases bases = {
      .releases = publication->releases,
      .place = place,
      .except = release->version,
      .tagged = tagged,
      .last = release->last,
  };
  if (release->last == 0) {
    return true;
  }
  (void)snprintf(place, sizeof place, "%s/%s/" RELEASES, publication->folder, release->product);
  read_tagged(publication, tagged);
  bool good = depot_bases_add(&bases, release->patches);
  for (uint32_t i = 0; i < release->base_count && good; i++) {
    good = depot_patches_add(release->patches, &release->bases[i]);
  }
  return good && depot_patches_add(release->patches, NULL);
}

/* The release is there: its image stays as it is, but what it lacks of patches is added. */
static bool complete_release(struct publication *publication, int folder)
{
  struct depot_patches *patches = publication->release->patches;
  if (!judge_existing(publication, folder)) {
    return false;
  }
  int error = depot_patch_list_read(patches, folder);
  if (error) {
    return fail(publication, "read", publication->target, error);
  }
  if (!make_patches(publication)) {
    return false;
  }
  publication->changed = depot_patches_made(patches) > 0;
  error = publication->changed ? depot_store_patches(publication->releases, folder, patches) : 0;
  return error ? fail(publication, "write patches into", publication->target, error) : true;
}

static bool provide_release(struct publication *publication)
{
  const struct depot_release *release = publication->release;
  int error = depot_store_clean(publication->releases);
  if (error) {
    return fail(publication, "clean up", RELEASES, error);
  }
  int folder = openat(publication->releases, release->version, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder >= 0) {
    bool good = complete_release(publication, folder);
    close(folder);
    return good;
  }
  if (errno != ENOENT) {
    return fail(publication, "open", publication->target, errno);
  }
  if (!make_patches(publication)) {
    return false;
  }
  publication->changed = true;
  error = depot_store_release(publication->releases, release);
  return error ? fail(publication, "write", publication->target, error) : true;
}

/* ---- the tag ---- */

/* False and an error line if something that is no link stands where the tag goes. */
static bool judge_tag(const struct publication *publication)
{
  const char *tag = publication->release->tag;
  struct stat file;
  if (fstatat(publication->product, tag, &file, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? true : fail(publication, "look at", tag, errno);
  }
  if (!S_ISLNK(file.st_mode)) {
    report_error("%s/%s/%s is a %s, not a link to a release; move it away, or choose another --tag",
                 publication->folder, publication->release->product, tag, S_ISDIR(file.st_mode) ? "folder" : "file");
    return false;
  }
  return true;
}

static bool is_tagged(const struct publication *publication)
{
  const char *target = publication->target;
  char present[RELEASE_TARGET_SIZE];
  ssize_t length = readlinkat(publication->product, publication->release->tag, present, sizeof present);
  return length >= 0 && (size_t)length == strlen(target) && memcmp(present, target, strlen(target)) == 0;
}

static int move_tag(const struct publication *publication)
{
  int product = publication->product;
  if (unlinkat(product, TEMPORARY_LINK, 0) != 0 && errno != ENOENT) {
    return errno;
  }
  if (symlinkat(publication->target, product, TEMPORARY_LINK) != 0 ||
      renameat(product, TEMPORARY_LINK, product, publication->release->tag) != 0 || fsync(product) != 0) {
    return errno;
  }
  return 0;
}

static enum depot_release_result publish(struct publication *publication)
{
  if (!open_folders(publication) || !judge_tag(publication) || !provide_release(publication)) {
    return DEPOT_RELEASE_FAILED;
  }
  if (is_tagged(publication)) {
    return publication->changed ? DEPOT_RELEASE_COMPLETED : DEPOT_RELEASE_UNCHANGED;
  }
  int error = move_tag(publication);
  if (error) {
    (void)fail(publication, "set the link", publication->release->tag, error);
    return DEPOT_RELEASE_FAILED;
  }
  return DEPOT_RELEASE_PUBLISHED;
}

enum depot_release_result depot_release_publish(const char *folder, const struct depot_release *release)
{
  struct publication publication = {.folder = folder, .release = release, .product = -1, .releases = -1, .lock = -1};
  (void)snprintf(publication.target, sizeof publication.target, RELEASES "/%s", release->version);
  enum depot_release_result result = publish(&publication);
  close_folders(&publication);
  return result;
}
