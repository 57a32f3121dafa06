// SPDX-License-Identifier: MIT
/*
 * Paths of requests: up to the first newline the prefix option, behind it the path. What becomes a path below the depot
 * has only names without a leading dot, joined by single slashes; so nothing climbs out.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tool/depot_path.h"

static void check_path(const char *path)
{
  FUZZ_REQUIRE(memchr(path, '\0', DEPOT_PATH_SIZE) != NULL);
  FUZZ_REQUIRE(path[0] != '\0' && path[strlen(path) - 1] != '/');
  for (const char *at = path; *at; at++) {
    FUZZ_REQUIRE((unsigned char)*at >= 0x20 && *at != 0x7F);
    if (at == path || at[-1] == '/') {
      FUZZ_REQUIRE(*at != '.' && *at != '/');
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input input = {data, size};
  char *option = fuzz_take_string_to(&input, '\n');
  char *url = fuzz_take_string(&input);
  char *prefix = fuzz_allocate(DEPOT_PATH_SIZE);
  char *path = fuzz_allocate(DEPOT_PATH_SIZE);
  char *plain = fuzz_allocate(DEPOT_PATH_SIZE);

  if (!depot_path_prefix(option, prefix)) {
    prefix[0] = '\0';
  }
  if (prefix[0] != '\0') {
    check_path(prefix);
  }
  enum depot_path_result result = depot_path_from_url(url, prefix, path);
  enum depot_path_result without = depot_path_from_url(url, "", plain);
  FUZZ_REQUIRE(result == without);
  if (result == DEPOT_PATH_OK) {
    check_path(path);
    check_path(plain);
    size_t cut = strlen(plain) - strlen(path);
    FUZZ_REQUIRE(cut == 0 || cut == strlen(prefix) + 1);
    FUZZ_REQUIRE(strcmp(plain + cut, path) == 0);
  }
  free(option);
  free(url);
  free(prefix);
  free(path);
  free(plain);
  return 0;
}
