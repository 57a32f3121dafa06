// SPDX-License-Identifier: MIT
/* What the files around otadata share: where things lie in a half of the partition, and how bits are cleared there. */
#ifndef LIB_OTADATA_PARTS_H
#define LIB_OTADATA_PARTS_H

#include "lifeboat/otadata.h"

/* The record. */
#define STATE_AT          24U
#define CRC_AT            28U

/* The tag. */
#define TAG_AT            64U
#define TAG_SIZE          64U
#define TAG_MAGIC         0x5254424CU /* "LBTR" */
#define TAG_SEQUENCE_AT   4U
#define TAG_KIND_AT       8U
#define TAG_ATTEMPTS_AT   9U
#define TAG_DEPOT_AT      10U
#define TAG_DIGEST_AT     28U
#define TAG_CRC_AT        60U
#define TAG_KIND_TRIAL    1U
#define TAG_KIND_AT_ONCE  2U

/* The marks: MARK_SIZE bytes that become zero. */
#define MARK_SIZE         8U
#define MARKS_AT          128U
#define MARKS_SIZE        64U
#define MARK_CONFIRMED_AT 128U
#define MARK_SETTLED_AT   136U
#define MARK_REJECTED_AT  144U
#define CAUSE_AT          152U /* a byte and its complement */
#define MARK_DEPOT_AT     160U
#define QUARTERS_AT       168U
#define QUARTERS_SIZE     (LB_TRIAL_QUARTERS / 8U)
#define MARK_MIRRORED_AT  184U

/* The boots on trial: a byte each up to the end of the sector. */
#define BOOTS_AT          192U
#define BOOTS_RESERVED    16U /* kept for failures when all others are used up */
#define BOOT_STARTED      0x03U
#define BOOT_SURVIVED     0x0CU
#define BOOT_CLOSED       0x30U
#define BOOT_FAILED       0xC0U

/* Is there a sign of it: has any of these bits been cleared? */
static inline bool boot_has(uint8_t boot, uint8_t bits)
{
  return (boot & bits) != bits;
}

/* otadata.c */
/* Is the record about that image? Without a tag, or with one that does not know, it is about whatever is there. */
bool lb_otadata_is_about(const struct lb_otadata_record *record, const uint8_t *digest);
/* Does that record (an index, or LB_OTADATA_NONE: what boots without one) mean that partition? */
bool lb_otadata_means(const struct lb_otadata *otadata, const struct lb_table *table, int index,
                      const struct lb_partition *slot);
uint32_t lb_otadata_address(const struct lb_otadata *otadata, int index);
int lb_otadata_read_records(struct lb_otadata *otadata, const struct lb_flash *flash);
uint32_t lb_otadata_slot_of(const struct lb_otadata *otadata, int index, uint32_t slots);

/* Does that record confirm what is in that slot? See lb_otadata_slot_counts. */
bool lb_otadata_speaks_for(const struct lb_otadata *otadata, int index, uint32_t slots, uint32_t slot);

/*
 * Clears the bits that are 0 in `bytes` and makes sure that they are: LB_ERR_READ_BACK. One program, if they lie within
 * a page.
 */
int lb_otadata_clear_bits(const struct lb_flash *flash, uint32_t address, const uint8_t *bytes, uint32_t length);

/* Has it a sequence that means a slot, and its CRC? */
bool lb_otadata_is_whole(const struct lb_otadata_record *record);

/* Makes a record void: its CRC becomes zero. Then all records are read again. */
int lb_otadata_make_void(struct lb_otadata *otadata, const struct lb_flash *flash, int index);

/* Are its 32 bytes blank, or is its CRC zero? Else there is something to make void. */
int lb_otadata_is_void(const struct lb_otadata *otadata, const struct lb_flash *flash, int index, bool *is_void);

/* trial_read.c: what lies behind the record at `address` that has this sequence; `trial` was all zero before. */
int lb_trial_read(struct lb_trial *trial, const struct lb_flash *flash, uint32_t address, uint32_t sequence);

#endif
