// SPDX-License-Identifier: MIT
/*
 * otadata: which slot boots next (docs/SPEC.md, "otadata"). Two records in two sectors; the usable one with the
 * greater sequence number counts. Behind each record lies whether it is on trial (lifeboat/trial.h).
 *
 * These functions write what they are told. Whoever selects a slot for a user goes through lifeboat/select.h, which
 * verifies the image first.
 */
#ifndef LIFEBOAT_OTADATA_H
#define LIFEBOAT_OTADATA_H

#include <stdbool.h>
#include <stdint.h>

#include "lifeboat/device.h"
#include "lifeboat/hash.h"

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

/* Why a trial ended badly; kept on the flash. */
enum lb_trial_cause {
  LB_TRIAL_UNKNOWN = 0,  /* the power went while it was written */
  LB_TRIAL_CRASHED = 1,  /* the last allowed attempt ended with a crash */
  LB_TRIAL_HUNG = 2,     /* ... with the watchdog */
  LB_TRIAL_POWER = 3,    /* ... with a loss of power before the trial time had run */
  LB_TRIAL_OPERATOR = 4, /* somebody rejected it */
  LB_TRIAL_NO_DEPOT = 5  /* the firmware before had reached its depot, and this one did not */
};

/* What Lifeboat keeps behind a record (docs/SPEC.md, "Trial"); all zero without a tag of that record's sequence. */
struct lb_trial {
  bool tagged;               /* the record was written by Lifeboat */
  bool counts_at_once;       /* it was no trial from the beginning */
  bool confirmed;            /* the trial ended well */
  bool rejected;             /* it ended badly */
  enum lb_trial_cause cause; /* then: why */
  bool mirrored;             /* the record's state says how it ended, too, for certain */
  bool settled;              /* the record has been programmed again after the boot that found it first */
  bool depot_expected;       /* the firmware before had reached its depot */
  bool depot_reached;        /* this one has, too */
  uint8_t attempts;          /* failed attempts that end the trial */
  uint32_t failures;         /* failed attempts so far */
  uint32_t boots;            /* boots on trial that were marked */
  uint8_t last;              /* the mark of the last of them, as docs/SPEC.md has it; 0xFF without one */
  uint32_t quarters;         /* quarters of an hour that the firmware has run on trial, at most LB_TRIAL_QUARTERS */
  uint8_t digest[LB_SHA256_SIZE]; /* of the image that the record was written for; all zero: not known */
};

#define LB_TRIAL_QUARTERS 96U /* a day */

struct lb_otadata_record {
  uint32_t sequence;
  uint32_t state; /* enum lb_otadata_state or LB_OTADATA_UNDEFINED */
  uint32_t crc;
  bool usable; /* the sequence is set, the CRC right, the state neither INVALID nor ABORTED, and it was not rejected */
  struct lb_trial trial;
};

struct lb_otadata {
  int active;      /* index of the record that counts, or LB_OTADATA_NONE */
  uint32_t sector; /* bytes from one record to the other: half of the partition, one or more sectors of the flash */
  struct lb_partition partition;

  uint8_t phase; /* of a change that works in steps, as are the next four */
  uint8_t half;  /* index of the record that is written */
  bool renumbers;
  uint32_t next;     /* its sequence */
  uint32_t erase_at; /* address of the next sector to be erased */

  struct lb_otadata_record records[LB_OTADATA_RECORDS];
};

/* For whom and how a slot is selected. */
struct lb_selection {
  uint32_t slot; /* number of the OTA slot */
  /* Of the image that was verified there, LB_SHA256_SIZE bytes. NULL: not known; then it is no trial, and the record
   * means whatever image is there. */
  const uint8_t *digest;
  uint8_t attempts;    /* failed attempts that end its trial, at most LB_TRIAL_ATTEMPTS_MAX; 0: it is no trial */
  bool depot_expected; /* the running firmware has reached its depot: this one has to, too */
};

#define LB_TRIAL_ATTEMPTS_MAX 16U

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

/* Is that record (an index, or LB_OTADATA_NONE) a selection on trial: usable, and neither confirmed nor rejected? */
bool lb_otadata_on_trial(const struct lb_otadata *otadata, int index);

/* The usable record with the greatest sequence that is not on trial: its index, or LB_OTADATA_NONE. */
int lb_otadata_confirmed(const struct lb_otadata *otadata);

/*
 * Where a failed trial goes back to: the slot of the record that was confirmed last; without one factory, and where
 * there is no factory ota_0. LB_ERR_NOT_FOUND if the table has neither.
 */
int lb_otadata_fallback(const struct lb_otadata *otadata, const struct lb_table *table, struct lb_partition *fallback);

/* Has otadata a record of an image with that digest whose trial ended badly? */
bool lb_otadata_has_failed(const struct lb_otadata *otadata, const uint8_t digest[LB_SHA256_SIZE]);

/* Was an image with that digest confirmed in that slot, or is it counted so because its record says nothing of it? */
bool lb_otadata_was_confirmed(const struct lb_otadata *otadata, const struct lb_table *table, uint32_t slot,
                              const uint8_t digest[LB_SHA256_SIZE]);

/* Does otadata say that what is in that slot was confirmed, whatever its digest? */
bool lb_otadata_slot_counts(const struct lb_otadata *otadata, const struct lb_table *table, uint32_t slot);

/*
 * Selects a slot, in steps of one erase or one page: LB_MORE until the record is written, read back and counts, then
 * LB_OK; to be called again with the same arguments and the same otadata, which lb_otadata_read has filled.
 *
 * If the active record says all that already, nothing is written. If the record that was confirmed last means that slot
 * and image, whatever is on trial is retired. Otherwise the sector that does not hold the record confirmed last is
 * erased and written, the tag before the record, with the smallest greater sequence number that means this slot; then
 * another record that is still on trial is retired. Where no greater number is left the count begins anew.
 * LB_ERR_NOT_FOUND: no such slot. LB_ERR_ARGUMENT: too many attempts, or a trial of an unknown image.
 * LB_ERR_READ_BACK, LB_ERR_FLASH_...: it is the old selection or the new one; if the old one was on trial, it may also
 * be the one confirmed last, since the trial's half is the one that is written.
 */
int lb_otadata_select_slot(struct lb_otadata *otadata, const struct lb_device *device,
                           const struct lb_selection *selection);

/*
 * Selects factory (ota_0 where there is none): both records are made void, the one that does not count first, then
 * their sectors are erased, one operation a step: LB_MORE, then LB_OK. LB_ERR_FLASH_..., LB_ERR_READ_BACK.
 */
int lb_otadata_select_factory(struct lb_otadata *otadata, const struct lb_device *device);

/*
 * Goes back to the record confirmed last (or to none), by retiring a record on trial: LB_MORE, then LB_OK.
 */
int lb_otadata_retire_trial(struct lb_otadata *otadata, const struct lb_device *device);

/* The CRC that belongs to a sequence number. */
uint32_t lb_otadata_crc(uint32_t sequence);

#endif
