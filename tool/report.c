// SPDX-License-Identifier: MIT
#include "tool/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report_error(const char *format, ...)
{
  va_list arguments;
  (void)fflush(stdout);
  fputs("Error: ", stderr);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

void report_problem(const char *subject, const struct lb_error_info *problem)
{
  const char *separator = problem->remedy[0] != '\0' ? " - " : "";
  if (problem->esp_name[0] == '\0') {
    report_error("%s: %s%s%s", subject, problem->cause, separator, problem->remedy);
  } else {
    report_error("%s: %s%s%s (%s, %d)", subject, problem->cause, separator, problem->remedy, problem->esp_name,
                 problem->esp_code);
  }
}

void report_library_error(const char *subject, int code)
{
  report_problem(subject, lb_error_info(code));
}

void report_system_error(const char *action, const char *subject, int error_number)
{
  report_error("cannot %s %s: %s", action, subject, strerror(error_number));
}

void report_image_too_long(const char *path, uint32_t length, const struct lb_partition *slot)
{
  const struct lb_error_info *error = lb_error_info(LB_ERR_IMAGE_TOO_LONG);
  char label[LB_LABEL_SIZE];
  report_printable(slot->label, label, sizeof(label));
  report_error("%s: image is %u bytes, partition %s holds %u (%s, %d)", path, length, label, slot->size,
               error->esp_name, error->esp_code);
}

void report_hint(const char *format, ...)
{
  va_list arguments;
  fputs("  ", stderr);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

void report_printable(const char *text, char *copy, size_t capacity)
{
  size_t length = 0;
  for (; text[length] != '\0' && length + 1 < capacity; length++) {
    copy[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
  }
  copy[length] = '\0';
}

void report_hex(const uint8_t *bytes, size_t length, char *text)
{
  for (size_t i = 0; i < length; i++) {
    (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
  }
}

cJSON *report_json_problem(const struct lb_error_info *problem)
{
  if (problem == NULL) {
    return cJSON_CreateNull();
  }
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "name", problem->name);
  cJSON_AddStringToObject(json, "cause", problem->cause);
  cJSON_AddStringToObject(json, "remedy", problem->remedy);
  cJSON_AddStringToObject(json, "esp_name", problem->esp_name);
  cJSON_AddNumberToObject(json, "esp_code", problem->esp_code);
  return json;
}

/* Prints `text`, which belongs to cJSON, as a line. */
static bool print_json(char *text)
{
  if (text == NULL) {
    report_error("not enough memory");
    return false;
  }
  puts(text);
  cJSON_free(text);
  return true;
}

bool report_json(cJSON *json)
{
  char *text = json != NULL ? cJSON_Print(json) : NULL;
  cJSON_Delete(json);
  return print_json(text);
}

bool report_json_line(cJSON *json)
{
  char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
  cJSON_Delete(json);
  return print_json(text);
}
