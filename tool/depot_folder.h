// SPDX-License-Identifier: MIT
/* Folders and files relative to an open folder. Each returns 0 or an errno; whoever calls reports it. */
#ifndef TOOL_DEPOT_FOLDER_H
#define TOOL_DEPOT_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Opens the folder `path` in `*folder`; what is missing of it is created and synced. */
int depot_folder_create_path(const char *path, int *folder);

/* The same for one name in the folder `parent`, which must be a folder and no link (ENOTDIR, ELOOP). */
int depot_folder_create(int parent, const char *name, int *folder);

/* Writes a new file with `when` as its time of change, and syncs it. */
int depot_folder_write(int folder, const char *name, const uint8_t *data, uint32_t length, struct timespec when);

/*
 * Does the file begin with these bytes, and if `whole`, end with them? `*same` is false if there is no such file.
 */
int depot_folder_compare(int folder, const char *name, const uint8_t *data, uint32_t length, bool whole, bool *same);

#endif
