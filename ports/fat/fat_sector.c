// SPDX-License-Identifier: MIT
/* Sectors of the volume, two of them cached, and the table of clusters. */
#include <string.h>

#include "lifeboat/bytes.h"
#include "ports/fat/fat_parts.h"

#define ENTRY_MASK_32 0x0FFFFFFFU /* the upper 4 bits are not for us */

static int device_sector(const struct fat_volume *volume, uint32_t sector, uint32_t count, uint64_t *first)
{
  if (sector >= volume->sectors || count > volume->sectors - sector) {
    return PORT_ERR_FILE_IO;
  }
  *first = volume->first_sector + sector;
  return *first + count > volume->device->sectors ? PORT_ERR_FILE_IO : LB_OK;
}

int fat_read_sectors(struct fat_volume *volume, uint32_t sector, void *buffer, uint32_t count)
{
  uint64_t first = 0;
  int err = device_sector(volume, sector, count, &first);
  if (err) {
    return err;
  }
  err = volume->device->read(volume->device->context, first, buffer, count);
  volume->device_failed |= err != LB_OK;
  return err;
}

int fat_load(struct fat_volume *volume, uint32_t sector)
{
  if (volume->cached == sector) {
    return LB_OK;
  }
  volume->cached = FAT_NO_SECTOR;
  int err = fat_read_sectors(volume, sector, volume->bytes, 1);
  if (err == LB_OK) {
    volume->cached = sector;
  }
  return err;
}

int fat_store(struct fat_volume *volume)
{
  const struct block_device *device = volume->device;
  uint64_t sector = 0;
  int err = device_sector(volume, volume->cached, 1, &sector);
  if (err) {
    return err;
  }
  err = device->write ? device->write(device->context, sector, volume->bytes) : PORT_ERR_FILE_READ_ONLY;
  if (err) {
    volume->cached = FAT_NO_SECTOR; /* what the card holds now is not known */
    volume->device_failed |= err != PORT_ERR_FILE_READ_ONLY;
  }
  return err;
}

void fat_forget(struct fat_volume *volume)
{
  volume->cached = FAT_NO_SECTOR;
  volume->table_cached = FAT_NO_SECTOR;
}

bool fat_is_cluster(const struct fat_volume *volume, uint32_t cluster)
{
  return cluster >= FAT_CLUSTER_FIRST && cluster - FAT_CLUSTER_FIRST < volume->clusters;
}

uint32_t fat_cluster_sector(const struct fat_volume *volume, uint32_t cluster)
{
  return volume->data_sector + (cluster - FAT_CLUSTER_FIRST) * volume->sectors_in_cluster;
}

/* A byte of the table, counted from its begin; with FAT12 an entry may lie in two sectors. */
static int table_byte(struct fat_volume *volume, uint32_t offset, const uint8_t **byte)
{
  uint32_t sector = volume->table_sector + offset / BLOCK_SIZE;
  if (volume->table_cached != sector) {
    volume->table_cached = FAT_NO_SECTOR;
    int err = fat_read_sectors(volume, sector, volume->table_bytes, 1);
    if (err) {
      return err;
    }
    volume->table_cached = sector;
  }
  *byte = &volume->table_bytes[offset % BLOCK_SIZE];
  return LB_OK;
}

/* An entry of the table, with the mark of the end of a chain moved to where FAT32 has it. */
static int table_entry(struct fat_volume *volume, uint32_t cluster, uint32_t *entry)
{
  const uint8_t *byte = NULL;
  if (volume->table_bits == 12) {
    uint32_t offset = cluster + cluster / 2;
    int err = table_byte(volume, offset, &byte);
    uint32_t low = err ? 0 : *byte;
    err = err ? err : table_byte(volume, offset + 1, &byte);
    uint32_t both = err ? 0 : low | (uint32_t)*byte << 8;
    both = cluster % 2 == 1 ? both >> 4 : both & 0xFFF;
    *entry = both >= 0xFF7 ? both | 0x0FFFF000 : both;
    return err;
  }
  int err = table_byte(volume, cluster * (volume->table_bits / 8), &byte);
  if (err) {
    return err;
  }
  if (volume->table_bits == 32) {
    *entry = lb_load_le32(byte) & ENTRY_MASK_32;
  } else {
    *entry = lb_load_le16(byte);
    *entry |= *entry >= 0xFFF7 ? 0x0FFF0000U : 0;
  }
  return LB_OK;
}

int fat_next_cluster(struct fat_volume *volume, uint32_t cluster, uint32_t *next)
{
  if (!fat_is_cluster(volume, cluster)) {
    return PORT_ERR_FILE_IO;
  }
  int err = table_entry(volume, cluster, next);
  if (err) {
    return err;
  }
  if (*next >= 0x0FFFFFF8) {
    *next = 0;
    return LB_OK;
  }
  return fat_is_cluster(volume, *next) ? LB_OK : PORT_ERR_FILE_IO;
}
