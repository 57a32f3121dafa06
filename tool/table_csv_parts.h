// SPDX-License-Identifier: MIT
/* What the parts of the CSV reader share: a line as it is written, the row that it means, and how a problem is told. */
#ifndef TOOL_TABLE_CSV_PARTS_H
#define TOOL_TABLE_CSV_PARTS_H

#include "tool/table_csv.h"

/* One line of the file, taken apart. Numbers are as they stand there: placing comes later. */
struct csv_row {
  unsigned line;
  struct lb_partition partition; /* offset and size are filled by placing */
  bool has_offset;
  bool has_size;
  int64_t offset;
  int64_t size; /* negative: the end address */
};

/* The rows so far. */
struct csv_table {
  struct lb_table *table;
  uint32_t flash_size;
  const struct lb_hash *md5;
  unsigned lines[LB_TABLE_ROWS_MAX]; /* in which line each row stands */
  uint64_t end;                      /* of the last row that takes part in the order */
  char last[LB_LABEL_SIZE];          /* its label, "" if there is none */
  unsigned last_line;
};

/* Notes a problem. Returns false, so that a check can end with it. */
bool csv_problem(struct table_csv_problem *problem, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Can gen_esp32part read a label back? If not, why not; else NULL. */
const char *csv_label_fault(const char *label);

/* Takes a line apart; `text` is changed. */
bool csv_row_parse(struct csv_row *row, char *text, struct table_csv_problem *problem);

/* Gives a row its place behind the others: blank offsets, sizes that are end addresses. */
bool csv_row_place(const struct csv_table *csv, struct csv_row *row, struct table_csv_problem *problem);

/* Checks what gen_esp32part checks of a row that has its place. */
bool csv_row_check(const struct csv_table *csv, const struct csv_row *row, struct table_csv_problem *problem);

/* Does it stand for the bootloader or the table itself, at a place of its own, outside of the order? */
bool csv_row_is_primary(const struct csv_row *row);

#endif
