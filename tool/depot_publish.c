// SPDX-License-Identifier: MIT
/* `lifeboat depot publish`: checks an image and puts it into a depot. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ports/mbedtls/hash.h"
#include "tool/commands.h"
#include "tool/depot_bases.h"
#include "tool/depot_name.h"
#include "tool/depot_patch_report.h"
#include "tool/depot_release.h"
#include "tool/file.h"
#include "tool/options.h"
#include "tool/report.h"

#define CHANGES_MAX  0x100000U /* 1 MB of changelog */
#define BASES_MAX    8U        /* that can be given */
#define LAST_DEFAULT 3U        /* releases that patches are made from */

struct publish_options {
  const char *folder;
  const char *image;
  const char *product;
  const char *tag;
  const char *changes; /* NULL: none */
  const char *bases[BASES_MAX];
  uint32_t base_count;
  uint32_t last;
  bool json;
};

static bool take_base(struct publish_options *options, const char *path)
{
  if (options->base_count == BASES_MAX) {
    report_error("--base: at most %u images can be given", BASES_MAX);
    return false;
  }
  options->bases[options->base_count++] = path;
  return true;
}

/* One option that has an argument, or --json. */
static bool take_option(struct publish_options *options, int option)
{
  switch (option) {
  case 'p':
    options->product = optarg;
    return true;
  case 't':
    options->tag = optarg;
    return true;
  case 'c':
    options->changes = optarg;
    return true;
  case 'l':
    return options_number("--patches", optarg, 0, DEPOT_BASES_LAST_MAX, &options->last);
  case 'b':
    return take_base(options, optarg);
  case 'j':
    options->json = true;
    return true;
  default:
    return false; /* OPTIONS_WRONG, which has been reported */
  }
}

static bool judge_options(const struct publish_options *options)
{
  if (!options->product || !options->tag || options->folder[0] == '\0') {
    report_error("%s is missing", !options->product ? "--product NAME" : !options->tag ? "--tag NAME" : "DIR");
    return false;
  }
  if (options->last == 0 && options->base_count > 0) {
    report_error("--base makes patches, and --patches 0 makes none: leave one of them out");
    return false;
  }
  return depot_name_label("--product", options->product) && depot_name_label("--tag", options->tag);
}

static int parse_options(int argc, char **argv, struct publish_options *options)
{
  static const struct option table[] = {{"product", required_argument, NULL, 'p'},
                                        {"tag", required_argument, NULL, 't'},
                                        {"changes", required_argument, NULL, 'c'},
                                        {"patches", required_argument, NULL, 'l'},
                                        {"base", required_argument, NULL, 'b'},
                                        {"json", no_argument, NULL, 'j'},
                                        {0}};
  int option = OPTIONS_END;
  options->last = LAST_DEFAULT;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (!take_option(options, option)) {
      return TOOL_EXIT_USAGE;
    }
  }
  if (!options_words(argc, 2, 2, "DIR and IMAGE")) {
    return TOOL_EXIT_USAGE;
  }
  options->folder = argv[optind];
  options->image = argv[optind + 1];
  return judge_options(options) ? TOOL_EXIT_DONE : TOOL_EXIT_USAGE;
}

/* What was read, all of it checked before the depot is touched. */
struct material {
  struct depot_image image;
  struct depot_image bases[BASES_MAX];
  struct depot_patches patches;
  struct file_bytes changes;
  uint8_t *text; /* ovms3.ver */
  uint32_t text_length;
  char sha256[2 * LB_SHA256_SIZE + 1];
};

static void free_material(struct material *material)
{
  depot_patches_free(&material->patches);
  depot_image_free(&material->image);
  for (uint32_t i = 0; i < BASES_MAX; i++) {
    depot_image_free(&material->bases[i]);
  }
  file_free(&material->changes);
  free(material->text);
}

static bool hash_image(struct material *material)
{
  struct mbedtls_hash context;
  struct lb_hash sha256;
  uint8_t digest[LB_SHA256_SIZE];
  mbedtls_hash_sha256(&sha256, &context);
  if (sha256.start(sha256.context) != 0 ||
      sha256.update(sha256.context, material->image.bytes.data, material->image.bytes.length) != 0 ||
      sha256.finish(sha256.context, digest) != 0) {
    report_library_error("SHA-256", LB_ERR_HASH);
    return false;
  }
  report_hex(digest, sizeof digest, material->sha256);
  return true;
}

/* Reads the image once; what was inspected is what will be published. */
static bool read_image(const char *path, struct material *material)
{
  return depot_image_read(path, &material->image) && depot_name_version(path, depot_image_version(&material->image)) &&
         hash_image(material);
}

/* A base for another chip would make a patch that no module can use. */
static bool read_base(const char *path, const struct depot_image *image, struct depot_image *base)
{
  if (!depot_image_read(path, base)) {
    return false;
  }
  uint16_t chip = base->inspected.image.info.chip_id;
  if (chip != image->inspected.image.info.chip_id) {
    report_error("%s: --base is an image for %s, what is published one for %s", path, lb_chip_by_id(chip)->name,
                 lb_chip_by_id(image->inspected.image.info.chip_id)->name);
    return false;
  }
  return true;
}

static bool read_bases(const struct publish_options *options, struct material *material)
{
  for (uint32_t i = 0; i < options->base_count; i++) {
    if (!read_base(options->bases[i], &material->image, &material->bases[i])) {
      return false;
    }
  }
  return true;
}

static bool read_changes(const char *path, struct material *material)
{
  if (!path) {
    return true;
  }
  if (!file_read(path, CHANGES_MAX, &material->changes)) {
    return false;
  }
  if (!depot_name_is_text(material->changes.data, material->changes.length)) {
    report_error("%s is no text in UTF-8; save the changelog as UTF-8 without NUL characters", path);
    return false;
  }
  return true;
}

static bool compose_text(struct material *material)
{
  const char *version = depot_image_version(&material->image);
  uint32_t line = (uint32_t)strlen(version) + 1U;
  material->text_length = line + material->changes.length;
  material->text = malloc(material->text_length);
  if (!material->text) {
    report_error("not enough memory");
    return false;
  }
  memcpy(material->text, version, line - 1U);
  material->text[line - 1U] = '\n';
  if (material->changes.length > 0) {
    memcpy(material->text + line, material->changes.data, material->changes.length);
  }
  return true;
}

static bool print_json(const struct depot_release *release, const char *sha256, bool changed)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "version", release->version);
  cJSON_AddStringToObject(json, "product", release->product);
  cJSON_AddStringToObject(json, "tag", release->tag);
  cJSON_AddNumberToObject(json, "size", release->image->bytes.length);
  cJSON_AddStringToObject(json, "sha256", sha256);
  cJSON_AddBoolToObject(json, "changed", changed);
  cJSON_AddItemToObject(json, "patches", depot_patch_report_json(release->patches));
  return report_json(json);
}

static void print_text(const struct depot_release *release, const char *sha256, enum depot_release_result result)
{
  const char *done = result == DEPOT_RELEASE_PUBLISHED   ? "Published"
                     : result == DEPOT_RELEASE_COMPLETED ? "New patches only, already published"
                                                         : "Nothing to do, already published";
  printf("%s %s as %s/%s: %" PRIu32 " bytes, sha256 %s\n", done, release->version, release->product, release->tag,
         release->image->bytes.length, sha256);
  depot_patch_report_text(release->patches);
}

static int publish(const struct publish_options *options, struct material *material)
{
  const struct depot_release release = {
      .product = options->product,
      .tag = options->tag,
      .version = depot_image_version(&material->image),
      .image = &material->image,
      .text = material->text,
      .text_length = material->text_length,
      .has_changes = options->changes != NULL,
      .last = options->last,
      .bases = material->bases,
      .base_count = options->base_count,
      .patches = &material->patches,
  };
  depot_patches_start(&material->patches, &material->image);
  enum depot_release_result result = depot_release_publish(options->folder, &release);
  if (result == DEPOT_RELEASE_FAILED) {
    return TOOL_EXIT_FAILED;
  }
  if (options->json) {
    bool changed = result != DEPOT_RELEASE_UNCHANGED;
    return print_json(&release, material->sha256, changed) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
  }
  print_text(&release, material->sha256, result);
  return TOOL_EXIT_DONE;
}

int depot_publish_command(int argc, char **argv)
{
  struct publish_options options = {0};
  int result = parse_options(argc, argv, &options);
  if (result != TOOL_EXIT_DONE) {
    return result;
  }
  struct material material = {0};
  result = TOOL_EXIT_FAILED;
  if (read_image(options.image, &material) && read_bases(&options, &material) &&
      read_changes(options.changes, &material) && compose_text(&material)) {
    result = publish(&options, &material);
  }
  free_material(&material);
  return result;
}
