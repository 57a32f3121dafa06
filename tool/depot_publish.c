// SPDX-License-Identifier: MIT
/* `lifeboat depot publish`: checks an image and puts it into a depot. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ports/mbedtls/hash.h"
#include "tool/commands.h"
#include "tool/depot_name.h"
#include "tool/depot_release.h"
#include "tool/file.h"
#include "tool/image_file.h"
#include "tool/options.h"
#include "tool/report.h"

#define CHANGES_MAX 0x100000U /* 1 MB of changelog */

struct publish_options {
  const char *folder;
  const char *image;
  const char *product;
  const char *tag;
  const char *changes; /* NULL: none */
  bool json;
};

static int parse_options(int argc, char **argv, struct publish_options *options)
{
  static const struct option table[] = {{"product", required_argument, NULL, 'p'},
                                        {"tag", required_argument, NULL, 't'},
                                        {"changes", required_argument, NULL, 'c'},
                                        {"json", no_argument, NULL, 'j'},
                                        {0}};
  int option = OPTIONS_END;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG) {
      return TOOL_EXIT_USAGE;
    } else if (option == 'p') {
      options->product = optarg;
    } else if (option == 't') {
      options->tag = optarg;
    } else if (option == 'c') {
      options->changes = optarg;
    } else {
      options->json = true;
    }
  }
  if (!options_words(argc, 2, 2, "DIR and IMAGE")) {
    return TOOL_EXIT_USAGE;
  }
  options->folder = argv[optind];
  options->image = argv[optind + 1];
  if (!options->product || !options->tag || options->folder[0] == '\0') {
    report_error("%s is missing", !options->product ? "--product NAME" : !options->tag ? "--tag NAME" : "DIR");
    return TOOL_EXIT_USAGE;
  }
  bool good = depot_name_label("--product", options->product) && depot_name_label("--tag", options->tag);
  return good ? TOOL_EXIT_DONE : TOOL_EXIT_USAGE;
}

/* What was read, all of it checked before the depot is touched. */
struct material {
  struct file_bytes image;
  struct file_bytes changes;
  struct image_file inspected;
  uint8_t *text; /* ovms3.ver */
  uint32_t text_length;
  char sha256[2 * LB_SHA256_SIZE + 1];
};

static void free_material(struct material *material)
{
  file_free(&material->image);
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
      sha256.update(sha256.context, material->image.data, material->image.length) != 0 ||
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
  if (!file_read(path, IMAGE_FILE_MAX, &material->image)) {
    return false;
  }
  if (!image_file_inspect_bytes(&material->inspected, material->image.data, material->image.length, NULL)) {
    report_problem(path, material->inspected.problem);
    return false;
  }
  material->image.length = material->inspected.image.info.length; /* without the 0xFF behind it */
  return depot_name_version(path, material->inspected.image.info.description.version) && hash_image(material);
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
  const char *version = material->inspected.image.info.description.version;
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

static bool print_json(const struct depot_release *release, const char *sha256, bool published)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "version", release->version);
  cJSON_AddStringToObject(json, "product", release->product);
  cJSON_AddStringToObject(json, "tag", release->tag);
  cJSON_AddNumberToObject(json, "size", release->image_length);
  cJSON_AddStringToObject(json, "sha256", sha256);
  cJSON_AddBoolToObject(json, "changed", published);
  return report_json(json);
}

static int publish(const struct publish_options *options, const struct material *material)
{
  const struct depot_release release = {
      .product = options->product,
      .tag = options->tag,
      .version = material->inspected.image.info.description.version,
      .image = material->image.data,
      .image_length = material->image.length,
      .text = material->text,
      .text_length = material->text_length,
      .has_changes = options->changes != NULL,
  };
  enum depot_release_result result = depot_release_publish(options->folder, &release);
  if (result == DEPOT_RELEASE_FAILED) {
    return TOOL_EXIT_FAILED;
  }
  bool published = result == DEPOT_RELEASE_PUBLISHED;
  if (options->json) {
    return print_json(&release, material->sha256, published) ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
  }
  printf("%s %s as %s/%s: %" PRIu32 " bytes, sha256 %s\n", published ? "Published" : "Nothing to do, already published",
         release.version, release.product, release.tag, release.image_length, material->sha256);
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
  if (read_image(options.image, &material) && read_changes(options.changes, &material) && compose_text(&material)) {
    result = publish(&options, &material);
  }
  free_material(&material);
  return result;
}
