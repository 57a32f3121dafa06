// SPDX-License-Identifier: MIT
/* For fat_files.c: a directory in the order of its names. */
#ifndef PORTS_FAT_FAT_FILES_LIST_H
#define PORTS_FAT_FAT_FILES_LIST_H

#include "ports/fat/fat_files.h"

/* Tells files->listing the names in the directory files->entry. */
int fat_files_list(struct fat_files *files);

#endif
