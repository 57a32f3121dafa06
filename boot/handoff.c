// SPDX-License-Identifier: MIT
#include "boot/handoff.h"

#include <string.h>

#include "lifeboat/bytes.h"
#include "lifeboat/crc32.h"
#include "lifeboat/error.h"

#define MAGIC        0x4F48424CU /* "LBHO" */
#define VERSION      1U
#define NO_PARTITION 0xFFFFFFFFU

/* Where each field is (docs/SPEC.md, "Handoff"). */
enum place {
  AT_MAGIC = 0,
  AT_VERSION = 4,
  AT_LENGTH = 6,
  AT_CRC = 8,
  AT_PARTITION = 12,
  AT_SELECTED = 16,
  AT_FAILED = 20,
  AT_REASON = 24,
  AT_RESET = 25,
  AT_FLAGS = 26,
  AT_CAUSE = 27,
  AT_SELECTED_ERROR = 28,
  AT_ATTEMPT = 32,
  AT_ATTEMPTS = 36,
  AT_IMAGE_LENGTH = 40,
  AT_IMAGE_DIGEST = 44
};

enum flag { FLAG_ON_TRIAL = 1, FLAG_WENT_BACK = 2 };

/* Of all bytes but its own. */
static uint32_t crc_of(const uint8_t *bytes)
{
  uint32_t crc = lb_crc32(0, bytes, AT_CRC);
  return lb_crc32(crc, bytes + AT_PARTITION, HANDOFF_SIZE - AT_PARTITION);
}

/* No partition of a table has size 0, so one that has is none. */
static void store_partition(uint8_t *bytes, const struct lb_partition *partition)
{
  lb_store_le32(bytes, partition->size != 0 ? partition->offset : NO_PARTITION);
}

void handoff_write(uint8_t bytes[HANDOFF_SIZE], const struct lb_boot_decision *decision,
                   const struct lb_image_info *image)
{
  memset(bytes, 0, HANDOFF_SIZE);
  lb_store_le32(bytes + AT_MAGIC, MAGIC);
  lb_store_le16(bytes + AT_VERSION, VERSION);
  lb_store_le16(bytes + AT_LENGTH, HANDOFF_SIZE);
  store_partition(bytes + AT_PARTITION, &decision->partition);
  store_partition(bytes + AT_SELECTED, &decision->selected);
  store_partition(bytes + AT_FAILED, &decision->failed);
  bytes[AT_REASON] = (uint8_t)decision->reason;
  bytes[AT_RESET] = (uint8_t)decision->reset;
  bytes[AT_FLAGS] = (uint8_t)((decision->on_trial ? FLAG_ON_TRIAL : 0) | (decision->went_back ? FLAG_WENT_BACK : 0));
  bytes[AT_CAUSE] = (uint8_t)decision->cause;
  lb_store_le32(bytes + AT_SELECTED_ERROR, (uint32_t)decision->selected_error);
  lb_store_le32(bytes + AT_ATTEMPT, decision->attempt);
  lb_store_le32(bytes + AT_ATTEMPTS, decision->attempts);
  lb_store_le32(bytes + AT_IMAGE_LENGTH, image->length);
  memcpy(bytes + AT_IMAGE_DIGEST, image->digest, LB_SHA256_SIZE);
  lb_store_le32(bytes + AT_CRC, crc_of(bytes));
}

static bool is_handoff(const uint8_t *bytes)
{
  return lb_load_le32(bytes + AT_MAGIC) == MAGIC && lb_load_le16(bytes + AT_VERSION) == VERSION &&
         lb_load_le16(bytes + AT_LENGTH) == HANDOFF_SIZE && lb_load_le32(bytes + AT_CRC) == crc_of(bytes) &&
         bytes[AT_REASON] <= LB_BOOT_WENT_BACK && bytes[AT_RESET] <= LB_RESET_WATCHDOG &&
         bytes[AT_CAUSE] <= LB_TRIAL_NO_DEPOT;
}

static int find_partition(const struct lb_table *table, uint32_t offset, struct lb_partition *partition)
{
  for (uint32_t i = 0; lb_table_get(table, i, partition) == LB_OK; i++) {
    if (partition->offset == offset) {
      return LB_OK;
    }
  }
  return LB_ERR_NOT_FOUND;
}

/* One that need not be there: left as it is, which is zero, without one. */
static int find_other(const struct lb_table *table, uint32_t offset, struct lb_partition *partition)
{
  return offset == NO_PARTITION ? LB_OK : find_partition(table, offset, partition);
}

static int find_partitions(const uint8_t *bytes, const struct lb_table *table, struct lb_boot_decision *decision)
{
  int err = find_partition(table, lb_load_le32(bytes + AT_PARTITION), &decision->partition);
  if (err == LB_OK) {
    err = find_other(table, lb_load_le32(bytes + AT_SELECTED), &decision->selected);
  }
  if (err == LB_OK) {
    err = find_other(table, lb_load_le32(bytes + AT_FAILED), &decision->failed);
  }
  return err;
}

/* The negative numbers of errors, whose conversion from unsigned ones C leaves to the compiler. */
static int32_t load_signed(const uint8_t *bytes)
{
  uint32_t value = lb_load_le32(bytes);
  return value <= INT32_MAX ? (int32_t)value : -(int32_t)(UINT32_MAX - value) - 1;
}

int handoff_read(const uint8_t bytes[HANDOFF_SIZE], const struct lb_table *table, struct lb_boot_decision *decision,
                 struct handoff_image *image)
{
  if (!is_handoff(bytes)) {
    return LB_ERR_STATE;
  }
  struct lb_boot_decision read = {
      .reason = (enum lb_boot_reason)bytes[AT_REASON],
      .selected_error = load_signed(bytes + AT_SELECTED_ERROR),
      .reset = (enum lb_reset)bytes[AT_RESET],
      .on_trial = (bytes[AT_FLAGS] & FLAG_ON_TRIAL) != 0,
      .attempt = lb_load_le32(bytes + AT_ATTEMPT),
      .attempts = lb_load_le32(bytes + AT_ATTEMPTS),
      .went_back = (bytes[AT_FLAGS] & FLAG_WENT_BACK) != 0,
      .cause = (enum lb_trial_cause)bytes[AT_CAUSE],
  };
  int err = find_partitions(bytes, table, &read);
  if (err) {
    return err;
  }
  *decision = read;
  image->length = lb_load_le32(bytes + AT_IMAGE_LENGTH);
  memcpy(image->digest, bytes + AT_IMAGE_DIGEST, LB_SHA256_SIZE);
  return LB_OK;
}
