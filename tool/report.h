// SPDX-License-Identifier: MIT
/* What the host command says: error lines on stderr, JSON on stdout. */
#ifndef TOOL_REPORT_H
#define TOOL_REPORT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lifeboat/error.h"
#include "lifeboat/partition.h"

/* "Error: ..." and a newline on stderr, behind whatever stdout holds back. */
void report_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "Error: SUBJECT: CAUSE - REMEDY (ESP_NAME, NUMBER)". */
void report_problem(const char *subject, const struct lb_error_info *problem);

/* The same for an error of the library. */
void report_library_error(const char *subject, int code);

/* "Error: cannot ACTION SUBJECT: No such file or directory", from an errno. */
void report_system_error(const char *action, const char *subject, int error_number);

/* "Error: PATH: image is N bytes, partition ota_0 holds M (ESP_ERR_INVALID_SIZE, 260)". */
void report_image_too_long(const char *path, uint32_t length, const struct lb_partition *slot);

/* What to do about the error line before, where that line is one that owners know word for word: "  ..." on stderr. */
void report_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies `text`, with '?' for each byte that is no printable ASCII, so that a flash dump cannot steer a terminal. */
void report_printable(const char *text, char *copy, size_t capacity);

/* Writes `length` bytes as lower-case hexadecimal and a NUL: `text` has 2 * length + 1 bytes. */
void report_hex(const uint8_t *bytes, size_t length, char *text);

/* {"name", "cause", "remedy", "esp_name", "esp_code"}, or null if there is no problem. */
cJSON *report_json_problem(const struct lb_error_info *problem);

/* Prints JSON on stdout and frees it. False and an error line if there was no memory for it. */
bool report_json(cJSON *json);

/* The same in one line, for commands that tell their progress: one object a line. */
bool report_json_line(cJSON *json);

#endif
