// SPDX-License-Identifier: MIT
/* lifeboat image make: a firmware image from an ELF file or raw segments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ports/mbedtls/hash.h"
#include "tool/commands.h"
#include "tool/elf.h"
#include "tool/file.h"
#include "tool/image_build.h"
#include "tool/image_describe.h"
#include "tool/image_file.h"
#include "tool/image_names.h"
#include "tool/options.h"
#include "tool/report.h"

#define ELF_MAX 0x10000000U /* 256 MB: with all debugging information */

struct raw_segment {
  uint32_t address;
  const char *path;
};

struct request {
  const char *out;
  const char *elf;
  struct raw_segment segments[IMAGE_PARTS_MAX];
  uint32_t segment_count;
  bool has_entry;
  bool is_bootloader;
  const char *frequency;
  uint32_t size;
  uint32_t secure_version;
  uint8_t elf_sha256[LB_SHA256_SIZE];
  struct image_header header;
  struct image_description_fields fields;
};

/* ---- options ---- */

enum { CHIP, VERSION, PROJECT, DATE, TIME, IDF, SECURE, SIZE, FLASH_SIZE, FLASH_MODE, FLASH_FREQUENCY, REVISION };
enum { ELF = REVISION + 1, SEGMENT, ENTRY, BOOTLOADER };

static const struct option table[] = {{"elf", required_argument, NULL, ELF},
                                      {"segment", required_argument, NULL, SEGMENT},
                                      {"entry", required_argument, NULL, ENTRY},
                                      {"chip", required_argument, NULL, CHIP},
                                      {"version", required_argument, NULL, VERSION},
                                      {"project", required_argument, NULL, PROJECT},
                                      {"date", required_argument, NULL, DATE},
                                      {"time", required_argument, NULL, TIME},
                                      {"idf", required_argument, NULL, IDF},
                                      {"secure-version", required_argument, NULL, SECURE},
                                      {"size", required_argument, NULL, SIZE},
                                      {"flash-size", required_argument, NULL, FLASH_SIZE},
                                      {"flash-mode", required_argument, NULL, FLASH_MODE},
                                      {"flash-freq", required_argument, NULL, FLASH_FREQUENCY},
                                      {"min-revision", required_argument, NULL, REVISION},
                                      {"bootloader", no_argument, NULL, BOOTLOADER},
                                      {0}};

/* ADDRESS=FILE */
static bool take_segment(struct request *request)
{
  const char *equals = strchr(optarg, '=');
  char number[32];
  size_t length = equals != NULL ? (size_t)(equals - optarg) : sizeof(number);
  if (length >= sizeof(number)) {
    report_error("--segment: %s is not ADDRESS=FILE", optarg);
    return false;
  }
  if (request->segment_count == IMAGE_PARTS_MAX) {
    report_error("--segment: at most %u are possible", IMAGE_PARTS_MAX);
    return false;
  }
  struct raw_segment *segment = &request->segments[request->segment_count++];
  memcpy(number, optarg, length);
  number[length] = '\0';
  segment->path = equals + 1;
  return options_number("--segment", number, 0, UINT32_MAX, &segment->address);
}

static bool take_revision(struct request *request)
{
  uint32_t revision = 0;
  bool good = options_number("--min-revision", optarg, 0, 25599, &revision);
  request->header.min_revision = (uint16_t)revision;
  return good;
}

static bool take_named(bool known, const char *option)
{
  if (!known) {
    report_error("%s: %s is unknown; --help lists what there is", option, optarg);
  }
  return known;
}

static bool take_text(const char **field)
{
  *field = optarg;
  return true;
}

/* Options that set a number or one of a few values. */
static bool take_value(struct request *request, int option)
{
  struct image_header *header = &request->header;
  switch (option) {
  case ENTRY:
    request->has_entry = true;
    return options_number("--entry", optarg, 0, UINT32_MAX, &header->entry);
  case CHIP:
    return options_chip(optarg, &header->chip);
  case SECURE:
    request->fields.secure_version = &request->secure_version;
    return options_number("--secure-version", optarg, 0, UINT32_MAX, &request->secure_version);
  case SIZE:
    return options_number("--size", optarg, 1, IMAGE_FILE_MAX, &request->size);
  case FLASH_SIZE:
    return take_named(image_size_value(optarg, &header->flash_size), "--flash-size");
  case FLASH_MODE:
    return take_named(image_mode_value(optarg, &header->spi_mode), "--flash-mode");
  case REVISION:
    return take_revision(request);
  default:
    return false; /* options_next has reported it */
  }
}

static bool take_option(struct request *request, int option)
{
  switch (option) {
  case ELF:
    return take_text(&request->elf);
  case SEGMENT:
    return take_segment(request);
  case VERSION:
    return take_text(&request->fields.version);
  case PROJECT:
    return take_text(&request->fields.project);
  case DATE:
    return take_text(&request->fields.date);
  case TIME:
    return take_text(&request->fields.time);
  case IDF:
    return take_text(&request->fields.idf);
  case FLASH_FREQUENCY:
    return take_text(&request->frequency); /* its value depends on the chip, which may come later */
  case BOOTLOADER:
    request->is_bootloader = true;
    return true;
  default:
    return take_value(request, option);
  }
}

/* Writing the image over what it is made from would lose that. */
static bool spares_its_input(const struct request *request)
{
  bool same = request->elf != NULL && file_is_same(request->elf, request->out);
  for (uint32_t i = 0; i < request->segment_count; i++) {
    same = same || file_is_same(request->segments[i].path, request->out);
  }
  if (same) {
    report_error("%s is what the image is made from - name another file for the image", request->out);
  }
  return !same;
}

/* What only an application has a place for. */
static bool has_no_description(const struct image_description_fields *fields)
{
  bool none = fields->version == NULL && fields->project == NULL && fields->date == NULL && fields->time == NULL &&
              fields->idf == NULL && fields->secure_version == NULL;
  if (!none) {
    report_error("--bootloader: a bootloader has no description - leave version, project, date, time, idf and "
                 "secure version out");
  }
  return none;
}

static bool take_options(struct request *request, int argc, char **argv)
{
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (!take_option(request, option)) {
      return false;
    }
  }
  return options_words(argc, 1, 1, "one OUT") && (!request->is_bootloader || has_no_description(&request->fields));
}

static bool parse_options(struct request *request, int argc, char **argv)
{
  if (!take_options(request, argc, argv)) {
    return false;
  }
  request->out = argv[optind];
  if ((request->elf != NULL) == (request->segment_count > 0)) {
    report_error(request->elf == NULL ? "--elf or --segment is missing" : "--elf and --segment exclude each other");
    return false;
  }
  const struct image_header *header = &request->header;
  /* Without one: 0, which is 40m, on the C2 30m, on the H2 24m. */
  if (request->frequency != NULL &&
      !image_frequency_value(header->chip->id, request->frequency, &request->header.flash_frequency)) {
    report_error("--flash-freq: %s is unknown for chip %s; --help lists what there is", request->frequency,
                 header->chip->name);
    return false;
  }
  return spares_its_input(request);
}

/* ---- input ---- */

static bool hash_elf(struct request *request, const struct file_bytes *bytes)
{
  struct mbedtls_hash context;
  struct lb_hash sha256;
  mbedtls_hash_sha256(&sha256, &context);
  if (sha256.start(sha256.context) != 0 || sha256.update(sha256.context, bytes->data, bytes->length) != 0 ||
      sha256.finish(sha256.context, request->elf_sha256) != 0) {
    report_library_error(request->elf, LB_ERR_HASH);
    return false;
  }
  request->fields.elf_sha256 = request->elf_sha256;
  return true;
}

static bool read_elf(struct request *request, struct image_parts *parts)
{
  struct file_bytes bytes;
  uint32_t entry = 0;
  if (!file_read(request->elf, ELF_MAX, &bytes)) {
    return false;
  }
  bool good = elf_read(request->elf, bytes.data, bytes.length, request->header.chip, parts, &entry) &&
              hash_elf(request, &bytes);
  file_free(&bytes);
  if (!request->has_entry) {
    request->header.entry = entry;
  }
  return good;
}

static bool read_segment(const struct raw_segment *segment, struct image_parts *parts)
{
  struct file_bytes bytes;
  if (!file_read(segment->path, IMAGE_FILE_MAX, &bytes)) {
    return false;
  }
  bool good = image_parts_add(parts, segment->path, segment->address, bytes.data, bytes.length);
  file_free(&bytes);
  return good;
}

static bool read_segments(const struct request *request, struct image_parts *parts)
{
  for (uint32_t i = 0; i < request->segment_count; i++) {
    if (!read_segment(&request->segments[i], parts)) {
      return false;
    }
  }
  return true;
}

/* Where raw segments begin to run, if nobody says: in the mapped code, else in the first one that is no mapped data. */
static uint32_t default_entry(const struct image_parts *parts, const struct lb_chip *chip)
{
  uint32_t entry = parts->parts[0].load;
  for (uint32_t i = parts->count; i > 0; i--) {
    uint32_t load = parts->parts[i - 1].load;
    if (lb_chip_maps(chip, load) && !lb_chip_maps_data(chip, load)) {
      return load;
    }
    entry = lb_chip_maps_data(chip, load) ? entry : load;
  }
  return entry;
}

/* ---- output ---- */

static bool inspect(const struct request *request, const struct image_bytes *image, struct image_file *file)
{
  const struct lb_chip *chip = request->header.chip;
  return request->is_bootloader ? image_file_inspect_bootloader(file, image->data, image->length, chip)
                                : image_file_inspect_bytes(file, image->data, image->length, chip);
}

/* Nothing leaves this command that the module would refuse. */
static bool inspect_and_write(const struct request *request, const struct image_bytes *image)
{
  struct image_file file;
  if (!inspect(request, image, &file)) {
    report_problem(request->out, file.problem);
    return false;
  }
  if (!file_write(request->out, image->data, image->length, true)) {
    return false;
  }
  printf("%s: %s%s, chip %s, %u bytes\n", request->out, request->is_bootloader ? "bootloader" : "version ",
         file.image.info.description.version, request->header.chip->name, image->length);
  return true;
}

static bool make(struct request *request, struct image_parts *parts)
{
  const struct lb_chip *chip = request->header.chip;
  struct image_bytes image = {0};
  bool good = request->elf != NULL ? read_elf(request, parts) : read_segments(request, parts);
  if (!good || !image_parts_arrange(parts, chip)) {
    return false;
  }
  if (request->elf == NULL && !request->has_entry) {
    request->header.entry = default_entry(parts, chip);
  }
  good = request->is_bootloader || image_describe(parts, chip, &request->fields);
  if (!good || !image_build(&request->header, parts, request->size, &image)) {
    return false;
  }
  good = inspect_and_write(request, &image);
  free(image.data);
  return good;
}

int image_make_command(int argc, char **argv)
{
  struct request request = {.header = {.spi_mode = 2, .flash_size = 4}};
  struct image_parts parts = {0};
  request.header.chip = lb_chip_by_name("esp32");
  if (!parse_options(&request, argc, argv)) {
    return TOOL_EXIT_USAGE;
  }
  bool good = make(&request, &parts);
  image_parts_free(&parts);
  return good ? TOOL_EXIT_DONE : TOOL_EXIT_FAILED;
}
