// SPDX-License-Identifier: MIT
/*
 * Results of every function of the library, and what they mean in words.
 *
 * A function returns LB_OK, LB_MORE where its description says that it works in steps, or one of the negative
 * errors below. An error is returned to the caller at once and never replaced by a vaguer one.
 */
#ifndef LIFEBOAT_ERROR_H
#define LIFEBOAT_ERROR_H

#include <stdbool.h>

enum lb_result {
  LB_OK = 0,
  LB_MORE = 1, /* a bounded piece was done, call again for the next one */

  /* the caller */
  LB_ERR_ARGUMENT = -1, /* an argument is outside the range that the header gives */
  LB_ERR_STATE = -2,    /* the call does not belong here: not started, already finished, or failed before */

  /* the flash and the hash, as their drivers report it */
  LB_ERR_FLASH_READ = -10,
  LB_ERR_FLASH_PROGRAM = -11,
  LB_ERR_FLASH_ERASE = -12,
  LB_ERR_FLASH_BOUNDS = -13, /* an access would leave the chip or the partition */
  LB_ERR_HASH = -14,         /* the hash driver failed */

  /* the partition table */
  LB_ERR_TABLE_MAGIC = -20,        /* a row begins with none of the known marks */
  LB_ERR_TABLE_BOUNDS = -21,       /* a partition does not lie inside the flash */
  LB_ERR_TABLE_MD5 = -22,          /* the rows do not have the MD5 that the table states */
  LB_ERR_TABLE_MD5_TWICE = -23,    /* there is a second MD5 row */
  LB_ERR_TABLE_UNTERMINATED = -24, /* the row of 0xFF that ends a table is missing */
  LB_ERR_TABLE_ALIGNMENT = -25,    /* an offset or size is not aligned as its type demands */
  LB_ERR_TABLE_NAME = -26,         /* a label is empty or used twice */
  LB_ERR_TABLE_OVERLAP = -27,      /* two partitions share bytes */
  LB_ERR_TABLE_LOW = -28,          /* a partition lies below the end of the partition table */
  LB_ERR_TABLE_OTADATA = -29,      /* more than one otadata partition, or one that is not 0x2000 bytes */
  LB_ERR_TABLE_FULL = -30,         /* more rows than a table holds */
  LB_ERR_TABLE_EMPTY = -31,        /* the flash is blank where the table should be, or it has no row */

  /* slots */
  LB_ERR_NOT_FOUND = -40,        /* no partition of that name or kind */
  LB_ERR_NO_OTADATA = -41,       /* the table has no otadata partition, so nothing can be selected */
  LB_ERR_NO_TARGET = -42,        /* the table has no slot that an update could be written to */
  LB_ERR_TARGET_RUNNING = -43,   /* the target holds the firmware that is running */
  LB_ERR_TARGET_FACTORY = -44,   /* the target is no OTA slot: factory is never written by an update */
  LB_ERR_NOTHING_BOOTS = -45,    /* no slot holds an image that verifies */
  LB_ERR_TARGET_SECTORS = -47,   /* the slot is not made of whole sectors of the flash */
  LB_ERR_TARGET_PROTECTED = -48, /* the table marks the slot read-only or encrypted */
  LB_ERR_NOT_BOOTABLE = -49,     /* the slot to be selected holds no image that verifies */
  LB_ERR_OTADATA_SECTOR = -50,   /* the two records of otadata share a sector of the flash */
  LB_ERR_TARGET_SELECTED = -46,  /* the slot is the one that boots next */
  LB_ERR_TARGET_FALLBACK = -51,  /* the slot holds what the running firmware's trial goes back to */
  LB_ERR_NOT_ON_TRIAL = -52,     /* the running firmware is not on trial */
  LB_ERR_FAILED_BEFORE = -53,    /* the image failed its trial on this module before */

  /* images */
  LB_ERR_IMAGE_MAGIC = -60,           /* does not begin with 0xE9 */
  LB_ERR_IMAGE_SEGMENTS = -61,        /* segment count is 0 or above 16 */
  LB_ERR_IMAGE_SEGMENT_LENGTH = -62,  /* not a multiple of 4, or 16 MB and more */
  LB_ERR_IMAGE_SEGMENT_MAPPING = -63, /* a mapped segment is not congruent with its flash address modulo 64 KB */
  LB_ERR_IMAGE_CHIP = -64,            /* made for another chip */
  LB_ERR_IMAGE_REVISION = -65,        /* made for other revisions of the chip */
  LB_ERR_IMAGE_NO_HASH = -66,         /* hash_appended is not 1 */
  LB_ERR_IMAGE_CHECKSUM = -67,        /* the xor checksum is wrong */
  LB_ERR_IMAGE_DIGEST = -68,          /* the SHA-256 is wrong */
  LB_ERR_IMAGE_TOO_LONG = -69,        /* longer than its partition */
  LB_ERR_IMAGE_TRUNCATED = -70,       /* ended before its own end */
  LB_ERR_IMAGE_TRAILING = -71,        /* something other than erased flash follows its end */
  LB_ERR_IMAGE_BOOTLOADER = -72,      /* a bootloader or a merged flash image, no application */
  LB_ERR_IMAGE_PROJECT = -73,         /* of another project than the running firmware */
  LB_ERR_SIZE_MISMATCH = -74,         /* not as many bytes came as were announced */
  LB_ERR_READ_BACK = -75,             /* the flash does not hold what was written to it */
  LB_ERR_NO_JOURNAL = -76,            /* there is no interrupted update that this one could go on with */
  LB_ERR_IMAGE_LOAD = -77,            /* a segment or the entry point is outside the memory for applications */

  /* settings */
  LB_ERR_NVS_NOT_FOUND = -90,        /* no setting of that name */
  LB_ERR_NVS_TYPE_MISMATCH = -91,    /* the setting has another type */
  LB_ERR_NVS_READ_ONLY = -92,        /* opened, or marked in the table, for reading only */
  LB_ERR_NVS_NOT_ENOUGH_SPACE = -93, /* no room for that value, or for another namespace */
  LB_ERR_NVS_INVALID_NAME = -94,     /* an empty namespace or key */
  LB_ERR_NVS_KEY_TOO_LONG = -95,     /* a namespace or key of more than 15 bytes */
  LB_ERR_NVS_INVALID_STATE = -96,    /* the pages contradict each other */
  LB_ERR_NVS_INVALID_LENGTH = -97,   /* the buffer is smaller than the value */
  LB_ERR_NVS_NO_FREE_PAGES = -98,    /* no page is free, as one always has to be */
  LB_ERR_NVS_VALUE_TOO_LONG = -99,   /* a string above 4000 bytes, or a blob larger than the partition */
  LB_ERR_NVS_NEW_VERSION = -100,     /* the partition is of a later version of the format */
  LB_ERR_NVS_ENCRYPTED = -101,       /* nothing that is written there verifies */
  LB_ERR_NVS_DAMAGED = -102,         /* a part of the value is missing, or its CRC is wrong */
  LB_ERR_NVS_SIZE = -103,            /* the partition is not made of 3 to 64 pages that the flash can erase */

  /* patches */
  LB_ERR_PATCH_MAGIC = -140,     /* does not begin with "LBP" */
  LB_ERR_PATCH_VERSION = -141,   /* of a version of the format that is not known here */
  LB_ERR_PATCH_HEADER = -142,    /* a field of the header is outside its range */
  LB_ERR_PATCH_MEMORY = -143,    /* its profile needs more memory than the decoder was given */
  LB_ERR_PATCH_BASE = -144,      /* made for another base */
  LB_ERR_PATCH_TRUNCATED = -145, /* ended before the result was complete */
  LB_ERR_PATCH_CORRUPT = -146,   /* what it says to do cannot be done */
  LB_ERR_PATCH_CRC = -147,       /* its bytes do not have the CRC that it states */
  LB_ERR_PATCH_DIGEST = -148,    /* the result does not have the digest that it states */
  LB_ERR_PATCH_TOO_LONG = -149,  /* the result is longer than its place */
  LB_ERR_NO_STAGE = -150,        /* no patch waits in that slot */
  LB_ERR_STAGE_ROOM = -151,      /* no room for a patch behind the image */
};

/* What an error means: for consoles, logs and tests. All strings are static. */
struct lb_error_info {
  int code;             /* LB_ERR_... */
  const char *name;     /* "LB_ERR_IMAGE_CHIP" */
  const char *cause;    /* what happened, without capital and full stop: "image is made for another chip" */
  const char *remedy;   /* what to do about it, in the same form: "use the image made for this module" */
  const char *esp_name; /* the nearest error of ESP-IDF: "ESP_ERR_IMAGE_INVALID" */
  int esp_code;         /* and its number: 0x2002 */
};

/* The description of an error; never NULL: a code that the library does not know is described as unknown. */
const struct lb_error_info *lb_error_info(int code);

/* Is it the image that is bad, and not the flash, the hash or a request? True for LB_ERR_IMAGE_... */
bool lb_error_is_of_image(int code);

/* Is it the patch that is bad, or not for this module, and not the flash or a request? True for LB_ERR_PATCH_... */
bool lb_error_is_of_patch(int code);

/* The number of described errors and the one at an index below it, to walk over all of them. */
unsigned lb_error_count(void);
const struct lb_error_info *lb_error_at(unsigned index);

#endif
