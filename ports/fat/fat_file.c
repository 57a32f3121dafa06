// SPDX-License-Identifier: MIT
/* Reading a file from its begin to its end. */
#include <string.h>

#include "ports/fat/fat_parts.h"

static uint32_t cluster_size(const struct fat_volume *volume)
{
  return volume->sectors_in_cluster * BLOCK_SIZE;
}

int fat_file_open(struct fat_volume *volume, struct fat_file *file, const struct fat_entry *entry)
{
  if (entry->is_directory) {
    return PORT_ERR_FILE_IS_DIRECTORY;
  }
  *file = (struct fat_file){.volume = volume, .size = entry->size, .cluster = entry->cluster};
  if (entry->size == 0) {
    return LB_OK;
  }
  const bool has_room = (entry->size - 1) / cluster_size(volume) < volume->clusters;
  return has_room && fat_is_cluster(volume, entry->cluster) ? LB_OK : PORT_ERR_FILE_IO;
}

/* Moves to the cluster of the next byte, which is there. */
static int enter_cluster(struct fat_file *file)
{
  uint32_t next = 0;
  if (file->position == 0 || file->position % cluster_size(file->volume) != 0) {
    return LB_OK;
  }
  const int err = fat_next_cluster(file->volume, file->cluster, &next);
  file->cluster = next;
  return err ? err : next == 0 ? PORT_ERR_FILE_IO : LB_OK;
}

/* How many sectors from `sector` on, up to `wanted`, belong to the file side by side; the last cluster is entered. */
static int count_sectors(struct fat_file *file, uint32_t sector, uint32_t wanted, uint32_t *count)
{
  struct fat_volume *volume = file->volume;
  uint32_t behind = fat_cluster_sector(volume, file->cluster) + volume->sectors_in_cluster;
  *count = behind - sector;
  while (*count < wanted) {
    uint32_t next = 0;
    const int err = fat_next_cluster(volume, file->cluster, &next);
    if (err) {
      return err;
    }
    if (next != file->cluster + 1) {
      return LB_OK;
    }
    file->cluster = next;
    *count += volume->sectors_in_cluster;
  }
  *count = wanted;
  return LB_OK;
}

/* Reads a piece that lies side by side: whole sectors straight into the buffer, or a part of one. */
static int read_piece(struct fat_file *file, uint8_t *buffer, uint32_t length, uint32_t *got)
{
  struct fat_volume *volume = file->volume;
  int err = enter_cluster(file);
  if (err) {
    return err;
  }
  const uint32_t offset = file->position % BLOCK_SIZE;
  const uint32_t within = file->position % cluster_size(volume) / BLOCK_SIZE;
  const uint32_t sector = fat_cluster_sector(volume, file->cluster) + within;
  if (offset == 0 && length >= BLOCK_SIZE) {
    uint32_t count = 0;
    err = count_sectors(file, sector, length / BLOCK_SIZE, &count);
    *got = count * BLOCK_SIZE;
    return err ? err : fat_read_sectors(volume, sector, buffer, count);
  }
  *got = length < BLOCK_SIZE - offset ? length : BLOCK_SIZE - offset;
  err = fat_load(volume, sector);
  if (err == LB_OK) {
    memcpy(buffer, volume->bytes + offset, *got);
  }
  return err;
}

int fat_file_read(struct fat_file *file, void *buffer, uint32_t capacity, uint32_t *got)
{
  struct fat_file at = *file;
  const uint32_t left = file->size - file->position;
  const uint32_t length = capacity < left ? capacity : left;
  uint32_t done = 0;
  *got = 0;
  while (done < length) {
    uint32_t piece = 0;
    const int err = read_piece(&at, (uint8_t *)buffer + done, length - done, &piece);
    if (err) {
      return err;
    }
    done += piece;
    at.position += piece;
  }
  *file = at;
  *got = done;
  return LB_OK;
}
