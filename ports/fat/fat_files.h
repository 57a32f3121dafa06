// SPDX-License-Identifier: MIT
/*
 * A FAT volume as the module's /sd.
 *
 * The card is mounted when it is first needed, and again when the device has failed: it may be put in, taken out and
 * changed at any time. Files that were open then answer PORT_ERR_FILE_IO and have to be closed.
 *
 * Without a card paths in /sd are PORT_ERR_FILE_NO_MOUNT, with one that is no FAT PORT_ERR_FILE_SYSTEM. create, write,
 * commit, remove and rename return PORT_ERR_FILE_READ_ONLY. Not more than FAT_FILES_OPEN files are open at a time:
 * PORT_ERR_FILE_BUSY.
 *
 * list sorts names in groups: FAT_FILES_LIST_NAMES names, or as many as fit into FAT_FILES_LIST_SIZE bytes. A directory
 * of one group is sorted; of a larger one each group is, in the order in which the directory has them. What list calls
 * back must not call the functions of `port`.
 *
 * How long a call takes is bounded, for a watchdog that is fed between calls. For each name of a path open, stat and
 * list read a directory once, and nothing of a file. FAT allows 2 MB for a directory: 4096 sectors, and what the table
 * says of them. read reads at most 9 sectors, and for each of them 4 of the table, mostly none. Mounting comes on top,
 * and the same again if the device failed in the middle; how long that takes is the driver's matter. fat_files_rename
 * reads the directory more often: 5 times, and once more for each short name that is taken, 99 at most.
 */
#ifndef PORTS_FAT_FAT_FILES_H
#define PORTS_FAT_FAT_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"
#include "ports/fat/fat.h"

#define FAT_FILES_OPEN       4U
#define FAT_FILES_LIST_NAMES 256U  /* how many are sorted at a time, */
#define FAT_FILES_LIST_SIZE  8192U /* and the bytes for them, 16 more than its name and the NUL for each */

/* An open file. */
struct port_file {
  struct fat_files *files; /* NULL: not in use */
  struct fat_file file;
  uint32_t mounted; /* the number of the mounting in which it was opened */
};

/* A directory while it is listed. */
struct fat_listing {
  void (*entry)(void *context, const char *name, const struct port_file_info *info);
  void *context;
  bool has_begun;                       /* some name was told */
  uint32_t count;                       /* of names that are kept, and */
  uint32_t used;                        /* bytes of `records` with them */
  uint16_t order[FAT_FILES_LIST_NAMES]; /* where in `records` each of them is, sorted by name */
  uint8_t records[FAT_FILES_LIST_SIZE];
};

/* About 12 KB. */
struct fat_files {
  struct port_files port; /* for the module: valid as long as the struct does not move */

  /* the rest belongs to fat_files*.c */
  const struct block_device *device;
  int (*start)(void *context);
  void *start_context;
  bool is_mounted;
  uint32_t mounted; /* how often */
  struct fat_volume volume;
  struct port_file open_files[FAT_FILES_OPEN];
  struct fat_file opening;
  struct fat_entry entry;
  struct fat_listing listing;
};

/*
 * Fills `port`. `start` makes `device` ready before each mounting: it finds out whether there is a card, and sets
 * device->sectors. It returns LB_OK, PORT_ERR_FILE_NO_MOUNT without a card, or PORT_ERR_FILE_IO; NULL: not needed.
 * Nothing is read yet.
 */
void fat_files_open(struct fat_files *files, const struct block_device *device, int (*start)(void *context),
                    void *start_context);

/* Gives the file at `path`, like "/sd/ovms3.bin", another name in its folder, like "ovms3.done": see fat_rename. */
int fat_files_rename(struct fat_files *files, const char *path, const char *name);

#endif
