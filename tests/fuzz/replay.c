// SPDX-License-Identifier: MIT
/* Runs a fuzz target on every file of a corpus, without libFuzzer: replay of what was found, in any build. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define PATH_SIZE 4096

static unsigned failures;

static void replay(const char *path)
{
  FILE *file = fopen(path, "rb");
  long size = -1;

  if (file && fseek(file, 0, SEEK_END) == 0) {
    size = ftell(file);
  }
  if (!file || size < 0 || fseek(file, 0, SEEK_SET) != 0) {
    fprintf(stderr, "%s cannot be read\n", path);
    failures++;
  } else {
    uint8_t *bytes = fuzz_allocate((size_t)size); /* of exactly that size: reads behind it are noticed */
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size) {
      fprintf(stderr, "%s cannot be read\n", path);
      failures++;
    } else {
      printf("%s, %ld bytes\n", path, size);
      fflush(stdout); /* so that the last line names the file that fails */
      (void)LLVMFuzzerTestOneInput(bytes, (size_t)size);
    }
    free(bytes);
  }
  if (file) {
    fclose(file);
  }
}

int main(int argc, char **argv)
{
  unsigned count = 0;

  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  struct dirent **names;
  int found = scandir(argv[1], &names, NULL, alphasort);
  for (int i = 0; i < found; i++) {
    char path[PATH_SIZE];
    if (names[i]->d_name[0] != '.') {
      snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
      replay(path);
      count++;
    }
    free(names[i]);
  }
  if (found >= 0) {
    free(names);
  }
  if (count == 0) {
    fprintf(stderr, "%s holds no inputs\n", argv[1]);
    return 1;
  }
  (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
  printf("%u inputs, %u unreadable\n", count, failures);
  return failures > 0;
}
