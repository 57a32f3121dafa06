// SPDX-License-Identifier: MIT
/*
 * The partition table, in the binary form that ESP-IDF's gen_esp32part writes (docs/SPEC.md, "Partition table").
 *
 * A table is kept as the bytes that are on the flash; rows are decoded when they are asked for. It is either read
 * and checked as a whole (lb_table_read, lb_table_parse) or built row by row (lb_table_start, _add, _finish).
 */
#ifndef LIFEBOAT_PARTITION_H
#define LIFEBOAT_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/flash.h"
#include "lifeboat/hash.h"

#define LB_TABLE_ADDRESS      0x8000U /* where the table is */
#define LB_TABLE_COPY_ADDRESS 0x7000U /* where Lifeboat keeps a second one: the end of the bootloader's region */
#define LB_TABLE_SIZE         0xC00U  /* bytes of a table */
#define LB_TABLE_SECTOR       0x1000U /* what a table occupies: its bytes, the rest 0xFF */
#define LB_TABLE_ROW          32U
#define LB_TABLE_ROWS_MAX     95U /* partitions in a table without MD5 row; one less with it */

#define LB_LABEL_SIZE         17U /* 16 bytes and the NUL that a 16-byte label lacks on the flash */

enum lb_partition_type { LB_TYPE_APP = 0, LB_TYPE_DATA = 1, LB_TYPE_BOOTLOADER = 2, LB_TYPE_TABLE = 3 };

enum lb_partition_subtype {
  LB_SUBTYPE_FACTORY = 0x00, /* of type app */
  LB_SUBTYPE_OTA_0 = 0x10,
  LB_SUBTYPE_OTA_15 = 0x1F,
  LB_SUBTYPE_TEST = 0x20,
  LB_SUBTYPE_OTADATA = 0x00, /* of type data */
  LB_SUBTYPE_PHY = 0x01,
  LB_SUBTYPE_NVS = 0x02,
  LB_SUBTYPE_FAT = 0x81
};

struct lb_partition {
  uint32_t offset; /* flash address of its first byte */
  uint32_t size;   /* in bytes */
  uint32_t flags;  /* bit 0 encrypted, bit 1 read-only */
  uint8_t type;
  uint8_t subtype;
  char label[LB_LABEL_SIZE];
};

struct lb_table {
  uint32_t count;               /* partitions */
  uint32_t address;             /* where lb_table_read found it: LB_TABLE_ADDRESS or LB_TABLE_COPY_ADDRESS */
  int first_error;              /* why the copy was taken: what is wrong with the table at LB_TABLE_ADDRESS, or LB_OK */
  bool has_md5;                 /* there is an MD5 row, and it is right */
  uint8_t bytes[LB_TABLE_SIZE]; /* as on the flash */
};

/*
 * Reads the table of a module: the one at LB_TABLE_ADDRESS, and if that one does not verify, the copy at
 * LB_TABLE_COPY_ADDRESS, which must have an MD5 row, since other things may lie there on a module that was not
 * made with Lifeboat. The error of the first one is returned if neither is good.
 * LB_ERR_TABLE_..., LB_ERR_FLASH_READ, LB_ERR_HASH.
 */
int lb_table_read(struct lb_table *table, const struct lb_flash *flash, const struct lb_hash *md5);

/*
 * Takes a table from `length` bytes (those behind LB_TABLE_SIZE do not matter, missing ones count as absent) and
 * checks every rule of docs/SPEC.md for a flash of `flash_size` bytes. LB_ERR_TABLE_..., LB_ERR_HASH.
 */
int lb_table_parse(struct lb_table *table, const void *bytes, uint32_t length, uint32_t flash_size,
                   const struct lb_hash *md5);

/* Begins an empty table. */
void lb_table_start(struct lb_table *table);

/* Appends a partition as it is. LB_ERR_TABLE_FULL; LB_ERR_TABLE_NAME if the label is empty. */
int lb_table_add(struct lb_table *table, const struct lb_partition *partition);

/* Writes the MD5 row and checks the whole, as lb_table_parse does. LB_ERR_TABLE_..., LB_ERR_HASH. */
int lb_table_finish(struct lb_table *table, uint32_t flash_size, const struct lb_hash *md5);

/* Decodes the row at `index`, which is below table->count. LB_ERR_NOT_FOUND if it is not. */
int lb_table_get(const struct lb_table *table, uint32_t index, struct lb_partition *partition);

/* The first partition with that label, or of that type and subtype. LB_ERR_NOT_FOUND, and *partition is untouched. */
int lb_table_find_label(const struct lb_table *table, const char *label, struct lb_partition *partition);
int lb_table_find(const struct lb_table *table, uint8_t type, uint8_t subtype, struct lb_partition *partition);

/* How many OTA slots there are: ota_0, ota_1 and so on up to the first number that is missing. 0 to 16. */
uint32_t lb_table_ota_count(const struct lb_table *table);

/* The OTA slot of that number, below lb_table_ota_count. LB_ERR_NOT_FOUND. */
int lb_table_ota_slot(const struct lb_table *table, uint32_t number, struct lb_partition *slot);

/* App slots in order, as a bootloader falls back: factory, ota_0 ... ota_15, test. LB_ERR_NOT_FOUND behind the last. */
int lb_table_app_slot(const struct lb_table *table, uint32_t index, struct lb_partition *slot);

#define LB_FLAG_ENCRYPTED 1U
#define LB_FLAG_READ_ONLY 2U

/* Is it an OTA slot? And is it the same partition (by place)? */
bool lb_partition_is_ota(const struct lb_partition *partition);
bool lb_partition_same(const struct lb_partition *a, const struct lb_partition *b);

#endif
