// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* mkostemp */
#include "tool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/report.h"

/* ---- reading ---- */

static bool read_all(int descriptor, const char *path, struct file_bytes *bytes)
{
  uint32_t done = 0;
  while (done < bytes->length) {
    ssize_t got = read(descriptor, bytes->data + done, bytes->length - done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      report_system_error("read", path, errno);
      return false;
    }
    if (got == 0) {
      report_error("%s became shorter while it was read", path);
      return false;
    }
    done += (uint32_t)got;
  }
  return true;
}

static bool read_descriptor(int descriptor, const char *path, uint32_t most, struct file_bytes *bytes)
{
  struct stat status;
  if (fstat(descriptor, &status) != 0) {
    report_system_error("read", path, errno);
    return false;
  }
  if (!S_ISREG(status.st_mode)) {
    report_error("%s is %s, not a file", path, S_ISDIR(status.st_mode) ? "a directory" : "something else");
    return false;
  }
  if ((uint64_t)status.st_size > most) {
    report_error("%s is %lld bytes, at most %u can be used", path, (long long)status.st_size, most);
    return false;
  }
  bytes->length = (uint32_t)status.st_size;
  bytes->data = malloc(bytes->length > 0 ? bytes->length : 1);
  if (bytes->data == NULL) {
    report_error("not enough memory for %s", path);
    return false;
  }
  if (!read_all(descriptor, path, bytes)) {
    file_free(bytes);
    return false;
  }
  return true;
}

bool file_read(const char *path, uint32_t most, struct file_bytes *bytes)
{
  *bytes = (struct file_bytes){0};
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    report_system_error("open", path, errno);
    return false;
  }
  bool good = read_descriptor(descriptor, path, most, bytes);
  close(descriptor);
  return good;
}

void file_free(struct file_bytes *bytes)
{
  free(bytes->data);
  *bytes = (struct file_bytes){0};
}

/* ---- writing ---- */

/* errno of the failure, or 0. */
static int write_all(int descriptor, const uint8_t *data, uint32_t length)
{
  while (length > 0) {
    ssize_t written = write(descriptor, data, length);
    if (written < 0 && errno != EINTR) {
      return errno;
    }
    if (written > 0) {
      data += written;
      length -= (uint32_t)written;
    }
  }
  /* mkostemp makes files that only their owner can read; give it the rights any new file gets. */
  mode_t mask = umask(0);
  umask(mask);
  if (fchmod(descriptor, 0666 & ~mask) != 0 || fsync(descriptor) != 0) {
    return errno;
  }
  return 0;
}

static int rename_file(const char *temporary, const char *path, bool replace)
{
  if (replace) {
    return rename(temporary, path) == 0 ? 0 : errno;
  }
  /* link, unlike rename, refuses a name that exists. Not every file system has links: there, look first. */
  if (link(temporary, path) == 0) {
    return unlink(temporary) == 0 ? 0 : errno;
  }
  if (errno != EPERM && errno != ENOTSUP) {
    return errno;
  }
  struct stat status;
  if (lstat(path, &status) == 0) {
    return EEXIST;
  }
  return rename(temporary, path) == 0 ? 0 : errno;
}

/* The name lasts through a power cut only once the folder is synced too. */
static int sync_folder(const char *path)
{
  const char *slash = strrchr(path, '/');
  char *folder = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
  if (folder == NULL) {
    return ENOMEM;
  }
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(folder);
  if (descriptor < 0) {
    return errno;
  }
  int error = fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
  close(descriptor);
  return error;
}

static int write_and_rename(char *temporary, const char *path, const void *data, uint32_t length, bool replace)
{
  int descriptor = mkostemp(temporary, O_CLOEXEC);
  if (descriptor < 0) {
    return errno;
  }
  int error = write_all(descriptor, data, length);
  if (close(descriptor) != 0 && error == 0) {
    error = errno;
  }
  if (error == 0) {
    error = rename_file(temporary, path, replace);
  }
  if (error != 0) {
    (void)unlink(temporary);
    return error;
  }
  return sync_folder(path);
}

bool file_is_same(const char *a, const char *b)
{
  struct stat first;
  struct stat second;
  return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

/* A name that leads to a device, a pipe, a folder or through a link must not become an ordinary file. */
static bool is_replaceable(const char *path)
{
  struct stat status;
  if (lstat(path, &status) != 0 || S_ISREG(status.st_mode)) {
    return true;
  }
  report_error("%s is not an ordinary file - name another one, or remove it first", path);
  return false;
}

bool file_write(const char *path, const void *data, uint32_t length, bool replace)
{
  if (!is_replaceable(path)) {
    return false;
  }
  static const char suffix[] = ".XXXXXX";
  size_t size = strlen(path) + sizeof(suffix);
  char *temporary = malloc(size);
  if (temporary == NULL) {
    report_error("not enough memory");
    return false;
  }
  (void)snprintf(temporary, size, "%s%s", path, suffix);
  /* A signal waits until the temporary file is gone again. */
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  int error = write_and_rename(temporary, path, data, length, replace);
  sigprocmask(SIG_SETMASK, &before, NULL);
  free(temporary);
  if (error == EEXIST && !replace) {
    report_error("%s exists; --force replaces it", path);
  } else if (error != 0) {
    report_system_error("write", path, error);
  }
  return error == 0;
}
