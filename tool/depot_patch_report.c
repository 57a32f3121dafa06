// SPDX-License-Identifier: MIT
#include "tool/depot_patch_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "tool/report.h"

static double percent_of(const struct depot_patches *patches, const struct depot_patch *patch)
{
  return 100.0 * patch->size / patches->image->bytes.length;
}

static void print_base(const struct depot_patch *patch)
{
  char digest[2 * LB_SHA256_SIZE + 1];
  report_hex(patch->base, sizeof patch->base, digest);
  if (patch->from_nothing) {
    fputs("nothing", stdout);
  } else {
    printf("%s (%.16s)", patch->version[0] != '\0' ? patch->version : "an image without a version", digest);
  }
}

static void print_patch(const struct depot_patches *patches, const struct depot_patch *patch)
{
  double percent = percent_of(patches, patch);
  fputs(patch->state == DEPOT_PATCH_MADE ? "  patch from " : "  no patch from ", stdout);
  print_base(patch);
  if (patch->state == DEPOT_PATCH_MADE) {
    printf(": %" PRIu32 " bytes, %.*f %% of the image\n", patch->size, percent < 1 ? 3 : percent < 10 ? 1 : 0, percent);
  } else if (patch->state == DEPOT_PATCH_TOO_LARGE) {
    printf(": it would be %.0f %% of the image\n", percent);
  } else {
    fputs(": it has too little in common with the image\n", stdout);
  }
}

void depot_patch_report_text(const struct depot_patches *patches)
{
  for (uint32_t i = 0; i < patches->count; i++) {
    if (patches->patches[i].state != DEPOT_PATCH_PRESENT) {
      print_patch(patches, &patches->patches[i]);
    }
  }
}

static cJSON *describe(const struct depot_patch *patch)
{
  static const char *const states[] = {[DEPOT_PATCH_PRESENT] = "present",
                                       [DEPOT_PATCH_MADE] = "made",
                                       [DEPOT_PATCH_TOO_LARGE] = "too_large",
                                       [DEPOT_PATCH_NO_HELP] = "no_help"};
  char digest[2 * LB_SHA256_SIZE + 1];
  char name[DEPOT_PATCH_NAME_SIZE];
  bool has_version = patch->version[0] != '\0';
  bool is_listed = depot_patch_is_listed(patch);
  cJSON *json = cJSON_CreateObject();
  report_hex(patch->base, sizeof patch->base, digest);
  depot_patch_name(patch, name);
  cJSON_AddItemToObject(json, "base", patch->from_nothing ? cJSON_CreateNull() : cJSON_CreateString(digest));
  cJSON_AddItemToObject(json, "base_version", has_version ? cJSON_CreateString(patch->version) : cJSON_CreateNull());
  cJSON_AddStringToObject(json, "state", states[patch->state]);
  cJSON_AddItemToObject(json, "patch", is_listed ? cJSON_CreateString(name) : cJSON_CreateNull());
  cJSON_AddItemToObject(json, "patch_size", patch->size > 0 ? cJSON_CreateNumber(patch->size) : cJSON_CreateNull());
  return json;
}

cJSON *depot_patch_report_json(const struct depot_patches *patches)
{
  cJSON *json = cJSON_CreateArray();
  for (uint32_t i = 0; i < patches->count; i++) {
    cJSON_AddItemToArray(json, describe(&patches->patches[i]));
  }
  return json;
}
