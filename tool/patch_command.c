// SPDX-License-Identifier: MIT
#include "tool/patch_command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool/report.h"

#define FORMAT 1

/* ---- files ---- */

bool patch_read_image(const char *path, struct file_bytes *bytes)
{
  return file_read(path, PATCH_LENGTH_MAX, bytes);
}

bool patch_read_base(const char *path, struct file_bytes *bytes)
{
  if (strcmp(path, "-") == 0) {
    *bytes = (struct file_bytes){0};
    return true;
  }
  return patch_read_image(path, bytes);
}

bool patch_file_read(struct patch_file *patch, const char *path)
{
  *patch = (struct patch_file){.path = path};
  if (!file_read(path, PATCH_FILE_MAX, &patch->bytes)) {
    return false;
  }
  int error = patch_inspect(patch->bytes.data, patch->bytes.length, &patch->info);
  if (error != LB_OK) {
    report_library_error(path, error);
    file_free(&patch->bytes);
    return false;
  }
  patch->crc_is_good = patch_crc_is_good(patch->bytes.data, patch->bytes.length, &patch->info);
  return true;
}

bool patch_spares_its_input(const char *out, const char *const *inputs, unsigned count, bool force)
{
  for (unsigned i = 0; i < count; i++) {
    if (file_is_same(inputs[i], out)) {
      report_error("%s is read for this - name another file for what is made", out);
      return false;
    }
  }
  /* Said again by file_write, but nobody shall wait for it. */
  if (!force && access(out, F_OK) == 0) {
    report_error("%s exists; --force replaces it", out);
    return false;
  }
  return true;
}

/* ---- reports ---- */

const char *patch_base_digest_text(const uint8_t *digest, char text[PATCH_DIGEST_TEXT])
{
  report_hex(digest, LB_PATCH_BASE_DIGEST, text);
  return text;
}

void patch_print_lengths(const struct lb_patch_info *info, uint32_t size)
{
  double share = info->result_length ? 100.0 * size / info->result_length : 100.0;
  printf("Patch:    %u bytes, %.*f %% of the full image\n", size, share < 1.0 ? 3 : 1, share);
  printf("Image:    %u bytes\n", info->result_length);
  if (info->base_length) {
    printf("Made for: %u bytes\n", info->base_length);
  } else {
    puts("Made for: any firmware, or none: it needs no old one");
  }
  printf("Walker:   %s\n", patch_walker_name(info->walker));
  printf("Profile:  %s, %u bytes of memory to apply it\n", patch_profile_name(info->profile),
         lb_patch_memory(info->profile));
}

void patch_print_digests(const struct lb_patch_info *info)
{
  char text[PATCH_DIGEST_TEXT];
  if (info->base_length) {
    printf("Digest of the old file: %s...\n", patch_base_digest_text(info->base_digest, text));
  }
  report_hex(info->result_digest, LB_SHA256_SIZE, text);
  printf("Digest of the image:    %s\n", text);
}

static cJSON *side_json(uint32_t length, const uint8_t *digest, size_t digest_length)
{
  cJSON *json = cJSON_CreateObject();
  char text[PATCH_DIGEST_TEXT];
  report_hex(digest, digest_length, text);
  cJSON_AddNumberToObject(json, "length", length);
  cJSON_AddStringToObject(json, "digest", text);
  return json;
}

cJSON *patch_json(const char *path, uint32_t size, const struct lb_patch_info *info)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "file", path);
  cJSON_AddNumberToObject(json, "size", size);
  cJSON_AddNumberToObject(json, "format", FORMAT);
  cJSON_AddStringToObject(json, "profile", patch_profile_name(info->profile));
  cJSON_AddNumberToObject(json, "memory", lb_patch_memory(info->profile));
  cJSON_AddStringToObject(json, "walker", patch_walker_name(info->walker));
  cJSON_AddItemToObject(json, "base",
                        info->base_length ? side_json(info->base_length, info->base_digest, LB_PATCH_BASE_DIGEST)
                                          : cJSON_CreateNull());
  cJSON_AddItemToObject(json, "image", side_json(info->result_length, info->result_digest, LB_SHA256_SIZE));
  return json;
}
