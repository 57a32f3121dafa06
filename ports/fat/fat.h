// SPDX-License-Identifier: MIT
/*
 * A FAT volume on a block device: FAT12, FAT16 and FAT32 with long names, read-only but for renaming a file.
 *
 * The volume is the first FAT partition of an MBR, or the whole medium if it is formatted without partitions. Nothing
 * on the medium is trusted: what cannot be is PORT_ERR_FILE_IO, or PORT_ERR_FILE_SYSTEM when mounting. Every function
 * ends, whatever the medium holds: a file has no more bytes than its size says, even if its chain of clusters is a
 * loop, and a directory at most FAT_DIRECTORY_ENTRIES entries. There is no heap and no recursion; all structs are the
 * caller's.
 *
 * Names are UTF-8. They are compared as FAT does, without regard to case, but only for ASCII letters. What is no
 * valid UTF-16, and characters of short names that are no ASCII (their code page is not known), become U+FFFD.
 * Times are local times without a zone; they are taken as UTC.
 *
 * Functions return LB_OK or, besides what is said with them:
 * PORT_ERR_FILE_IO        the device cannot be read, or what is there contradicts itself
 * PORT_ERR_FILE_NO_MOUNT  the device says that there is no card
 */
#ifndef PORTS_FAT_FAT_H
#define PORTS_FAT_FAT_H

#include <stdbool.h>
#include <stdint.h>

#include "module/port.h"
#include "ports/block_device.h"

#define FAT_DIRECTORY_ENTRIES 65536U /* as many as FAT allows, parts of long names counted */
#define FAT_LONG_UNITS        260U   /* of UTF-16: 20 parts of 13; a name has at most 255 */
#define FAT_NAME_SIZE         768U   /* bytes of a name in UTF-8 with its NUL */
#define FAT_SHORT_SIZE        36U    /* bytes of an 8.3 name with its NUL: 11 times U+FFFD and a dot */

/* A mounted volume. It belongs to the functions below; about 1.6 KB. */
struct fat_volume {
  const struct block_device *device;
  bool device_failed; /* set when a call of the device fails; the caller may mount again */

  uint64_t first_sector; /* on the device; all other sectors are counted from here */
  uint32_t sectors;
  uint32_t table_bits;         /* of an entry: 12, 16 or 32 */
  uint32_t table_sector;       /* of the table that is in use */
  uint32_t root_sector;        /* FAT12 and FAT16: the root directory and */
  uint32_t root_entries;       /* how many entries it has; 0 with FAT32 */
  uint32_t root_cluster;       /* FAT32; else 0 */
  uint32_t data_sector;        /* of cluster 2 */
  uint32_t clusters;           /* numbered from 2 */
  uint32_t sectors_in_cluster; /* a power of two up to 128 */

  uint32_t table_cached; /* which sector is in table_bytes, which in bytes; FAT_NO_SECTOR */
  uint32_t cached;
  uint8_t table_bytes[BLOCK_SIZE];
  uint8_t bytes[BLOCK_SIZE];
  uint16_t units[FAT_LONG_UNITS]; /* the long name that is being put together */
};

/*
 * Looks for a volume. PORT_ERR_FILE_SYSTEM: there is none of ours (exFAT, GPT, sectors that are not of 512 bytes, an
 * impossible boot sector).
 */
int fat_mount(struct fat_volume *volume, const struct block_device *device);

/* Forgets sectors that were read: the next call asks the device, and so notices that the card was changed. */
void fat_forget(struct fat_volume *volume);

/* ---- directories ---- */

/* A file or directory. */
struct fat_entry {
  char name[FAT_NAME_SIZE];        /* the long name, or the short one with its letters in the case that is noted */
  char short_name[FAT_SHORT_SIZE]; /* in capitals */
  uint32_t size;                   /* bytes; 0 for directories */
  uint32_t cluster;                /* where it begins; 0: nowhere, or the root of FAT12 and FAT16 */
  int64_t modified;                /* seconds since 1970; 0: no date, or an impossible one */
  bool is_directory;
  uint32_t directory; /* the cluster at which the directory begins that holds it; 0: root of FAT12 and FAT16 */
  uint32_t first;     /* number in the directory of its first directory entry, a part of the long name, and */
  uint32_t last;      /* of its last one, the short name */
};

/* A place in a directory, between two entries. */
struct fat_directory {
  uint32_t start;   /* the first cluster; 0: root of FAT12 and FAT16 */
  uint32_t cluster; /* the one in which `index` is */
  uint32_t index;   /* of the next directory entry */
};

/*
 * Finds a path in the volume, like "logs/a.txt", by long or short names; "" is the root directory, which has the name
 * "". "." and ".." work, too.
 * PORT_ERR_FILE_NOT_FOUND; PORT_ERR_FILE_NOT_DIRECTORY: a file stands where a directory should, or a "/" follows it;
 * PORT_ERR_FILE_OUTSIDE: ".." of the root.
 */
int fat_find(struct fat_volume *volume, const char *path, struct fat_entry *entry);

/* Begins to read the directory `entry`. PORT_ERR_FILE_NOT_DIRECTORY. */
int fat_directory_open(const struct fat_volume *volume, struct fat_directory *directory, const struct fat_entry *entry);

/* LB_MORE: `*entry` is the next one, never "." or ".."; LB_OK: there are no more. */
int fat_directory_next(struct fat_volume *volume, struct fat_directory *directory, struct fat_entry *entry);

/* ---- files ---- */

/* A file that is read from its begin to its end. Several may be open on one volume. */
struct fat_file {
  struct fat_volume *volume;
  uint32_t size;
  uint32_t position;
  uint32_t cluster; /* that holds the byte before `position`, or the first byte */
};

/*
 * Opens the file `entry`, without reading anything: its chain of clusters would be long. PORT_ERR_FILE_IS_DIRECTORY;
 * PORT_ERR_FILE_IO: it begins nowhere, or is larger than the volume.
 */
int fat_file_open(struct fat_volume *volume, struct fat_file *file, const struct fat_entry *entry);

/*
 * Reads up to `capacity` bytes: less only at the end, `*got` is 0 there. After an error the place is the same.
 *
 * Each cluster is found from the one before it, and the chain is never followed from its begin again. It is
 * PORT_ERR_FILE_IO to come to where the chain leads out of the volume or ends before the file does. A chain that leads
 * to wrong clusters, or in a circle, gives `size` wrong bytes: whoever reads has to check what the file says.
 */
int fat_file_read(struct fat_file *file, void *buffer, uint32_t capacity, uint32_t *got);

/*
 * Gives the file at `path` the name `name` in the same directory.
 *
 * PORT_ERR_FILE_NAME       not allowed: only printable ASCII without "*:<>?/\| and the quotation mark, at most 255
 *                          characters, neither beginning with a blank nor ending with a blank or a dot
 * PORT_ERR_FILE_EXISTS     the directory has something of that name, in whatever case, as long or as short name
 * PORT_ERR_FILE_NO_ROOM    the directory has not enough free entries side by side (it does not grow), or 99 short
 *                          names that begin as the new one would
 * PORT_ERR_FILE_IS_DIRECTORY, PORT_ERR_FILE_READ_ONLY, and what fat_find returns
 *
 * The order of writes, each of one sector, which the device writes whole or not at all:
 * 1. parts of the new long name in other sectors than the new short name: no file has them yet, and they are ignored
 * 2. the sector with the new short name, which makes the file appear. If the old short name is in the same sector,
 *    which is preferred, it goes in the same write: then the file has one name at every moment
 * 3. else the sector with the old short name, which makes it disappear. After 2 and before 3 the file has both names
 *    and is whole under each; a check of the file system says that they share clusters
 * 4. parts of the old long name in other sectors, ignored since their short name is gone
 * No free cluster and no table is touched, so nothing can be lost or leak.
 */
int fat_rename(struct fat_volume *volume, const char *path, const char *name);

#endif
