// SPDX-License-Identifier: MIT
#include "lifeboat/error.h"

/* The last argument is one of the pairs below: the name and number of ESP-IDF's error. */
#define ENTRY(code, cause, remedy, ...)                                                                                \
  {                                                                                                                    \
    code, #code, cause, remedy, __VA_ARGS__                                                                            \
  }

#define FAIL            "ESP_FAIL", -1
#define INVALID_ARG     "ESP_ERR_INVALID_ARG", 0x102
#define INVALID_STATE   "ESP_ERR_INVALID_STATE", 0x103
#define INVALID_SIZE    "ESP_ERR_INVALID_SIZE", 0x104
#define NOT_FOUND       "ESP_ERR_NOT_FOUND", 0x105
#define INVALID_CRC     "ESP_ERR_INVALID_CRC", 0x109
#define INVALID_VERSION "ESP_ERR_INVALID_VERSION", 0x10A
#define OTA_CONFLICT    "ESP_ERR_OTA_PARTITION_CONFLICT", 0x1501
#define OTA_SELECT      "ESP_ERR_OTA_SELECT_INFO_INVALID", 0x1502
#define OTA_VALIDATE    "ESP_ERR_OTA_VALIDATE_FAILED", 0x1503
#define IMAGE_INVALID   "ESP_ERR_IMAGE_INVALID", 0x2002
#define FLASH_OP        "ESP_ERR_FLASH_OP_FAIL", 0x6001

#define FRESH_COPY      "get a fresh copy of the image"
#define THIS_MODULE     "use the image made for this module"
#define CHECK_CHIP      "try again; if it stays, the flash chip or its wiring is bad"
#define WRITE_A_TABLE   "write a partition table to the module by cable"
#define MEND_TABLE      "mend the partition table"
#define REPORT          "report this as a defect"

static const struct lb_error_info errors[] = {
    ENTRY(LB_OK, "no error", "nothing has to be done", "ESP_OK", 0),
    ENTRY(LB_ERR_ARGUMENT, "an argument is out of its range", REPORT, INVALID_ARG),
    ENTRY(LB_ERR_STATE, "the operation is not possible now", "begin it anew", INVALID_STATE),

    ENTRY(LB_ERR_FLASH_READ, "the flash could not be read", CHECK_CHIP, FLASH_OP),
    ENTRY(LB_ERR_FLASH_PROGRAM, "the flash could not be programmed", CHECK_CHIP, FLASH_OP),
    ENTRY(LB_ERR_FLASH_ERASE, "the flash could not be erased", CHECK_CHIP, FLASH_OP),
    ENTRY(LB_ERR_FLASH_BOUNDS, "an access would leave the flash chip or the partition",
          "compare the partition table with the size of the chip", INVALID_SIZE),
    ENTRY(LB_ERR_HASH, "the hash could not be computed", "try again", FAIL),

    ENTRY(LB_ERR_TABLE_MAGIC, "the partition table is damaged: a row begins with none of the known marks",
          WRITE_A_TABLE, INVALID_STATE),
    ENTRY(LB_ERR_TABLE_BOUNDS, "a partition does not lie inside the flash",
          "use the partition table that belongs to this size of flash", INVALID_SIZE),
    ENTRY(LB_ERR_TABLE_MD5, "the partition table does not have the MD5 that it states", WRITE_A_TABLE, INVALID_CRC),
    ENTRY(LB_ERR_TABLE_MD5_TWICE, "the partition table has two MD5 rows", WRITE_A_TABLE, INVALID_STATE),
    ENTRY(LB_ERR_TABLE_UNTERMINATED, "the partition table does not end", WRITE_A_TABLE, INVALID_STATE),
    ENTRY(LB_ERR_TABLE_ALIGNMENT, "a partition is not aligned (apps to 0x10000, data to 0x1000) or has no size",
          MEND_TABLE, INVALID_STATE),
    ENTRY(LB_ERR_TABLE_NAME, "a partition has no name, or two have the same", MEND_TABLE, INVALID_STATE),
    ENTRY(LB_ERR_TABLE_OVERLAP, "two partitions overlap", MEND_TABLE, INVALID_STATE),
    ENTRY(LB_ERR_TABLE_LOW, "a partition begins before the end of the partition table", MEND_TABLE, INVALID_STATE),
    ENTRY(LB_ERR_TABLE_OTADATA, "there are two otadata partitions, or one that is not 0x2000 bytes", MEND_TABLE,
          INVALID_STATE),
    ENTRY(LB_ERR_TABLE_FULL, "there are more partitions than a table holds", "leave some out", INVALID_SIZE),
    ENTRY(LB_ERR_TABLE_EMPTY, "there is no partition table", WRITE_A_TABLE, NOT_FOUND),

    ENTRY(LB_ERR_NOT_FOUND, "there is no such partition", "look at the names in the partition table", NOT_FOUND),
    ENTRY(LB_ERR_NO_OTADATA, "the partition table has no otadata partition, so no slot can be selected",
          "use a partition table with OTA slots", OTA_SELECT),
    ENTRY(LB_ERR_NO_TARGET, "there is no slot that an update could be written to",
          "use a partition table with two OTA slots, or with factory and one", NOT_FOUND),
    ENTRY(LB_ERR_TARGET_RUNNING, "that slot holds the running firmware", "choose another slot, or none", OTA_CONFLICT),
    ENTRY(LB_ERR_TARGET_FACTORY, "that partition is no OTA slot, and factory is never written by an update",
          "choose an OTA slot, or none", OTA_CONFLICT),
    ENTRY(LB_ERR_TARGET_SECTORS, "that slot is not made of whole flash sectors", MEND_TABLE, INVALID_SIZE),
    ENTRY(LB_ERR_TARGET_PROTECTED, "the partition table marks that slot read-only or encrypted",
          "choose another slot, or mend the partition table", OTA_CONFLICT),
    ENTRY(LB_ERR_NOT_BOOTABLE, "that slot holds no image that verifies", "flash it first, or choose another",
          OTA_VALIDATE),
    ENTRY(LB_ERR_OTADATA_SECTOR, "the flash has sectors that are larger than half of otadata",
          "use a flash with sectors of 4 KB", OTA_SELECT),
    ENTRY(LB_ERR_TARGET_SELECTED, "that slot boots next", "select another one first", OTA_CONFLICT),
    ENTRY(LB_ERR_NOTHING_BOOTS, "no slot holds an image that verifies", "flash a firmware by cable", NOT_FOUND),

    ENTRY(LB_ERR_IMAGE_MAGIC, "this does not begin as an application image does",
          "check that the file is an application image (ovms3.bin)", IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_SEGMENTS, "the image has an impossible number of segments", FRESH_COPY, IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_SEGMENT_LENGTH, "a segment of the image has an impossible length", FRESH_COPY, IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_SEGMENT_MAPPING, "a mapped segment of the image does not fit its place in the flash",
          "build the image with esptool elf2image or lifeboat image make", IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_CHIP, "the image is made for another chip", THIS_MODULE, IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_REVISION, "the image is made for other revisions of the chip", THIS_MODULE, IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_NO_HASH, "the image has no SHA-256 appended", "build the image with its hash appended",
          IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_CHECKSUM, "the checksum of the image is wrong", FRESH_COPY, IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_DIGEST, "the SHA-256 of the image is wrong", FRESH_COPY, IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_TOO_LONG, "the image is longer than its partition", THIS_MODULE, INVALID_SIZE),
    ENTRY(LB_ERR_IMAGE_TRUNCATED, "the image is cut off", FRESH_COPY, IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_TRAILING, "other data follows the image",
          "use the application image alone, not a merged flash image", IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_BOOTLOADER, "this is a bootloader or a merged flash image, no application",
          "use the application image alone (ovms3.bin)", IMAGE_INVALID),
    ENTRY(LB_ERR_IMAGE_PROJECT, "the image is of another project than the running firmware", THIS_MODULE,
          INVALID_VERSION),
    ENTRY(LB_ERR_SIZE_MISMATCH, "not as many bytes came as were announced", "try again", INVALID_SIZE),
    ENTRY(LB_ERR_READ_BACK, "the flash does not hold what was written", CHECK_CHIP, OTA_VALIDATE),
};

#define COUNT (sizeof errors / sizeof errors[0])

static const struct lb_error_info unknown = {LB_ERR_STATE, "unknown", "unknown error", REPORT, FAIL};

bool lb_error_is_of_image(int code)
{
  return code <= LB_ERR_IMAGE_MAGIC && code >= LB_ERR_IMAGE_PROJECT;
}

unsigned lb_error_count(void)
{
  return (unsigned)COUNT;
}

const struct lb_error_info *lb_error_at(unsigned index)
{
  return index < COUNT ? &errors[index] : &unknown;
}

const struct lb_error_info *lb_error_info(int code)
{
  for (unsigned i = 0; i < COUNT; i++) {
    if (errors[i].code == code) {
      return &errors[i];
    }
  }
  return &unknown;
}
