// SPDX-License-Identifier: MIT
/* lifeboat patch apply: the new file out of the old one and a patch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/commands.h"
#include "tool/options.h"
#include "tool/patch_command.h"
#include "tool/report.h"

struct request {
  const char *old;
  const char *patch;
  const char *out;
  bool force;
  bool json;
};

static bool parse_options(struct request *request, int argc, char **argv)
{
  static const struct option table[] = {{"force", no_argument, NULL, 'f'}, {"json", no_argument, NULL, 'j'}, {0}};
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG) {
      return false;
    }
    request->force = request->force || option == 'f';
    request->json = request->json || option == 'j';
  }
  if (!options_words(argc, 3, 3, "OLD, PATCH and NEW")) {
    return false;
  }
  request->old = argv[optind];
  request->patch = argv[optind + 1];
  request->out = argv[optind + 2];
  return true;
}

/* Nothing is made of a patch that is damaged, or made for another file. */
static bool is_for(const struct patch_file *patch, const char *path, const struct file_bytes *old)
{
  const struct lb_patch_info *info = &patch->info;
  char wanted[PATCH_DIGEST_TEXT];
  uint8_t digest[LB_SHA256_SIZE];
  bool sealed = false;
  if (!patch->crc_is_good) {
    report_library_error(patch->path, LB_ERR_PATCH_CRC);
    return false;
  }
  if (info->base_length == 0) {
    return true;
  }
  patch_base_digest_text(info->base_digest, wanted);
  if (old->data == NULL) {
    report_error("%s is made for a file of %u bytes with the digest %s... - name that file instead of -", patch->path,
                 info->base_length, wanted);
    return false;
  }
  if (patch_digest(old->data, old->length, digest, &sealed) != LB_OK) {
    report_library_error(path, LB_ERR_HASH);
    return false;
  }
  if (old->length != info->base_length || memcmp(digest, info->base_digest, LB_PATCH_BASE_DIGEST) != 0) {
    const struct lb_error_info *error = lb_error_info(LB_ERR_PATCH_BASE);
    char found[PATCH_DIGEST_TEXT];
    patch_base_digest_text(digest, found);
    report_error("%s: %s: %s is for digest %s... (%u bytes), this file has %s... (%u bytes) - %s (%s, %d)", path,
                 error->cause, patch->path, wanted, info->base_length, found, old->length, error->remedy,
                 error->esp_name, error->esp_code);
    return false;
  }
  return true;
}

static int report_applied(const struct request *request, const struct patch_file *patch)
{
  if (request->json) {
    cJSON *json = patch_json(request->patch, patch->bytes.length, &patch->info);
    cJSON_AddStringToObject(json, "event", "done");
    cJSON_AddStringToObject(json, "command", "apply");
    cJSON_AddStringToObject(json, "out", request->out);
    return report_json_line(json) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
  }
  char text[PATCH_DIGEST_TEXT];
  report_hex(patch->info.result_digest, LB_SHA256_SIZE, text);
  printf("%s: %u bytes, with the digest that the patch states: %s\n", request->out, patch->info.result_length, text);
  return TOOL_EXIT_DONE;
}

static int apply_and_write(const struct request *request, const struct patch_file *patch, const struct file_bytes *old)
{
  struct patch_bytes result;
  int code = TOOL_EXIT_FAILED;
  if (!is_for(patch, request->old, old)) {
    return TOOL_EXIT_FAILED;
  }
  int error = patch_apply(old->data, old->length, patch->bytes.data, patch->bytes.length, &result);
  if (error == PATCH_NO_MEMORY) {
    report_error("%s: %s", request->out, patch_error_text(error));
  } else if (error != LB_OK) {
    report_library_error(request->patch, error);
  } else if (file_write(request->out, result.data, result.length, request->force)) {
    code = report_applied(request, patch);
  }
  free(result.data);
  return code;
}

int patch_apply_command(int argc, char **argv)
{
  struct request request = {0};
  struct patch_file patch = {0};
  struct file_bytes old = {0};
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  const char *inputs[] = {request.old, request.patch};
  if (!patch_spares_its_input(request.out, inputs, 2, request.force)) {
    return TOOL_EXIT_FAILED;
  }
  int code = TOOL_EXIT_FAILED;
  if (patch_file_read(&patch, request.patch) && patch_read_base(request.old, &old)) {
    code = apply_and_write(&request, &patch, &old);
  }
  file_free(&patch.bytes);
  file_free(&old);
  return code;
}
