// SPDX-License-Identifier: MIT
/* The Range header: eight bytes of a file's size, then the value. A part is never empty and never leaves the file. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tool/depot_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  uint64_t low = fuzz_take_word(&input);
  uint64_t length = (uint64_t)fuzz_take_word(&input) << 32 | low;
  char *value = fuzz_take_string(&input);
  struct depot_range range = {~0ULL, ~0ULL};
  enum depot_range_kind kind = depot_range_parse(value, length, &range);

  if (kind == DEPOT_RANGE_PART) {
    FUZZ_REQUIRE(range.length > 0 && range.first < length && range.length <= length - range.first);
    FUZZ_REQUIRE(strchr(value, '-') != NULL && strchr(value, ',') == NULL);
  } else {
    FUZZ_REQUIRE(range.first == 0 && range.length == length);
    FUZZ_REQUIRE(kind == DEPOT_RANGE_WHOLE || kind == DEPOT_RANGE_UNSATISFIABLE);
  }
  FUZZ_REQUIRE(depot_range_parse(NULL, length, &range) == DEPOT_RANGE_WHOLE);
  free(value);
  return 0;
}
