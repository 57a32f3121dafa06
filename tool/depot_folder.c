// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* strdup, futimens */
#include "tool/depot_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536U

static int enter(int parent, const char *name, int flags, int *folder)
{
  int made = mkdirat(parent, name, 0777);
  if (made != 0 && errno != EEXIST) {
    return errno;
  }
  if (made == 0 && fsync(parent) != 0) {
    return errno;
  }
  *folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
  return *folder < 0 ? errno : 0;
}

int depot_folder_create(int parent, const char *name, int *folder)
{
  return enter(parent, name, O_NOFOLLOW, folder);
}

static int enter_names(char *names, int *folder)
{
  char *rest = NULL;
  for (char *name = strtok_r(names, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
    int parent = *folder;
    int error = enter(parent, name, 0, folder);
    close(parent);
    if (error) {
      *folder = -1;
      return error;
    }
  }
  return 0;
}

int depot_folder_create_path(const char *path, int *folder)
{
  char *names = strdup(path);
  if (!names) {
    return ENOMEM;
  }
  *folder = open(path[0] == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int error = *folder < 0 ? errno : enter_names(names, folder);
  free(names);
  return error;
}

static int write_all(int file, const uint8_t *data, uint32_t length)
{
  while (length > 0) {
    ssize_t written = write(file, data, length);
    if (written < 0 && errno != EINTR) {
      return errno;
    }
    if (written > 0) {
      data += written;
      length -= (uint32_t)written;
    }
  }
  return 0;
}

int depot_folder_write(int folder, const char *name, const uint8_t *data, uint32_t length, struct timespec when)
{
  const struct timespec times[2] = {when, when};
  int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) {
    return errno;
  }
  int error = write_all(file, data, length);
  if (!error && (futimens(file, times) != 0 || fsync(file) != 0)) {
    error = errno;
  }
  if (close(file) != 0 && !error) {
    error = errno;
  }
  return error;
}

/* Reads until the buffer is full or the file at its end. */
static int read_piece(int file, uint8_t *buffer, uint32_t length, uint32_t *filled)
{
  *filled = 0;
  while (*filled < length) {
    ssize_t got = read(file, buffer + *filled, length - *filled);
    if (got < 0 && errno != EINTR) {
      return errno;
    }
    if (got == 0) {
      break;
    }
    *filled += got > 0 ? (uint32_t)got : 0;
  }
  return 0;
}

static int read_open(int file, uint32_t most, struct file_bytes *bytes)
{
  struct stat status;
  if (fstat(file, &status) != 0) {
    return errno;
  }
  if (!S_ISREG(status.st_mode)) {
    return S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  }
  if ((uint64_t)status.st_size > most) {
    return EFBIG;
  }
  bytes->data = malloc((size_t)status.st_size + 1U);
  return bytes->data ? read_piece(file, bytes->data, (uint32_t)status.st_size, &bytes->length) : ENOMEM;
}

int depot_folder_read(int folder, const char *name, uint32_t most, struct file_bytes *bytes)
{
  *bytes = (struct file_bytes){0};
  int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) {
    return errno;
  }
  int error = read_open(file, most, bytes);
  close(file);
  if (error) {
    file_free(bytes);
  }
  return error;
}

static int remove_files(DIR *stream)
{
  struct dirent *entry = NULL;
  do {
    errno = 0;
    entry = readdir(stream);
    bool is_file = entry && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (is_file && unlinkat(dirfd(stream), entry->d_name, 0) != 0) {
      return errno;
    }
  } while (entry);
  return errno;
}

int depot_folder_remove(int parent, const char *name)
{
  int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0) {
    return errno == ENOENT ? 0 : errno;
  }
  DIR *stream = fdopendir(folder);
  if (!stream) {
    int error = errno;
    close(folder);
    return error;
  }
  int error = remove_files(stream);
  closedir(stream);
  return error || unlinkat(parent, name, AT_REMOVEDIR) == 0 ? error : errno;
}

static int compare_file(int file, const uint8_t *data, uint32_t length, bool whole, bool *same)
{
  static uint8_t buffer[PIECE];
  uint32_t filled = 0;
  while (length > 0) {
    uint32_t piece = length < PIECE ? length : PIECE;
    int error = read_piece(file, buffer, piece, &filled);
    if (error || filled < piece || memcmp(buffer, data, piece) != 0) {
      return error;
    }
    data += piece;
    length -= piece;
  }
  int error = read_piece(file, buffer, 1, &filled);
  *same = !error && (!whole || filled == 0);
  return error;
}

int depot_folder_compare(int folder, const char *name, const uint8_t *data, uint32_t length, bool whole, bool *same)
{
  *same = false;
  int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) {
    return errno == ENOENT ? 0 : errno;
  }
  int error = compare_file(file, data, length, whole, same);
  close(file);
  return error;
}
