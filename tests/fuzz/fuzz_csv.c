// SPDX-License-Identifier: MIT
/*
 * Partition tables as text. The first byte: the size of the flash. What is read is a table that parses, and written as
 * CSV it is read as the same table again; what is refused says in which line and why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/support/hashes.h"
#include "tool/table_csv.h"

static void check_table(const struct lb_table *table, uint32_t flash_size)
{
  struct table_csv_problem problem = {0};
  struct lb_table parsed;
  struct lb_table again;
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&text, &length);

  FUZZ_REQUIRE(stream != NULL);
  FUZZ_REQUIRE(lb_table_parse(&parsed, table->bytes, LB_TABLE_SIZE, flash_size, unit_md5()) == LB_OK);
  FUZZ_REQUIRE(parsed.count == table->count && parsed.has_md5);
  FUZZ_REQUIRE(table_csv_write(table, stream, &problem));
  FUZZ_REQUIRE(fclose(stream) == 0);
  FUZZ_REQUIRE(table_csv_read(&again, text, (uint32_t)length, flash_size, unit_md5(), &problem));
  FUZZ_REQUIRE(memcmp(again.bytes, table->bytes, LB_TABLE_SIZE) == 0);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  uint32_t flash_size = 0x400000U << fuzz_take_below(&input, 4);
  uint32_t length = (uint32_t)input.length;
  char *text = fuzz_allocate(length); /* without a NUL */
  struct table_csv_problem problem = {0};
  struct lb_table table;

  fuzz_take_bytes(&input, text, length, 0);
  if (table_csv_read(&table, text, length, flash_size, unit_md5(), &problem)) {
    check_table(&table, flash_size);
  } else {
    FUZZ_REQUIRE(problem.text[0] != '\0' && memchr(problem.text, '\0', sizeof(problem.text)) != NULL);
    FUZZ_REQUIRE(problem.line <= length + 1);
  }
  free(text);
  return 0;
}
