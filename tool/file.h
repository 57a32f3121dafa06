// SPDX-License-Identifier: MIT
/* Files of the host: read whole, written whole or not at all. Failures are reported by these functions. */
#ifndef TOOL_FILE_H
#define TOOL_FILE_H

#include <stdbool.h>
#include <stdint.h>

struct file_bytes {
  uint8_t *data; /* freed by file_free */
  uint32_t length;
};

/* Reads a whole regular file of at most `most` bytes. False and an error line if that is not possible. */
bool file_read(const char *path, uint32_t most, struct file_bytes *bytes);

void file_free(struct file_bytes *bytes);

/*
 * Writes a file under a temporary name in the same folder, syncs it and gives it its name: a reader sees the old file
 * or the new one, never a part. An existing file is replaced only if `replace`, and only an ordinary one: links and
 * devices are refused. False and an error line if it failed; nothing is left behind then.
 */
bool file_write(const char *path, const void *data, uint32_t length, bool replace);

/* Do both names lead to the same file? */
bool file_is_same(const char *a, const char *b);

#endif
