// SPDX-License-Identifier: MIT
#include "lifeboat/otadata.h"

#include <string.h>

#include "lib/common.h"
#include "lib/otadata_parts.h"
#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

#define CRC_SEED 0xFFFFFFFFU /* ESP-IDF starts the register at 0 */

uint32_t lb_otadata_crc(uint32_t sequence)
{
  uint8_t bytes[4];
  lb_store_le32(bytes, sequence);
  return lb_crc32(CRC_SEED, bytes, sizeof bytes);
}

uint32_t lb_otadata_address(const struct lb_otadata *otadata, int index)
{
  return otadata->partition.offset + (uint32_t)index * otadata->sector;
}

bool lb_otadata_is_whole(const struct lb_otadata_record *record)
{
  return record->sequence != LB_OTADATA_BLANK && record->sequence != 0 &&
         record->crc == lb_otadata_crc(record->sequence);
}

static int read_record(struct lb_otadata *otadata, const struct lb_flash *flash, int index)
{
  uint8_t bytes[LB_OTADATA_RECORD_SIZE];
  struct lb_otadata_record record = {0};
  uint32_t address = lb_otadata_address(otadata, index);
  int err = lb_flash_read(flash, address, bytes, sizeof bytes);
  if (err) {
    return err;
  }
  record.sequence = lb_load_le32(bytes);
  record.state = lb_load_le32(bytes + STATE_AT);
  record.crc = lb_load_le32(bytes + CRC_AT);
  bool whole = lb_otadata_is_whole(&record);
  err = whole ? lb_trial_read(&record.trial, flash, address, record.sequence) : LB_OK;
  if (err) {
    return err; /* half read it would look like one that was confirmed: what is known stays */
  }
  record.usable =
      whole && record.state != LB_OTADATA_INVALID && record.state != LB_OTADATA_ABORTED && !record.trial.rejected;
  otadata->records[index] = record;
  return LB_OK;
}

/* The usable record with the greatest sequence among those wanted. */
static int greatest(const struct lb_otadata *otadata, bool also_on_trial)
{
  int found = LB_OTADATA_NONE;
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    bool wanted = otadata->records[i].usable && (also_on_trial || !lb_otadata_on_trial(otadata, i));
    if (wanted && (found == LB_OTADATA_NONE || otadata->records[i].sequence > otadata->records[found].sequence)) {
      found = i;
    }
  }
  return found;
}

int lb_otadata_read_records(struct lb_otadata *otadata, const struct lb_flash *flash)
{
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    int err = read_record(otadata, flash, i);
    if (err) {
      return err;
    }
  }
  otadata->active = greatest(otadata, true);
  return LB_OK;
}

int lb_otadata_read(struct lb_otadata *otadata, const struct lb_device *device)
{
  memset(otadata, 0, sizeof *otadata);
  otadata->active = LB_OTADATA_NONE;
  if (lb_table_find(device->table, LB_TYPE_DATA, LB_SUBTYPE_OTADATA, &otadata->partition) != LB_OK) {
    return LB_ERR_NO_OTADATA;
  }
  otadata->sector = otadata->partition.size / LB_OTADATA_RECORDS;
  uint32_t sector = lb_flash_sector(device->flash);
  if (sector > otadata->sector || sector <= BOOTS_AT + BOOTS_RESERVED ||
      (otadata->partition.offset & (sector - 1U)) != 0) {
    return LB_ERR_OTADATA_SECTOR;
  }
  return lb_otadata_read_records(otadata, device->flash);
}

bool lb_otadata_on_trial(const struct lb_otadata *otadata, int index)
{
  if (index == LB_OTADATA_NONE) {
    return false;
  }
  const struct lb_otadata_record *record = &otadata->records[index];
  return record->usable && record->trial.tagged && !record->trial.counts_at_once && !record->trial.confirmed;
}

int lb_otadata_confirmed(const struct lb_otadata *otadata)
{
  return greatest(otadata, false);
}

uint32_t lb_otadata_slot_of(const struct lb_otadata *otadata, int index, uint32_t slots)
{
  return (otadata->records[index].sequence - 1U) % slots;
}

/* The slot that a record means; without one (LB_OTADATA_NONE) what boots then. */
static int meant(const struct lb_otadata *otadata, const struct lb_table *table, int index, struct lb_partition *slot)
{
  uint32_t slots = lb_table_ota_count(table);
  if (index != LB_OTADATA_NONE && slots > 0) {
    return lb_table_ota_slot(table, lb_otadata_slot_of(otadata, index, slots), slot);
  }
  if (lb_table_find(table, LB_TYPE_APP, LB_SUBTYPE_FACTORY, slot) == LB_OK) {
    return LB_OK;
  }
  return lb_table_ota_slot(table, 0, slot);
}

int lb_otadata_selected(const struct lb_otadata *otadata, const struct lb_table *table, struct lb_partition *selected)
{
  return meant(otadata, table, otadata->active, selected);
}

int lb_otadata_fallback(const struct lb_otadata *otadata, const struct lb_table *table, struct lb_partition *fallback)
{
  return meant(otadata, table, lb_otadata_confirmed(otadata), fallback);
}

bool lb_otadata_means(const struct lb_otadata *otadata, const struct lb_table *table, int index,
                      const struct lb_partition *slot)
{
  struct lb_partition partition;
  return meant(otadata, table, index, &partition) == LB_OK && lb_partition_same(&partition, slot);
}

bool lb_otadata_is_about(const struct lb_otadata_record *record, const uint8_t *digest)
{
  static const uint8_t unknown[LB_SHA256_SIZE] = {0};
  const struct lb_trial *trial = &record->trial;
  return !trial->tagged || memcmp(trial->digest, unknown, LB_SHA256_SIZE) == 0 ||
         (digest && memcmp(trial->digest, digest, LB_SHA256_SIZE) == 0);
}

bool lb_otadata_has_failed(const struct lb_otadata *otadata, const uint8_t digest[LB_SHA256_SIZE])
{
  for (uint32_t i = 0; i < LB_OTADATA_RECORDS; i++) {
    const struct lb_trial *trial = &otadata->records[i].trial;
    if (trial->tagged && trial->rejected && memcmp(trial->digest, digest, LB_SHA256_SIZE) == 0) {
      return true;
    }
  }
  return false;
}

/* Is that a usable record of this slot that is not on trial? */
static bool confirms(const struct lb_otadata *otadata, int index, uint32_t slots, uint32_t slot)
{
  return slots > 0 && otadata->records[index].usable && !lb_otadata_on_trial(otadata, index) &&
         lb_otadata_slot_of(otadata, index, slots) == slot;
}

/*
 * A record that names no image means whatever is there: before an update writes a slot, it makes the records that mean
 * it void. But a later record of the same slot knows better.
 */
bool lb_otadata_speaks_for(const struct lb_otadata *otadata, int index, uint32_t slots, uint32_t slot)
{
  bool later = confirms(otadata, 1 - index, slots, slot) &&
               otadata->records[1 - index].sequence > otadata->records[index].sequence;
  return confirms(otadata, index, slots, slot) && (otadata->records[index].trial.tagged || !later);
}

/* What boots without any record has nobody to be confirmed against. */
static bool is_default(const struct lb_otadata *otadata, const struct lb_table *table, uint32_t slot)
{
  struct lb_partition fallback;
  return lb_otadata_confirmed(otadata) == LB_OTADATA_NONE && lb_otadata_fallback(otadata, table, &fallback) == LB_OK &&
         lb_partition_is_ota(&fallback) && fallback.subtype - (uint32_t)LB_SUBTYPE_OTA_0 == slot;
}

/* Does otadata confirm what is in that slot? With a digest: only if it is that image. */
static bool counts(const struct lb_otadata *otadata, const struct lb_table *table, uint32_t slot, const uint8_t *digest)
{
  uint32_t slots = lb_table_ota_count(table);
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    if (lb_otadata_speaks_for(otadata, i, slots, slot) &&
        (!digest || lb_otadata_is_about(&otadata->records[i], digest))) {
      return true;
    }
  }
  return is_default(otadata, table, slot);
}

bool lb_otadata_was_confirmed(const struct lb_otadata *otadata, const struct lb_table *table, uint32_t slot,
                              const uint8_t digest[LB_SHA256_SIZE])
{
  return counts(otadata, table, slot, digest);
}

bool lb_otadata_slot_counts(const struct lb_otadata *otadata, const struct lb_table *table, uint32_t slot)
{
  return counts(otadata, table, slot, NULL);
}

int lb_otadata_clear_bits(const struct lb_flash *flash, uint32_t address, const uint8_t *bytes, uint32_t length)
{
  uint8_t found[TAG_SIZE];
  int err = length <= sizeof found ? lb_flash_program(flash, address, bytes, length) : LB_ERR_ARGUMENT;
  if (err == LB_OK) {
    err = lb_flash_read(flash, address, found, length);
  }
  for (uint32_t i = 0; err == LB_OK && i < length; i++) {
    err = (found[i] & ~bytes[i]) != 0 ? LB_ERR_READ_BACK : LB_OK;
  }
  return err;
}

int lb_otadata_is_void(const struct lb_otadata *otadata, const struct lb_flash *flash, int index, bool *is_void)
{
  uint8_t bytes[LB_OTADATA_RECORD_SIZE];
  int err = lb_flash_read(flash, lb_otadata_address(otadata, index), bytes, sizeof bytes);
  if (err == LB_OK) {
    bool marked = lb_load_le32(bytes + CRC_AT) == 0 && lb_otadata_crc(lb_load_le32(bytes)) != 0;
    *is_void = marked || lb_is_blank(bytes, sizeof bytes);
  }
  return err;
}

/*
 * The sequence stays what it is: were it 0, a cut erase could leave it beside a CRC of 0xFFFFFFFF, and those belong
 * together. Only the one sequence whose CRC is 0 (0x9226F562) has to go.
 */
int lb_otadata_make_void(struct lb_otadata *otadata, const struct lb_flash *flash, int index)
{
  uint8_t bytes[LB_OTADATA_RECORD_SIZE];
  memset(bytes, 0xFF, sizeof bytes);
  lb_store_le32(bytes + CRC_AT, 0);
  if (lb_otadata_crc(otadata->records[index].sequence) == 0) {
    lb_store_le32(bytes, 0);
  }
  int err = lb_otadata_clear_bits(flash, lb_otadata_address(otadata, index), bytes, sizeof bytes);
  return err ? err : lb_otadata_read_records(otadata, flash);
}
