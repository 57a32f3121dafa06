// SPDX-License-Identifier: MIT
#include "lifeboat/otadata.h"

#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

#define STATE_OFFSET 24U
#define CRC_OFFSET   28U
#define CRC_SEED     0xFFFFFFFFU /* ESP-IDF starts the register at 0 */

uint32_t lb_otadata_crc(uint32_t sequence)
{
  uint8_t bytes[4];
  lb_store_le32(bytes, sequence);
  return lb_crc32(CRC_SEED, bytes, sizeof bytes);
}

static uint32_t record_address(const struct lb_otadata *otadata, int index)
{
  return otadata->partition.offset + (uint32_t)index * otadata->sector;
}

static int read_record(struct lb_otadata *otadata, const struct lb_flash *flash, int index)
{
  uint8_t bytes[LB_OTADATA_RECORD_SIZE];
  int err = lb_flash_read(flash, record_address(otadata, index), bytes, sizeof bytes);
  if (err) {
    return err;
  }
  struct lb_otadata_record *record = &otadata->records[index];
  record->sequence = lb_load_le32(bytes);
  record->state = lb_load_le32(bytes + STATE_OFFSET);
  record->crc = lb_load_le32(bytes + CRC_OFFSET);
  record->usable = record->sequence != LB_OTADATA_BLANK && record->state != LB_OTADATA_INVALID &&
                   record->state != LB_OTADATA_ABORTED && record->crc == lb_otadata_crc(record->sequence);
  return LB_OK;
}

static int active_of(const struct lb_otadata_record *records)
{
  if (records[0].usable && records[1].usable) {
    return records[1].sequence > records[0].sequence ? 1 : 0;
  }
  if (records[0].usable) {
    return 0;
  }
  return records[1].usable ? 1 : LB_OTADATA_NONE;
}

static int read_records(struct lb_otadata *otadata, const struct lb_flash *flash)
{
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    int err = read_record(otadata, flash, i);
    if (err) {
      return err;
    }
  }
  otadata->active = active_of(otadata->records);
  return LB_OK;
}

int lb_otadata_read(struct lb_otadata *otadata, const struct lb_device *device)
{
  otadata->active = LB_OTADATA_NONE;
  if (lb_table_find(device->table, LB_TYPE_DATA, LB_SUBTYPE_OTADATA, &otadata->partition) != LB_OK) {
    return LB_ERR_NO_OTADATA;
  }
  otadata->sector = otadata->partition.size / LB_OTADATA_RECORDS;
  uint32_t sector = lb_flash_sector(device->flash);
  if (sector > otadata->sector || (otadata->partition.offset & (sector - 1U)) != 0) {
    return LB_ERR_OTADATA_SECTOR;
  }
  return read_records(otadata, device->flash);
}

static uint32_t slot_number(uint32_t sequence, uint32_t slots)
{
  return (sequence - 1U) % slots;
}

int lb_otadata_selected(const struct lb_otadata *otadata, const struct lb_table *table, struct lb_partition *selected)
{
  uint32_t slots = lb_table_ota_count(table);
  if (otadata->active != LB_OTADATA_NONE && slots > 0) {
    return lb_table_ota_slot(table, slot_number(otadata->records[otadata->active].sequence, slots), selected);
  }
  if (lb_table_find(table, LB_TYPE_APP, LB_SUBTYPE_FACTORY, selected) == LB_OK) {
    return LB_OK;
  }
  return lb_table_ota_slot(table, 0, selected);
}

/* The smallest sequence number above `above` that means that slot; LB_OTADATA_BLANK if there is none left. */
static uint32_t next_sequence(uint32_t above, uint32_t slot, uint32_t slots)
{
  uint32_t next_slot = above % slots; /* what above + 1 means */
  uint32_t step = 1U + (slot + slots - next_slot) % slots;
  return step < LB_OTADATA_BLANK - above ? above + step : LB_OTADATA_BLANK;
}

/*
 * A record that was set aside by its state alone would count again if an erase were cut after the state's bits, and
 * only those, had risen. So its CRC is spoiled first, by clearing bits. Tells in `*wiped` whether that was needed.
 */
static int wipe_record(const struct lb_otadata *otadata, const struct lb_flash *flash, int index, bool *wiped)
{
  static const uint8_t zeros[4] = {0};
  const struct lb_otadata_record *record = &otadata->records[index];
  bool only_set_aside = !record->usable && record->sequence != LB_OTADATA_BLANK &&
                        record->crc == lb_otadata_crc(record->sequence) && record->crc != 0;
  *wiped = only_set_aside;
  return only_set_aside ? lb_flash_program(flash, record_address(otadata, index) + CRC_OFFSET, zeros, sizeof zeros)
                        : LB_OK;
}

/* Erases a sector and makes sure of it. */
static int erase_sector(const struct lb_flash *flash, uint32_t address)
{
  uint32_t erased = 0;
  bool blank = false;
  int err = lb_flash_erase_one(flash, address, address + lb_flash_sector(flash), &erased);
  if (err == LB_OK) {
    err = lb_flash_is_blank(flash, address, erased, &blank);
  }
  return err == LB_OK && !blank ? LB_ERR_READ_BACK : err;
}

/* Makes a record's half of the partition blank: LB_MORE after one program or erase, LB_OK once there is nothing to do.
 */
static int clear_record(struct lb_otadata *otadata, const struct lb_flash *flash, int index)
{
  uint32_t address = record_address(otadata, index);
  uint32_t end = address + otadata->sector;
  bool wiped;
  int err = wipe_record(otadata, flash, index, &wiped);
  if (err == LB_OK && wiped) {
    err = read_records(otadata, flash);
    return err == LB_OK && otadata->records[index].crc != 0 ? LB_ERR_READ_BACK : err ? err : LB_MORE;
  }
  for (; err == LB_OK && address < end; address += lb_flash_sector(flash)) {
    bool blank;
    err = lb_flash_is_blank(flash, address, lb_flash_sector(flash), &blank);
    if (err == LB_OK && !blank) {
      err = erase_sector(flash, address);
      if (err == LB_OK) {
        err = read_records(otadata, flash);
      }
      return err ? err : LB_MORE;
    }
  }
  return err;
}

/* Writes a record to a blank half and reads it back. */
static int write_record(struct lb_otadata *otadata, const struct lb_flash *flash, int index, uint32_t sequence)
{
  uint8_t bytes[LB_OTADATA_RECORD_SIZE];
  memset(bytes, 0xFF, sizeof bytes);
  lb_store_le32(bytes, sequence);
  lb_store_le32(bytes + CRC_OFFSET, lb_otadata_crc(sequence));
  int err = lb_flash_program(flash, record_address(otadata, index), bytes, sizeof bytes);
  if (err == LB_OK) {
    err = read_records(otadata, flash);
  }
  const struct lb_otadata_record *record = &otadata->records[index];
  return err == LB_OK && !(record->usable && record->sequence == sequence) ? LB_ERR_READ_BACK : err;
}

/* Makes `sequence` the record in the half `index`: LB_MORE after each step, LB_OK once it is there. */
static int replace_record(struct lb_otadata *otadata, const struct lb_flash *flash, int index, uint32_t sequence)
{
  int result = clear_record(otadata, flash, index);
  return result == LB_OK ? write_record(otadata, flash, index, sequence) : result;
}

/*
 * The count has come to its end: the new record begins it anew, and the old one, which is greater, has to go before the
 * new one counts.
 */
static int start_count_anew(struct lb_otadata *otadata, const struct lb_device *device, uint32_t slot)
{
  int other = 1 - otadata->active;
  const struct lb_otadata_record *record = &otadata->records[other];
  bool written = record->usable && record->sequence == slot + 1U && record->state == LB_OTADATA_UNDEFINED;
  int result = written ? clear_record(otadata, device->flash, otadata->active)
                       : replace_record(otadata, device->flash, other, slot + 1U);
  return result < 0 ? result : LB_MORE;
}

/* A record that ESP-IDF's bootloader would give up by itself, with its rollback, is no lasting selection. */
static bool is_settled(const struct lb_otadata_record *record)
{
  return record->state != LB_OTADATA_NEW && record->state != LB_OTADATA_PENDING_VERIFY;
}

int lb_otadata_select_slot(struct lb_otadata *otadata, const struct lb_device *device, uint32_t slot)
{
  uint32_t slots = lb_table_ota_count(device->table);
  uint32_t active = 0;
  if (slot >= slots) {
    return LB_ERR_NOT_FOUND;
  }
  if (otadata->active != LB_OTADATA_NONE) {
    active = otadata->records[otadata->active].sequence;
    if (slot_number(active, slots) == slot && is_settled(&otadata->records[otadata->active])) {
      return LB_OK;
    }
  }
  uint32_t sequence = next_sequence(active, slot, slots);
  if (sequence == LB_OTADATA_BLANK) {
    return start_count_anew(otadata, device, slot);
  }
  int other = otadata->active == LB_OTADATA_NONE ? 0 : 1 - otadata->active;
  return replace_record(otadata, device->flash, other, sequence);
}

int lb_otadata_select_factory(struct lb_otadata *otadata, const struct lb_device *device)
{
  int first = otadata->active == LB_OTADATA_NONE ? 0 : 1 - otadata->active;
  int result = clear_record(otadata, device->flash, first);
  if (result == LB_OK) {
    result = clear_record(otadata, device->flash, 1 - first);
  }
  return result;
}
