// SPDX-License-Identifier: MIT
/* One line of a partition table's CSV: its fields, and what each may say. */
#include <ctype.h>
#include <string.h>

#include "tool/partition_names.h"
#include "tool/report.h"
#include "tool/table_csv_parts.h"

#define FIELDS       6U
#define SHOWN_SIZE   34U
#define NUMBER_LIMIT (1LL << 40) /* far above any address, far below an overflow */

enum field { NAME, TYPE, SUBTYPE, OFFSET, SIZE, FLAGS };

/* ---- labels ---- */

/* Bytes of the UTF-8 character at `text`, or 0 if it is none, or one that steers a terminal. */
static size_t character_length(const unsigned char *text)
{
  if (text[0] < 0x80) {
    return text[0] >= ' ' && text[0] != 0x7F ? 1 : 0;
  }
  size_t length = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
  bool good = text[0] >= 0xC2 && text[0] <= 0xF4;
  for (size_t i = 1; good && i < length; i++) {
    good = (text[i] & 0xC0) == 0x80;
  }
  bool too_long = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xF0 && text[1] < 0x90);
  bool no_character = (text[0] == 0xED && text[1] >= 0xA0) || (text[0] == 0xF4 && text[1] >= 0x90);
  bool control = text[0] == 0xC2 && text[1] < 0xA0;
  return good && !too_long && !no_character && !control ? length : 0;
}

const char *csv_label_fault(const char *label)
{
  const unsigned char *at = (const unsigned char *)label;
  size_t length = strlen(label);
  if (length == 0) {
    return "it is empty";
  }
  if (length >= LB_LABEL_SIZE) {
    return "it has more than 16 bytes";
  }
  if (label[0] == '#' || label[0] == ' ' || label[length - 1] == ' ') {
    return "it begins with # or a space, or ends with a space";
  }
  while (*at != '\0') {
    size_t character = character_length(at);
    if (character == 0) {
      return "it has a control character or is not UTF-8";
    }
    if (*at == ',' || (*at == '$' && (isalpha(at[1]) || at[1] == '_' || at[1] == '{'))) {
      return *at == ',' ? "it has a comma" : "gen_esp32part takes $NAME for a variable";
    }
    at += character;
  }
  return NULL;
}

/* ---- numbers ---- */

static int digit_value(char c)
{
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Digits of `base` up to the first that is none; NULL if there are none or too many. */
static const char *parse_digits(const char *text, int base, int64_t *value)
{
  const char *at = text;
  *value = 0;
  for (; digit_value(*at) >= 0 && digit_value(*at) < base; at++) {
    *value = *value * base + digit_value(*at);
    if (*value > NUMBER_LIMIT) {
      return NULL;
    }
  }
  return at == text ? NULL : at;
}

/* As Python's int(text, 0) for decimal and 0x, with K or M behind it. */
static bool parse_number(const char *text, int64_t *value)
{
  bool negative = *text == '-';
  text += *text == '-' || *text == '+' ? 1 : 0;
  bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  const char *rest = parse_digits(hex ? text + 2 : text, hex ? 16 : 10, value);
  if (rest == NULL || (!hex && text[0] == '0' && *value != 0)) { /* 010 would be eight to some */
    return false;
  }
  if (*rest == 'K' || *rest == 'k') {
    *value *= 1024;
    rest++;
  } else if (*rest == 'M' || *rest == 'm') {
    *value *= 1048576;
    rest++;
  }
  *value = negative ? -*value : *value;
  return *rest == '\0';
}

/* ---- fields ---- */

static char *trim(char *text)
{
  size_t length = strlen(text);
  while (length > 0 && isspace((unsigned char)text[length - 1])) {
    text[--length] = '\0';
  }
  while (isspace((unsigned char)*text)) {
    text++;
  }
  return text;
}

/* Cuts a line at its commas. Absent fields are empty; what comes behind the last one may only be a comment. */
static bool split(char *text, char *fields[FIELDS], unsigned line, struct table_csv_problem *problem)
{
  static char empty[1];
  char *next = text;
  for (unsigned i = 0; i < FIELDS; i++) {
    char *comma = next != NULL ? strchr(next, ',') : NULL;
    if (comma != NULL) {
      *comma = '\0';
    }
    fields[i] = next != NULL ? trim(next) : empty;
    next = comma != NULL ? comma + 1 : NULL;
  }
  for (char *at = next; at != NULL && *at != '\0' && *at != '#'; at++) {
    if (*at != ',' && !isspace((unsigned char)*at)) {
      return csv_problem(problem, line, "there are more than %u fields", FIELDS);
    }
  }
  return true;
}

/* Makes a field fit to be shown: what cannot be printed becomes '?', what is too long is cut. */
static const char *shown(const char *field, char copy[SHOWN_SIZE])
{
  report_printable(field, copy, SHOWN_SIZE);
  return copy;
}

static bool parse_type(struct csv_row *row, const char *field, struct table_csv_problem *problem)
{
  int64_t number = 0;
  if (field[0] == '\0') {
    return csv_problem(problem, row->line, "the type is missing");
  }
  if (partition_type_by_name(field, &row->partition.type)) {
    return true;
  }
  if (!parse_number(field, &number) || number < 0 || number > UINT8_MAX) {
    char copy[SHOWN_SIZE];
    return csv_problem(problem, row->line,
                       "type '%s' is none of app, data, bootloader and partition_table, and no "
                       "number from 0 to 255",
                       shown(field, copy));
  }
  row->partition.type = (uint8_t)number;
  return true;
}

static bool parse_subtype(struct csv_row *row, const char *field, struct table_csv_problem *problem)
{
  struct lb_partition *partition = &row->partition;
  int64_t number = 0;
  if (field[0] == '\0' && partition->type == LB_TYPE_APP) {
    return csv_problem(problem, row->line, "the subtype is missing: an app is factory, ota_0 to ota_15 or test");
  }
  if (field[0] == '\0') {
    return partition_subtype_by_name(LB_TYPE_DATA, "undefined", &partition->subtype);
  }
  if (partition_subtype_by_name(partition->type, field, &partition->subtype)) {
    return true;
  }
  if (!parse_number(field, &number) || number < 0 || number > UINT8_MAX) {
    char copy[SHOWN_SIZE];
    char type[PARTITION_NAME_SIZE];
    partition_type_name(partition, type);
    return csv_problem(problem, row->line, "subtype '%s' is no subtype of %s, and no number from 0 to 255",
                       shown(field, copy), type);
  }
  partition->subtype = (uint8_t)number;
  return true;
}

static bool parse_place(const char *what, const char *field, unsigned line, bool *present, int64_t *value,
                        struct table_csv_problem *problem)
{
  *present = field[0] != '\0';
  if (*present && !parse_number(field, value)) {
    char copy[SHOWN_SIZE];
    return csv_problem(problem, line, "%s '%s' is no number (decimal or 0x..., K or M behind it)", what,
                       shown(field, copy));
  }
  return true;
}

static bool parse_flags(struct csv_row *row, char *field, struct table_csv_problem *problem)
{
  char *next = field;
  while (next != NULL) {
    char *flag = next;
    next = strchr(flag, ':');
    if (next != NULL) {
      *next++ = '\0';
    }
    if (strcmp(flag, "encrypted") == 0) {
      row->partition.flags |= LB_FLAG_ENCRYPTED;
    } else if (strcmp(flag, "readonly") == 0) {
      row->partition.flags |= LB_FLAG_READ_ONLY;
    } else if (flag[0] != '\0') {
      char copy[SHOWN_SIZE];
      return csv_problem(problem, row->line, "flag '%s' is neither encrypted nor readonly", shown(flag, copy));
    }
  }
  return true;
}

bool csv_row_parse(struct csv_row *row, char *text, struct table_csv_problem *problem)
{
  char *fields[FIELDS];
  if (!split(text, fields, row->line, problem)) {
    return false;
  }
  const char *fault = csv_label_fault(fields[NAME]);
  if (fault != NULL) {
    return csv_problem(problem, row->line, "the name cannot be used: %s", fault);
  }
  memcpy(row->partition.label, fields[NAME], strlen(fields[NAME]) + 1);
  return parse_type(row, fields[TYPE], problem) && parse_subtype(row, fields[SUBTYPE], problem) &&
         parse_place("offset", fields[OFFSET], row->line, &row->has_offset, &row->offset, problem) &&
         parse_place("size", fields[SIZE], row->line, &row->has_size, &row->size, problem) &&
         parse_flags(row, fields[FLAGS], problem);
}
