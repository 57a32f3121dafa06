// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* strtok_r */
#include "tool/depot_patch_list.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/depot_folder.h"
#include "tool/report.h"

#define FIRST_LINE  "lifeboat-patches 1"
#define LINE_MOST   160U /* bytes of the longest line: size, digest, file and version with their blanks */
#define DIGEST_TEXT (2U * LB_SHA256_SIZE)

static_assert((DEPOT_PATCHES_MAX + 2U) * LINE_MOST < DEPOT_PATCH_LIST_SIZE, "the list has to fit");
static_assert(sizeof "patch 16777216 " + DIGEST_TEXT + DEPOT_PATCH_NAME_SIZE + DEPOT_VERSION_SIZE < LINE_MOST,
              "a line has to fit");

/* ---- writing ---- */

static int compare_sizes(const void *a, const void *b)
{
  const struct depot_patch *const *left = a;
  const struct depot_patch *const *right = b;
  return (*left)->size < (*right)->size ? -1 : (*left)->size > (*right)->size;
}

static uint32_t write_patch(const struct depot_patch *patch, char line[LINE_MOST])
{
  char digest[DIGEST_TEXT + 1U];
  char name[DEPOT_PATCH_NAME_SIZE];
  report_hex(patch->base, sizeof patch->base, digest);
  depot_patch_name(patch, name);
  return (uint32_t)snprintf(line, LINE_MOST, "patch %" PRIu32 " %s %s%s%s\n", patch->size,
                            patch->from_nothing ? "-" : digest, name, patch->version[0] != '\0' ? " " : "",
                            patch->version);
}

uint32_t depot_patch_list_write(const struct depot_patches *patches, char text[DEPOT_PATCH_LIST_SIZE])
{
  const struct depot_patch *listed[DEPOT_PATCHES_MAX];
  char digest[DIGEST_TEXT + 1U];
  uint32_t count = 0;
  for (uint32_t i = 0; i < patches->count; i++) {
    if (depot_patch_is_listed(&patches->patches[i])) {
      listed[count++] = &patches->patches[i];
    }
  }
  if (count == 0) {
    return 0;
  }
  qsort(listed, count, sizeof(const struct depot_patch *), compare_sizes);
  report_hex(depot_image_digest(patches->image), LB_SHA256_SIZE, digest);
  uint32_t length = (uint32_t)snprintf(text, 2U * LINE_MOST, FIRST_LINE "\nimage %" PRIu32 " %s %s\n",
                                       patches->image->bytes.length, digest, depot_image_version(patches->image));
  for (uint32_t i = 0; i < count; i++) {
    length += write_patch(listed[i], text + length);
  }
  return length;
}

/* ---- reading ---- */

static bool read_digest(const char *text, uint8_t digest[LB_SHA256_SIZE])
{
  if (strlen(text) != DIGEST_TEXT || strspn(text, "0123456789abcdef") != DIGEST_TEXT) {
    return false;
  }
  for (uint32_t i = 0; i < LB_SHA256_SIZE; i++) {
    char byte[3] = {text[2U * i], text[2U * i + 1U], '\0'};
    digest[i] = (uint8_t)strtoul(byte, NULL, 16);
  }
  return true;
}

/* What a line says, whether or not it is true. False: it is no line of a patch. */
static bool read_line(char *line, struct depot_patch *patch)
{
  char *rest = NULL;
  char *words[5] = {NULL};
  words[0] = strtok_r(line, " ", &rest);
  for (size_t i = 1; i < sizeof words / sizeof words[0] && words[i - 1]; i++) {
    words[i] = strtok_r(NULL, " ", &rest);
  }
  *patch = (struct depot_patch){.state = DEPOT_PATCH_PRESENT};
  if (!words[3] || strcmp(words[0], "patch") != 0) {
    return false;
  }
  patch->from_nothing = strcmp(words[2], "-") == 0;
  if (words[4]) {
    (void)snprintf(patch->version, sizeof patch->version, "%s", words[4]);
  }
  return patch->from_nothing || read_digest(words[2], patch->base);
}

/* Keeps it if its file is what it should be. */
static int check_patch(struct depot_patches *patches, int folder, struct depot_patch *patch)
{
  struct file_bytes bytes = {0};
  char name[DEPOT_PATCH_NAME_SIZE];
  depot_patch_name(patch, name);
  int error = depot_folder_read(folder, name, patches->image->bytes.length, &bytes);
  if (!error && depot_patch_is_good(patch, patches->image, bytes.data, bytes.length)) {
    patch->size = bytes.length;
    depot_patches_keep(patches, patch);
  }
  file_free(&bytes);
  return error == ENOMEM ? error : 0;
}

int depot_patch_list_read(struct depot_patches *patches, int folder)
{
  struct file_bytes bytes = {0};
  struct depot_patch patch;
  char text[DEPOT_PATCH_LIST_SIZE + 1U] = "";
  char *rest = NULL;
  int error = depot_folder_read(folder, DEPOT_PATCH_LIST_NAME, DEPOT_PATCH_LIST_SIZE, &bytes);
  if (error) {
    return error == ENOMEM ? error : 0;
  }
  memcpy(text, bytes.data, bytes.length);
  file_free(&bytes);
  char *line = strtok_r(text, "\n", &rest);
  bool is_list = line && strcmp(line, FIRST_LINE) == 0;
  while (is_list && !error && (line = strtok_r(NULL, "\n", &rest)) != NULL) {
    if (read_line(line, &patch)) {
      error = check_patch(patches, folder, &patch);
    }
  }
  return error;
}
