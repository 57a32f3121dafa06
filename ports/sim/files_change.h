// SPDX-License-Identifier: MIT
/* Making, removing and renaming files below the mounts; for files.c. All of it stays below the mounts, as reading does.
 */
#ifndef PORTS_SIM_FILES_CHANGE_H
#define PORTS_SIM_FILES_CHANGE_H

#include "ports/sim/files.h"

/* The functions of struct port_files that change something; see module/port.h. */
int files_change_create(void *context, const char *path, struct port_file **file);
int files_change_write(struct port_file *file, const void *data, uint32_t length);
int files_change_commit(struct port_file *file);
int files_change_remove(void *context, const char *path);
int files_change_rename(void *context, const char *from, const char *to);

#endif
