// SPDX-License-Identifier: MIT
/* From the file to lines, and from lines to rows. */
#include "tool/table_csv.h"

#include <stdarg.h>
#include <string.h>

#include "lifeboat/error.h"
#include "tool/partition_names.h"
#include "tool/table_csv_parts.h"

#define LINE_CAPACITY 256U
#define UTF8_MARK     "\xEF\xBB\xBF"

bool csv_problem(struct table_csv_problem *problem, unsigned line, const char *format, ...)
{
  va_list arguments;
  problem->line = line;
  va_start(arguments, format);
  (void)vsnprintf(problem->text, sizeof(problem->text), format, arguments);
  va_end(arguments);
  return false;
}

/* ---- reading ---- */

/* The rest of the file. */
struct lines {
  const char *at;
  const char *end;
  unsigned number;
};

static bool is_space(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next line, without white space around it: LF, CR LF and CR end one. False behind the last. */
static bool next_line(struct lines *lines, const char **start, size_t *length)
{
  if (lines->at == lines->end) {
    return false;
  }
  const char *from = lines->at;
  const char *to = from;
  while (to < lines->end && *to != '\n' && *to != '\r') {
    to++;
  }
  lines->at = to < lines->end ? to + 1 : to;
  if (to < lines->end && *to == '\r' && lines->at < lines->end && *lines->at == '\n') {
    lines->at++;
  }
  lines->number++;
  while (from < to && is_space(*from)) {
    from++;
  }
  while (from < to && is_space(to[-1])) {
    to--;
  }
  *start = from;
  *length = (size_t)(to - from);
  return true;
}

static bool add_row(struct csv_table *csv, const struct csv_row *row, struct table_csv_problem *problem)
{
  const struct lb_partition *partition = &row->partition;
  uint32_t index = csv->table->count;
  int err = lb_table_add(csv->table, partition);
  if (err == LB_OK) {
    err = lb_table_finish(csv->table, csv->flash_size, csv->md5); /* each row anew, to know whose fault it is */
  }
  if (err) {
    return csv_problem(problem, row->line, "%s - %s", lb_error_info(err)->cause, lb_error_info(err)->remedy);
  }
  csv->lines[index] = row->line;
  if (!csv_row_is_primary(row)) {
    csv->end = (uint64_t)partition->offset + partition->size;
    csv->last_line = row->line;
    memcpy(csv->last, partition->label, sizeof(csv->last));
  }
  return true;
}

static bool take_line(struct csv_table *csv, unsigned number, const char *start, size_t length,
                      struct table_csv_problem *problem)
{
  struct csv_row row = {.line = number};
  char text[LINE_CAPACITY];
  if (length == 0 || start[0] == '#') {
    return true;
  }
  if (length >= sizeof(text)) {
    return csv_problem(problem, number, "the line is longer than %u bytes, so it is no partition", LINE_CAPACITY - 1);
  }
  if (memchr(start, '\0', length) != NULL) {
    return csv_problem(problem, number, "there is a NUL byte in it: this is no text file");
  }
  memcpy(text, start, length);
  text[length] = '\0';
  return csv_row_parse(&row, text, problem) && csv_row_place(csv, &row, problem) && csv_row_check(csv, &row, problem) &&
         add_row(csv, &row, problem);
}

/* What people give that is no CSV at all. */
static bool check_kind(const uint8_t *bytes, uint32_t length, struct table_csv_problem *problem)
{
  if (length >= 2 && bytes[0] == 0xAA && bytes[1] == 0x50) {
    return csv_problem(problem, 0, "this is a binary partition table, no CSV");
  }
  if (length >= 2 && ((bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF))) {
    return csv_problem(problem, 0, "this is UTF-16 - save it as UTF-8");
  }
  return true;
}

bool table_csv_read(struct lb_table *table, const void *text, uint32_t length, uint32_t flash_size,
                    const struct lb_hash *md5, struct table_csv_problem *problem)
{
  struct csv_table csv = {.table = table, .flash_size = flash_size, .md5 = md5};
  struct lines lines = {.at = text, .end = (const char *)text + length};
  const char *start = NULL;
  size_t line_length = 0;
  csv.end = LB_TABLE_ADDRESS + LB_TABLE_SECTOR;
  lb_table_start(table);
  if (!check_kind(text, length, problem)) {
    return false;
  }
  if (length >= strlen(UTF8_MARK) && memcmp(text, UTF8_MARK, strlen(UTF8_MARK)) == 0) {
    lines.at += strlen(UTF8_MARK);
  }
  while (next_line(&lines, &start, &line_length)) {
    if (!take_line(&csv, lines.number, start, line_length, problem)) {
      return false;
    }
  }
  return table->count > 0 || csv_problem(problem, 0, "there is no partition in it");
}

/* ---- writing ---- */

static bool check_labels(const struct lb_table *table, struct table_csv_problem *problem)
{
  struct lb_partition partition;
  for (uint32_t i = 0; lb_table_get(table, i, &partition) == LB_OK; i++) {
    const char *fault = csv_label_fault(partition.label);
    if (fault != NULL) {
      return csv_problem(problem, 0, "the label of partition %u cannot be written as CSV: %s", i + 1, fault);
    }
  }
  return true;
}

static void write_size(FILE *stream, uint32_t size)
{
  if (size % 0x100000U == 0) {
    fprintf(stream, "%uM", size / 0x100000U);
  } else if (size % 0x400U == 0) {
    fprintf(stream, "%uK", size / 0x400U);
  } else {
    fprintf(stream, "0x%x", size);
  }
}

static void write_row(FILE *stream, const struct lb_partition *partition)
{
  char type[PARTITION_NAME_SIZE];
  char subtype[PARTITION_NAME_SIZE];
  bool encrypted = (partition->flags & LB_FLAG_ENCRYPTED) != 0;
  bool read_only = (partition->flags & LB_FLAG_READ_ONLY) != 0;
  partition_type_csv(partition, type);
  partition_subtype_csv(partition, subtype);
  fprintf(stream, "%s,%s,%s,0x%x,", partition->label, type, subtype, partition->offset);
  write_size(stream, partition->size);
  fprintf(stream, ",%s%s%s\n", encrypted ? "encrypted" : "", encrypted && read_only ? ":" : "",
          read_only ? "readonly" : "");
}

bool table_csv_write(const struct lb_table *table, FILE *stream, struct table_csv_problem *problem)
{
  struct lb_partition partition;
  if (!check_labels(table, problem)) {
    return false;
  }
  fputs("# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n", stream);
  for (uint32_t i = 0; lb_table_get(table, i, &partition) == LB_OK; i++) {
    write_row(stream, &partition);
  }
  return true;
}
