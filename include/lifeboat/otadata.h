// SPDX-License-Identifier: MIT
/*
 * otadata: which slot boots next (docs/SPEC.md, "otadata"). Two records in two sectors; the usable one with the
 * greater sequence number counts. A change is written to the other sector, so a cut leaves the old or the new one.
 *
 * These functions write what they are told. Whoever selects a slot for a user goes through lifeboat/select.h, which
 * verifies the image first.
 */
#ifndef LIFEBOAT_OTADATA_H
#define LIFEBOAT_OTADATA_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/device.h"

#define LB_OTADATA_RECORDS     2U
#define LB_OTADATA_RECORD_SIZE 32U
#define LB_OTADATA_SIZE        0x2000U /* of the partition */
#define LB_OTADATA_BLANK       0xFFFFFFFFU
#define LB_OTADATA_NONE        (-1) /* no active record: factory, or ota_0 where there is no factory */

enum lb_otadata_state {
  LB_OTADATA_NEW = 0,
  LB_OTADATA_PENDING_VERIFY = 1,
  LB_OTADATA_VALID = 2,
  LB_OTADATA_INVALID = 3,
  LB_OTADATA_ABORTED = 4
};
#define LB_OTADATA_UNDEFINED 0xFFFFFFFFU /* the state of a record that was written without rollback */

struct lb_otadata_record {
  uint32_t sequence;
  uint32_t state; /* enum lb_otadata_state or LB_OTADATA_UNDEFINED */
  uint32_t crc;
  bool usable; /* the sequence is set, the CRC right, the state neither INVALID nor ABORTED */
};

struct lb_otadata {
  struct lb_partition partition;
  uint32_t sector; /* bytes from one record to the other: half of the partition, one or more sectors of the flash */
  struct lb_otadata_record records[LB_OTADATA_RECORDS];
  int active; /* index of the record that counts, or LB_OTADATA_NONE */
};

/*
 * Reads both records of the table's otadata partition. LB_ERR_NO_OTADATA, LB_ERR_FLASH_READ, LB_ERR_FLASH_BOUNDS;
 * LB_ERR_OTADATA_SECTOR if the records share a sector of the flash, so that one could not be changed alone.
 */
int lb_otadata_read(struct lb_otadata *otadata, const struct lb_device *device);

/*
 * The partition that the records select: the OTA slot of the active record; without one factory, and where the table
 * has no factory ota_0. LB_ERR_NOT_FOUND if the table has neither.
 */
int lb_otadata_selected(const struct lb_otadata *otadata, const struct lb_table *table, struct lb_partition *selected);

/*
 * Selects OTA slot number `slot`, in steps of one erase or one page: LB_MORE until the record is written, read
 * back and counts, then LB_OK. If the active record selects that slot already, and
 * not only on ESP-IDF's trial (NEW, PENDING_VERIFY), nothing is written. Otherwise the other
 * sector is written with the smallest greater sequence number that means this slot; where no greater one is left the
 * count begins anew.
 * LB_ERR_NOT_FOUND: no such slot. LB_ERR_READ_BACK, LB_ERR_FLASH_...: it is the old one or the new one.
 */
int lb_otadata_select_slot(struct lb_otadata *otadata, const struct lb_device *device, uint32_t slot);

/*
 * Selects factory (ota_0 where there is none) by erasing both records, the one that does not count first, one erase a
 * step: LB_MORE, then LB_OK. Blank sectors are not erased again. LB_ERR_FLASH_..., LB_ERR_READ_BACK.
 */
int lb_otadata_select_factory(struct lb_otadata *otadata, const struct lb_device *device);

/* The CRC that belongs to a sequence number. */
uint32_t lb_otadata_crc(uint32_t sequence);

#endif
