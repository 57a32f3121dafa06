// SPDX-License-Identifier: MIT
/* Errors of ESP-IDF as pairs of name and number, for tables of struct lb_error_info. */
#ifndef LIFEBOAT_ESP_ERROR_H
#define LIFEBOAT_ESP_ERROR_H

#define LB_ESP_OK               "ESP_OK", 0
#define LB_ESP_FAIL             "ESP_FAIL", -1
#define LB_ESP_NO_MEM           "ESP_ERR_NO_MEM", 0x101
#define LB_ESP_INVALID_ARG      "ESP_ERR_INVALID_ARG", 0x102
#define LB_ESP_INVALID_STATE    "ESP_ERR_INVALID_STATE", 0x103
#define LB_ESP_INVALID_SIZE     "ESP_ERR_INVALID_SIZE", 0x104
#define LB_ESP_NOT_FOUND        "ESP_ERR_NOT_FOUND", 0x105
#define LB_ESP_NOT_SUPPORTED    "ESP_ERR_NOT_SUPPORTED", 0x106
#define LB_ESP_TIMEOUT          "ESP_ERR_TIMEOUT", 0x107
#define LB_ESP_INVALID_RESPONSE "ESP_ERR_INVALID_RESPONSE", 0x108
#define LB_ESP_INVALID_CRC      "ESP_ERR_INVALID_CRC", 0x109
#define LB_ESP_INVALID_VERSION  "ESP_ERR_INVALID_VERSION", 0x10A
#define LB_ESP_NOT_ALLOWED      "ESP_ERR_NOT_ALLOWED", 0x10D
#define LB_ESP_OTA_CONFLICT     "ESP_ERR_OTA_PARTITION_CONFLICT", 0x1501
#define LB_ESP_OTA_SELECT       "ESP_ERR_OTA_SELECT_INFO_INVALID", 0x1502
#define LB_ESP_OTA_VALIDATE     "ESP_ERR_OTA_VALIDATE_FAILED", 0x1503
#define LB_ESP_OTA_ROLLBACK     "ESP_ERR_OTA_ROLLBACK_INVALID_STATE", 0x1506
#define LB_ESP_IMAGE_INVALID    "ESP_ERR_IMAGE_INVALID", 0x2002
#define LB_ESP_FLASH_OP         "ESP_ERR_FLASH_OP_FAIL", 0x6001

/* A row of such a table; the last argument is one of the pairs. */
#define LB_ERROR_ROW(code, cause, remedy, ...)                                                                         \
  {                                                                                                                    \
    code, #code, cause, remedy, __VA_ARGS__                                                                            \
  }

#endif
