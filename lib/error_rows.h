// SPDX-License-Identifier: MIT
/*
 * The words for each error, once, as lists: LIST(ROW) is ROW(code, cause, remedy, name and number of ESP-IDF) for each.
 * They are three so that a bootloader links no more words than it can ever say.
 */
#ifndef LIB_ERROR_ROWS_H
#define LIB_ERROR_ROWS_H

#include "lifeboat/error.h"
#include "lifeboat/esp_error.h"

#define FRESH_COPY    "get a fresh copy of the image"
#define FRESH_PATCH   "get a fresh copy of the patch, or use the whole image"
#define FULL_IMAGE    "use the whole image"
#define THIS_MODULE   "use the image made for this module"
#define CHECK_CHIP    "try again; if it stays, the flash chip or its wiring is bad"
#define WRITE_A_TABLE "write a partition table to the module by cable"
#define MEND_TABLE    "mend the partition table"
#define ERASE_NVS     "save what can be read, then erase the nvs partition"
#define REPORT        "report this as a defect"
#define NVS_STATE     "ESP_ERR_NVS_INVALID_STATE", 0x110B
#define UNKNOWN_ERROR "unknown error"

/* Nothing boots, or there is no partition table. */
#define LB_ERRORS_HALTING(ROW)                                                                                         \
  ROW(LB_ERR_FLASH_READ, "the flash could not be read", CHECK_CHIP, LB_ESP_FLASH_OP)                                   \
  ROW(LB_ERR_FLASH_BOUNDS, "an access would leave the flash chip or the partition",                                    \
      "compare the partition table with the size of the chip", LB_ESP_INVALID_SIZE)                                    \
  ROW(LB_ERR_HASH, "the hash could not be computed", "try again", LB_ESP_FAIL)                                         \
  ROW(LB_ERR_TABLE_MAGIC, "the partition table is damaged: a row begins with none of the known marks", WRITE_A_TABLE,  \
      LB_ESP_INVALID_STATE)                                                                                            \
  ROW(LB_ERR_TABLE_BOUNDS, "a partition does not lie inside the flash",                                                \
      "use the partition table that belongs to this size of flash", LB_ESP_INVALID_SIZE)                               \
  ROW(LB_ERR_TABLE_MD5, "the partition table does not have the MD5 that it states", WRITE_A_TABLE, LB_ESP_INVALID_CRC) \
  ROW(LB_ERR_TABLE_MD5_TWICE, "the partition table has two MD5 rows", WRITE_A_TABLE, LB_ESP_INVALID_STATE)             \
  ROW(LB_ERR_TABLE_UNTERMINATED, "the partition table does not end", WRITE_A_TABLE, LB_ESP_INVALID_STATE)              \
  ROW(LB_ERR_TABLE_ALIGNMENT, "a partition is not aligned (apps to 0x10000, data to 0x1000) or has no size",           \
      MEND_TABLE, LB_ESP_INVALID_STATE)                                                                                \
  ROW(LB_ERR_TABLE_NAME, "a partition has no name, or two have the same", MEND_TABLE, LB_ESP_INVALID_STATE)            \
  ROW(LB_ERR_TABLE_OVERLAP, "two partitions overlap", MEND_TABLE, LB_ESP_INVALID_STATE)                                \
  ROW(LB_ERR_TABLE_LOW, "a partition begins before the end of the partition table", MEND_TABLE, LB_ESP_INVALID_STATE)  \
  ROW(LB_ERR_TABLE_OTADATA, "there are two otadata partitions, or one that is not 0x2000 bytes", MEND_TABLE,           \
      LB_ESP_INVALID_STATE)                                                                                            \
  ROW(LB_ERR_TABLE_EMPTY, "there is no partition table", WRITE_A_TABLE, LB_ESP_NOT_FOUND)                              \
  ROW(LB_ERR_NOTHING_BOOTS, "no slot holds an image that verifies", "flash a firmware by cable", LB_ESP_NOT_FOUND)

/* What else goes wrong while the bootloader looks for something to boot. */
#define LB_ERRORS_BOOTING(ROW)                                                                                         \
  ROW(LB_ERR_FLASH_PROGRAM, "the flash could not be programmed", CHECK_CHIP, LB_ESP_FLASH_OP)                          \
  ROW(LB_ERR_FLASH_ERASE, "the flash could not be erased", CHECK_CHIP, LB_ESP_FLASH_OP)                                \
  ROW(LB_ERR_READ_BACK, "the flash does not hold what was written", CHECK_CHIP, LB_ESP_OTA_VALIDATE)                   \
  ROW(LB_ERR_NOT_FOUND, "there is no such partition", "look at the names in the partition table", LB_ESP_NOT_FOUND)    \
  ROW(LB_ERR_NO_OTADATA, "the partition table has no otadata partition, so no slot can be selected",                   \
      "use a partition table with OTA slots", LB_ESP_OTA_SELECT)                                                       \
  ROW(LB_ERR_OTADATA_SECTOR, "the flash has sectors that are larger than half of otadata",                             \
      "use a flash with sectors of 4 KB", LB_ESP_OTA_SELECT)                                                           \
  ROW(LB_ERR_IMAGE_MAGIC, "this does not begin as an application image does",                                          \
      "check that the file is an application image (ovms3.bin)", LB_ESP_IMAGE_INVALID)                                 \
  ROW(LB_ERR_IMAGE_SEGMENTS, "the image has an impossible number of segments", FRESH_COPY, LB_ESP_IMAGE_INVALID)       \
  ROW(LB_ERR_IMAGE_SEGMENT_LENGTH, "a segment of the image has an impossible length", FRESH_COPY,                      \
      LB_ESP_IMAGE_INVALID)                                                                                            \
  ROW(LB_ERR_IMAGE_SEGMENT_MAPPING, "a mapped segment of the image does not fit its place in the flash",               \
      "build the image with esptool elf2image or lifeboat image make", LB_ESP_IMAGE_INVALID)                           \
  ROW(LB_ERR_IMAGE_CHIP, "the image is made for another chip", THIS_MODULE, LB_ESP_IMAGE_INVALID)                      \
  ROW(LB_ERR_IMAGE_REVISION, "the image is made for other revisions of the chip", THIS_MODULE, LB_ESP_IMAGE_INVALID)   \
  ROW(LB_ERR_IMAGE_NO_HASH, "the image has no SHA-256 appended", "build the image with its hash appended",             \
      LB_ESP_IMAGE_INVALID)                                                                                            \
  ROW(LB_ERR_IMAGE_CHECKSUM, "the checksum of the image is wrong", FRESH_COPY, LB_ESP_IMAGE_INVALID)                   \
  ROW(LB_ERR_IMAGE_DIGEST, "the SHA-256 of the image is wrong", FRESH_COPY, LB_ESP_IMAGE_INVALID)                      \
  ROW(LB_ERR_IMAGE_TOO_LONG, "the image is longer than its partition", THIS_MODULE, LB_ESP_INVALID_SIZE)               \
  ROW(LB_ERR_IMAGE_TRUNCATED, "the image is cut off", FRESH_COPY, LB_ESP_IMAGE_INVALID)                                \
  ROW(LB_ERR_IMAGE_LOAD, "the image is not loaded or not started where this chip has its applications",                \
      "use the application image made for this module, no bootloader", LB_ESP_IMAGE_INVALID)

/* What only the firmware, or a tool, comes across. */
#define LB_ERRORS_OTHER(ROW)                                                                                           \
  ROW(LB_OK, "no error", "nothing has to be done", LB_ESP_OK)                                                          \
  ROW(LB_ERR_ARGUMENT, "an argument is out of its range", REPORT, LB_ESP_INVALID_ARG)                                  \
  ROW(LB_ERR_STATE, "the operation is not possible now", "begin it anew", LB_ESP_INVALID_STATE)                        \
  ROW(LB_ERR_TABLE_FULL, "there are more partitions than a table holds", "leave some out", LB_ESP_INVALID_SIZE)        \
  ROW(LB_ERR_NO_TARGET, "there is no slot that an update could be written to",                                         \
      "use a partition table with two OTA slots, or with factory and one", LB_ESP_NOT_FOUND)                           \
  ROW(LB_ERR_TARGET_RUNNING, "that slot holds the running firmware", "choose another slot, or none",                   \
      LB_ESP_OTA_CONFLICT)                                                                                             \
  ROW(LB_ERR_TARGET_FACTORY, "that partition is no OTA slot, and factory is never written by an update",               \
      "choose an OTA slot, or none", LB_ESP_OTA_CONFLICT)                                                              \
  ROW(LB_ERR_TARGET_SECTORS, "that slot is not made of whole flash sectors", MEND_TABLE, LB_ESP_INVALID_SIZE)          \
  ROW(LB_ERR_TARGET_PROTECTED, "the partition table marks that slot read-only or encrypted",                           \
      "choose another slot, or mend the partition table", LB_ESP_OTA_CONFLICT)                                         \
  ROW(LB_ERR_NOT_BOOTABLE, "that slot holds no image that verifies", "flash it first, or choose another",              \
      LB_ESP_OTA_VALIDATE)                                                                                             \
  ROW(LB_ERR_TARGET_SELECTED, "that slot boots next", "select another one first", LB_ESP_OTA_CONFLICT)                 \
  ROW(LB_ERR_TARGET_FALLBACK, "that slot holds the firmware that a failed trial goes back to",                         \
      "wait until the running firmware is confirmed, or decide: ota confirm, ota reject", LB_ESP_OTA_ROLLBACK)         \
  ROW(LB_ERR_NOT_ON_TRIAL, "the running firmware is not on trial", "there is nothing to decide", LB_ESP_INVALID_STATE) \
  ROW(LB_ERR_FAILED_BEFORE, "the image failed its trial on this module before", "use another version, or add force",   \
      LB_ESP_OTA_ROLLBACK)                                                                                             \
  ROW(LB_ERR_IMAGE_TRAILING, "other data follows the image",                                                           \
      "use the application image alone, not a merged flash image", LB_ESP_IMAGE_INVALID)                               \
  ROW(LB_ERR_IMAGE_BOOTLOADER, "this is a bootloader or a merged flash image, no application",                         \
      "use the application image alone (ovms3.bin)", LB_ESP_IMAGE_INVALID)                                             \
  ROW(LB_ERR_IMAGE_PROJECT, "the image is of another project than the running firmware", THIS_MODULE,                  \
      LB_ESP_INVALID_VERSION)                                                                                          \
  ROW(LB_ERR_SIZE_MISMATCH, "not as many bytes came as were announced", "try again", LB_ESP_INVALID_SIZE)              \
  ROW(LB_ERR_NO_JOURNAL, "there is no interrupted update of that image", "begin the update anew", LB_ESP_NOT_FOUND)    \
  ROW(LB_ERR_NVS_NOT_FOUND, "there is no such setting", "look at the names of those that are there",                   \
      "ESP_ERR_NVS_NOT_FOUND", 0x1102)                                                                                 \
  ROW(LB_ERR_NVS_TYPE_MISMATCH, "the setting has another type", "ask for the type that it has",                        \
      "ESP_ERR_NVS_TYPE_MISMATCH", 0x1103)                                                                             \
  ROW(LB_ERR_NVS_READ_ONLY, "the settings can only be read", "mend the partition table if it marks them so",           \
      "ESP_ERR_NVS_READ_ONLY", 0x1104)                                                                                 \
  ROW(LB_ERR_NVS_NOT_ENOUGH_SPACE, "the nvs partition has no room for that", "remove other settings first",            \
      "ESP_ERR_NVS_NOT_ENOUGH_SPACE", 0x1105)                                                                          \
  ROW(LB_ERR_NVS_INVALID_NAME, "a namespace or key is empty", "give it a name of 1 to 15 bytes",                       \
      "ESP_ERR_NVS_INVALID_NAME", 0x1106)                                                                              \
  ROW(LB_ERR_NVS_KEY_TOO_LONG, "a namespace or key is longer than 15 bytes", "choose a shorter name",                  \
      "ESP_ERR_NVS_KEY_TOO_LONG", 0x1109)                                                                              \
  ROW(LB_ERR_NVS_INVALID_STATE, "the pages of the nvs partition contradict each other", ERASE_NVS, NVS_STATE)          \
  ROW(LB_ERR_NVS_INVALID_LENGTH, "the setting is longer than the room for it", "make room for all of it",              \
      "ESP_ERR_NVS_INVALID_LENGTH", 0x110C)                                                                            \
  ROW(LB_ERR_NVS_NO_FREE_PAGES, "the nvs partition has no free page", ERASE_NVS, "ESP_ERR_NVS_NO_FREE_PAGES", 0x110D)  \
  ROW(LB_ERR_NVS_VALUE_TOO_LONG, "the value is too long for a setting",                                                \
      "a string has at most 3999 characters, a blob has to fit into the nvs partition twice",                          \
      "ESP_ERR_NVS_VALUE_TOO_LONG", 0x110E)                                                                            \
  ROW(LB_ERR_NVS_NEW_VERSION, "the nvs partition is of a later version of the format",                                 \
      "use the firmware that wrote it", "ESP_ERR_NVS_NEW_VERSION_FOUND", 0x1110)                                       \
  ROW(LB_ERR_NVS_ENCRYPTED, "nothing in the nvs partition can be read: it is encrypted, or destroyed",                 \
      "read it on the module that has the key, or erase the nvs partition", "ESP_ERR_NVS_WRONG_ENCRYPTION", 0x1119)    \
  ROW(LB_ERR_NVS_DAMAGED, "a part of the setting is missing or damaged", "set it anew", NVS_STATE)                     \
  ROW(LB_ERR_NVS_SIZE, "the nvs partition is not made of 3 to 64 pages of 4 KB that the flash can erase",              \
      "mend the partition table, or use a flash with sectors of 4 KB", LB_ESP_INVALID_SIZE)                            \
  ROW(LB_ERR_PATCH_MAGIC, "this does not begin as a patch does", "check that the file is a patch (*.patch)",           \
      LB_ESP_INVALID_ARG)                                                                                              \
  ROW(LB_ERR_PATCH_VERSION, "the patch is of a version that is not known here", FULL_IMAGE, LB_ESP_INVALID_VERSION)    \
  ROW(LB_ERR_PATCH_HEADER, "the header of the patch is impossible", FRESH_PATCH, LB_ESP_INVALID_RESPONSE)              \
  ROW(LB_ERR_PATCH_MEMORY, "the patch needs more memory than there is for it", FULL_IMAGE, LB_ESP_NO_MEM)              \
  ROW(LB_ERR_PATCH_BASE, "the patch is made for another firmware than there is",                                       \
      "use the patch for the firmware that is there, or the whole image", LB_ESP_NOT_FOUND)                            \
  ROW(LB_ERR_PATCH_TRUNCATED, "the patch is cut off", FRESH_PATCH, LB_ESP_INVALID_SIZE)                                \
  ROW(LB_ERR_PATCH_CORRUPT, "the patch says to do what cannot be done", FRESH_PATCH, LB_ESP_INVALID_RESPONSE)          \
  ROW(LB_ERR_PATCH_CRC, "the CRC of the patch is wrong", FRESH_PATCH, LB_ESP_INVALID_CRC)                              \
  ROW(LB_ERR_PATCH_DIGEST, "what the patch made is not what it states", FRESH_PATCH, LB_ESP_OTA_VALIDATE)              \
  ROW(LB_ERR_PATCH_TOO_LONG, "what the patch makes is longer than its place", THIS_MODULE, LB_ESP_INVALID_SIZE)        \
  ROW(LB_ERR_NO_STAGE, "no patch waits in that slot", "fetch it anew", LB_ESP_NOT_FOUND)                               \
  ROW(LB_ERR_STAGE_ROOM, "the slot has no room for the patch behind the image",                                        \
      "apply it as it comes, or use the whole image", LB_ESP_INVALID_SIZE)

#endif
