// SPDX-License-Identifier: MIT
/* Folders and files relative to an open folder. Each returns 0 or an errno; whoever calls reports it. */
#ifndef TOOL_DEPOT_FOLDER_H
#define TOOL_DEPOT_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "tool/file.h"

/* Opens the folder `path` in `*folder`; what is missing of it is created and synced. */
int depot_folder_create_path(const char *path, int *folder);

/* The same for one name in the folder `parent`, which must be a folder and no link (ENOTDIR, ELOOP). */
int depot_folder_create(int parent, const char *name, int *folder);

/*
 * Reads a whole file of at most `most` bytes (EFBIG), which must be a regular file and no link. The caller frees it.
 */
int depot_folder_read(int folder, const char *name, uint32_t most, struct file_bytes *bytes);

/* Removes the folder `name` with the files in it; it has no folders. 0 if there is none. */
int depot_folder_remove(int parent, const char *name);

/* Writes a new file with `when` as its time of change, and syncs it. */
int depot_folder_write(int folder, const char *name, const uint8_t *data, uint32_t length, struct timespec when);

/*
 * Does the file begin with these bytes, and if `whole`, end with them? `*same` is false if there is no such file.
 */
int depot_folder_compare(int folder, const char *name, const uint8_t *data, uint32_t length, bool whole, bool *same);

#endif
