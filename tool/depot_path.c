// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* syscall */
#include "tool/depot_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_ATTEMPTS 8

static int hex_digit(char digit)
{
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  char small = (char)(digit | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/* Takes one character of a URL, unescaped. -1: none that a file name of ours can have. */
static int take_character(const char **url)
{
  int value = (unsigned char)**url;
  *url += 1;
  if (value == '%') {
    int high = hex_digit(**url);
    int low = high < 0 ? -1 : hex_digit((*url)[1]);
    if (low < 0) {
      return -1;
    }
    *url += 2;
    value = high * 16 + low;
    if (value == '/') {
      return -1;
    }
  }
  return value < 0x20 || value == 0x7F ? -1 : value;
}

/* Copies unescaped names, each with one '/' behind it but the last. */
static enum depot_path_result copy_names(const char *url, char path[DEPOT_PATH_SIZE])
{
  size_t length = 0;
  bool at_start = true; /* of a name */
  while (*url != '\0' && *url != '?' && *url != '#') {
    bool separator = *url == '/';
    int character = take_character(&url);
    if (character < 0) {
      return DEPOT_PATH_MALFORMED;
    }
    if (separator && at_start) {
      continue;
    }
    if ((at_start && character == '.') || length + 1 >= DEPOT_PATH_SIZE) {
      return DEPOT_PATH_HIDDEN;
    }
    path[length++] = (char)character;
    at_start = separator;
  }
  path[length] = '\0';
  return at_start ? DEPOT_PATH_HIDDEN : DEPOT_PATH_OK;
}

enum depot_path_result depot_path_from_url(const char *url, const char *prefix, char path[DEPOT_PATH_SIZE])
{
  static const char scheme[] = "http://";
  if (strncasecmp(url, scheme, strlen(scheme)) == 0) {
    url += strlen(scheme);
    url += strcspn(url, "/?#");
  }
  if (*url != '/') {
    return DEPOT_PATH_MALFORMED;
  }
  enum depot_path_result result = copy_names(url, path);
  size_t length = strlen(prefix);
  if (result == DEPOT_PATH_OK && length > 0 && strncmp(path, prefix, length) == 0 && path[length] == '/') {
    memmove(path, path + length + 1, strlen(path + length + 1) + 1);
  }
  return result;
}

bool depot_path_prefix(const char *option, char prefix[DEPOT_PATH_SIZE])
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-~/";
  if (option[0] != '/' || option[strspn(option, plain)] != '\0' || strlen(option) >= DEPOT_PATH_SIZE) {
    return false;
  }
  size_t slashes = strspn(option, "/");
  size_t end = strlen(option);
  while (end > slashes && option[end - 1] == '/') {
    end--;
  }
  memcpy(prefix, option + slashes, end - slashes);
  prefix[end - slashes] = '\0';
  return !strstr(prefix, "//") && prefix[0] != '.' && !strstr(prefix, "/.");
}

/* RESOLVE_BENEATH asks to be called again where a folder was moved in the middle of a look-up. */
static int open_beneath(int root, const char *path)
{
  const struct open_how how = {
      .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  long fd = -1;
  for (int attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
    fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) {
      break;
    }
  }
  return (int)fd;
}

int depot_path_open(int root, const char *path)
{
  struct stat file;
  int fd = open_beneath(root, path);
  if (fd < 0) {
    return -1;
  }
  int error = fstat(fd, &file) != 0 ? errno : 0;
  if (error == 0 && !S_ISREG(file.st_mode)) {
    error = EISDIR;
  }
  if (error != 0) {
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

bool depot_path_usable(int root)
{
  int fd = open_beneath(root, ".");
  if (fd < 0) {
    return false;
  }
  close(fd);
  return true;
}
