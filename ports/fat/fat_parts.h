// SPDX-License-Identifier: MIT
/* What the files fat_*.c share. */
#ifndef PORTS_FAT_FAT_PARTS_H
#define PORTS_FAT_FAT_PARTS_H

#include <stddef.h>

#include "ports/fat/fat.h"

#define FAT_NO_SECTOR           0xFFFFFFFFU
#define FAT_CLUSTER_FIRST       2U
#define FAT_ENTRY_SIZE          32U
#define FAT_SECTOR_ENTRIES      (BLOCK_SIZE / FAT_ENTRY_SIZE)

/* A directory entry: offsets of its fields. */
#define FAT_ENTRY_NAME          0U /* 11 bytes */
#define FAT_ENTRY_ATTRIBUTES    11U
#define FAT_ENTRY_CASE          12U
#define FAT_ENTRY_CLUSTER_HIGH  20U
#define FAT_ENTRY_TIME          22U
#define FAT_ENTRY_DATE          24U
#define FAT_ENTRY_CLUSTER       26U
#define FAT_ENTRY_SIZE_FIELD    28U

#define FAT_RAW_NAME            11U /* bytes of a short name in its directory entry */

#define FAT_ATTRIBUTE_VOLUME    0x08U
#define FAT_ATTRIBUTE_DIRECTORY 0x10U
#define FAT_ATTRIBUTE_LONG      0x0FU /* a part of a long name: these four bits, */
#define FAT_ATTRIBUTE_LONG_MASK 0x3FU /* of these six */

#define FAT_CASE_BASE           0x08U /* the name before the dot is in small letters, */
#define FAT_CASE_EXTENSION      0x10U /* the one behind it is */

#define FAT_MARK_END            0x00U /* first byte of an entry behind which there are none */
#define FAT_MARK_DELETED        0xE5U

/* A part of a long name. */
#define FAT_LONG_ORDER          0U /* 1 for the first part of the name; the parts are stored last part first */
#define FAT_LONG_LAST           0x40U
#define FAT_LONG_CHECKSUM       13U
#define FAT_LONG_PARTS          20U
#define FAT_PART_UNITS          13U

/* ---- fat_sector.c ---- */

/* Reads sectors of the volume past all caches. */
int fat_read_sectors(struct fat_volume *volume, uint32_t sector, void *buffer, uint32_t count);

/* Has a sector in volume->bytes. */
int fat_load(struct fat_volume *volume, uint32_t sector);

/* Writes volume->bytes, which fat_load has filled. PORT_ERR_FILE_READ_ONLY. */
int fat_store(struct fat_volume *volume);

/* The cluster that follows another one; `*next` is 0 at the end of a chain. */
int fat_next_cluster(struct fat_volume *volume, uint32_t cluster, uint32_t *next);

bool fat_is_cluster(const struct fat_volume *volume, uint32_t cluster);
uint32_t fat_cluster_sector(const struct fat_volume *volume, uint32_t cluster);

/* ---- fat_name.c ---- */

/* The checksum of a short name that the parts of its long name bear. */
uint8_t fat_checksum(const uint8_t raw[FAT_RAW_NAME]);

/* An 8.3 name as text; `case_flags` are those of the entry, or 0. */
void fat_short_text(const uint8_t raw[FAT_RAW_NAME], uint32_t case_flags, char text[FAT_SHORT_SIZE]);

/* Takes the 13 units of one part; `units` is where they go. */
void fat_long_take(const uint8_t *entry, uint16_t *units);

/* The reverse: the units of `name` (ASCII, `length` characters) from `start` on, then 0, then 0xFFFF. */
void fat_long_put(uint8_t *entry, const char *name, uint32_t length, uint32_t start);

/*
 * UTF-16 as UTF-8, up to `count` units or the first 0. False: there is nothing, more than 255 units, or a control
 * character or slash, or it is "." or "..": no name that a path could have.
 */
bool fat_long_text(const uint16_t *units, uint32_t count, char text[FAT_NAME_SIZE]);

/* Are `length` bytes the same as `name`, without regard to the case of ASCII letters? */
bool fat_same_name(const char *text, uint32_t length, const char *name);

uint32_t fat_length(const char *text);

/* ---- fat_directory.c ---- */

/* Begins to read the directory that begins at `cluster`. */
int fat_directory_at(const struct fat_volume *volume, struct fat_directory *directory, uint32_t cluster);

/*
 * LB_MORE: `*raw` points into volume->bytes, to the next directory entry, whatever it is, which is then taken. LB_OK:
 * the directory has no more room, or stops here.
 */
int fat_directory_raw(struct fat_volume *volume, struct fat_directory *directory, uint8_t **raw);

/* fat_directory_next with "." and "..". */
int fat_directory_any(struct fat_volume *volume, struct fat_directory *directory, struct fat_entry *entry);

/* ---- fat_alias.c ---- */

/* A short name for `name` that the directory does not have. PORT_ERR_FILE_NO_ROOM. */
int fat_alias(struct fat_volume *volume, uint32_t directory, const char *name, uint8_t raw[FAT_RAW_NAME]);

#endif
