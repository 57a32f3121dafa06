// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* renameat2 */
#include "tool/depot_release.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool/depot_folder.h"
#include "tool/depot_name.h"
#include "tool/report.h"

/* Names with a leading dot are never served. There is one publisher at a time, so one name of each kind will do. */
#define LOCK_NAME           ".lock"
#define TEMPORARY_RELEASE   ".publishing" /* in releases/ */
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

/* ---- a time of change that no other release has ---- */

static bool is_changed_at(int releases, const char *version, time_t second)
{
  char name[sizeof((struct dirent *)NULL)->d_name + sizeof "/" DEPOT_IMAGE_NAME];
  struct stat file;
  (void)snprintf(name, sizeof name, "%s/" DEPOT_IMAGE_NAME, version);
  return version[0] != '.' && fstatat(releases, name, &file, 0) == 0 && file.st_mtim.tv_sec == second;
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

/* ---- the release ---- */

/* Removes what an interrupted publisher left. */
static int remove_leftover(int releases)
{
  static const char *const names[] = {TEMPORARY_RELEASE "/" DEPOT_IMAGE_NAME, TEMPORARY_RELEASE "/" DEPOT_VERSION_NAME};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (unlinkat(releases, names[i], 0) != 0 && errno != ENOENT) {
      return errno;
    }
  }
  return unlinkat(releases, TEMPORARY_RELEASE, AT_REMOVEDIR) != 0 && errno != ENOENT ? errno : 0;
}

static int write_files(int folder, const struct depot_release *release, struct timespec when)
{
  int error = depot_folder_write(folder, DEPOT_IMAGE_NAME, release->image, release->image_length, when);
  if (!error) {
    error = depot_folder_write(folder, DEPOT_VERSION_NAME, release->text, release->text_length, when);
  }
  return error || fsync(folder) == 0 ? error : errno;
}

static int write_release(int releases, const struct depot_release *release)
{
  struct timespec when;
  int folder = -1;
  int error = choose_time(releases, &when);
  if (!error) {
    error = depot_folder_create(releases, TEMPORARY_RELEASE, &folder);
  }
  if (error) {
    return error;
  }
  error = write_files(folder, release, when);
  close(folder);
  if (!error && renameat2(releases, TEMPORARY_RELEASE, releases, release->version, RENAME_NOREPLACE) != 0) {
    error = errno;
  }
  if (error) {
    (void)remove_leftover(releases); /* the error to report is the first one; the next publisher tries again */
    return error;
  }
  return fsync(releases) == 0 ? 0 : errno;
}

/* Is the release that is there already this one? False and an error line if not. */
static bool judge_existing(const struct publication *publication, int folder)
{
  const struct depot_release *release = publication->release;
  bool same_image = false;
  bool same_text = false;
  uint32_t text_length = release->has_changes ? release->text_length : (uint32_t)strlen(release->version) + 1U;
  int error = depot_folder_compare(folder, DEPOT_IMAGE_NAME, release->image, release->image_length, true, &same_image);
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

static bool provide_release(const struct publication *publication)
{
  const struct depot_release *release = publication->release;
  int error = remove_leftover(publication->releases);
  if (error) {
    return fail(publication, "remove", RELEASES "/" TEMPORARY_RELEASE, error);
  }
  int folder = openat(publication->releases, release->version, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder >= 0) {
    bool same = judge_existing(publication, folder);
    close(folder);
    return same;
  }
  if (errno != ENOENT) {
    return fail(publication, "open", publication->target, errno);
  }
  error = write_release(publication->releases, release);
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
    return DEPOT_RELEASE_UNCHANGED;
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
