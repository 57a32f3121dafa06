// SPDX-License-Identifier: MIT
/*
 * If-None-Match, If-Modified-Since and If-Range, a line each. The depot says "you have it already", or sends a part,
 * only to a client that names exactly what it has.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tool/depot_validator.h"

static const struct depot_validator validator = {
    .etag = "\"5f3-1a-16d2.000000001\"",
    .modified = "Sun, 06 Nov 1994 08:49:37 GMT",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  char *none_match = fuzz_take_string_to(&input, '\n');
  char *since = fuzz_take_string_to(&input, '\n');
  char *range = fuzz_take_string(&input);

  if (depot_validator_not_modified(&validator, none_match, since)) {
    FUZZ_REQUIRE(strstr(none_match, validator.etag) != NULL || strchr(none_match, '*') != NULL);
  }
  if (depot_validator_not_modified(&validator, NULL, since)) {
    FUZZ_REQUIRE(strstr(since, validator.modified) != NULL);
  }
  FUZZ_REQUIRE(!depot_validator_not_modified(&validator, NULL, NULL));
  if (depot_validator_allows_range(&validator, range)) {
    FUZZ_REQUIRE(strstr(range, validator.etag) != NULL || strstr(range, validator.modified) != NULL);
    FUZZ_REQUIRE(strncmp(range, "W/", 2) != 0);
  }
  FUZZ_REQUIRE(depot_validator_allows_range(&validator, NULL));
  FUZZ_REQUIRE(depot_validator_allows_range(&validator, validator.etag));
  free(none_match);
  free(since);
  free(range);
  return 0;
}
