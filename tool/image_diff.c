// SPDX-License-Identifier: MIT
/* lifeboat image diff: what differs between two firmware images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/commands.h"
#include "tool/image_compare.h"
#include "tool/options.h"
#include "tool/report.h"

#define SECTOR 0x1000U

/* As diff(1) and cmp(1) have it: 1 says that they differ, so what could not be compared has to be something else. */
enum diff_exit { DIFF_EQUAL = TOOL_EXIT_DONE, DIFF_DIFFER = TOOL_EXIT_FAILED, DIFF_TROUBLE = TOOL_EXIT_USAGE };

/* ---- for people ---- */

static void print_side(const char *name, const struct image_side *side)
{
  const char *version = side->file.image.info.description.version;
  printf("%s: %s: version %s, %u bytes%s%s\n", name, side->path, version[0] != '\0' ? version : "unknown", side->length,
         side->file.problem != NULL ? ", bad: " : "", side->file.problem != NULL ? side->file.problem->cause : "");
}

static const char *shown(const struct image_field *field)
{
  return field->value[0] != '\0' ? field->value : "(none)";
}

static void print_fields(const struct image_fields *a, const struct image_fields *b)
{
  const char *group = "";
  for (uint32_t i = 0; i < a->count; i++) {
    if (strcmp(a->fields[i].value, b->fields[i].value) == 0) {
      continue;
    }
    if (strcmp(group, a->fields[i].group) != 0) {
      group = a->fields[i].group;
      printf("\n%s\n", strcmp(group, "header") == 0        ? "Header:"
                       : strcmp(group, "description") == 0 ? "Description:"
                                                           : "End of the image:");
    }
    printf("  %-20s %s\n  %-20s %s\n", a->fields[i].name, shown(&a->fields[i]), "", shown(&b->fields[i]));
  }
}

/* A length, or "-" where there is no such segment. */
static const char *length_text(const struct image_side *side, uint32_t index, char text[16])
{
  if (index == IMAGE_NOT_THERE) {
    return "-";
  }
  (void)snprintf(text, 16, "%u", side->file.image.info.segments[index].length);
  return text;
}

static void print_counts(const struct image_byte_counts *bytes)
{
  printf(" %9u %9u %9u", bytes->equal, bytes->moved, bytes->different);
}

static void print_segments(const struct image_comparison *comparison)
{
  puts("\nSegments: of B's bytes, how many are equal at the same address, moved (elsewhere in A) and different\n"
       "  address     A bytes   B bytes     equal     moved different  first difference");
  for (uint32_t i = 0; i < comparison->segment_count; i++) {
    const struct image_segment_difference *difference = &comparison->segments[i];
    char a[16];
    char b[16];
    printf("  0x%08x %8s  %8s", difference->load, length_text(comparison->a, difference->a, a),
           length_text(comparison->b, difference->b, b));
    if (difference->b == IMAGE_NOT_THERE) {
      puts("         -         -         -  only in A");
      continue;
    }
    print_counts(&difference->bytes);
    if (difference->first_offset == IMAGE_NOT_THERE) {
      putchar('\n');
    } else {
      printf("  0x%08x at offset 0x%x\n", difference->first_address, difference->first_offset);
    }
  }
  printf("  %-30s", "all");
  print_counts(&comparison->bytes);
  putchar('\n');
}

static void print_comparison(const struct image_comparison *comparison, const struct image_fields *a,
                             const struct image_fields *b)
{
  print_side("A", comparison->a);
  print_side("B", comparison->b);
  if (comparison->identical) {
    puts("\nThe images are equal.");
    return;
  }
  print_fields(a, b);
  print_segments(comparison);
  printf("\nFlash: %u of %u sectors of 4 KB differ if B is written over A: %u bytes to erase and program\n",
         comparison->sectors_differ, comparison->sectors, comparison->sectors_differ * SECTOR);
}

/* ---- for programs ---- */

static cJSON *side_json(const struct image_side *side)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "file", side->path);
  cJSON_AddStringToObject(json, "version", side->file.image.info.description.version);
  cJSON_AddNumberToObject(json, "length", side->length);
  cJSON_AddBoolToObject(json, "good", side->file.problem == NULL);
  cJSON_AddItemToObject(json, "error", report_json_problem(side->file.problem));
  return json;
}

static cJSON *fields_json(const struct image_fields *a, const struct image_fields *b)
{
  cJSON *list = cJSON_CreateArray();
  for (uint32_t i = 0; i < a->count; i++) {
    if (strcmp(a->fields[i].value, b->fields[i].value) != 0) {
      cJSON *json = cJSON_CreateObject();
      cJSON_AddStringToObject(json, "group", a->fields[i].group);
      cJSON_AddStringToObject(json, "name", a->fields[i].name);
      cJSON_AddStringToObject(json, "a", a->fields[i].value);
      cJSON_AddStringToObject(json, "b", b->fields[i].value);
      cJSON_AddItemToArray(list, json);
    }
  }
  return list;
}

static void add_place(cJSON *json, const char *key, const struct image_side *side, uint32_t index)
{
  if (index == IMAGE_NOT_THERE) {
    cJSON_AddNullToObject(json, key);
    return;
  }
  const struct lb_image_segment *segment = &side->file.image.info.segments[index];
  cJSON *place = cJSON_AddObjectToObject(json, key);
  cJSON_AddNumberToObject(place, "offset", segment->offset);
  cJSON_AddNumberToObject(place, "length", segment->length);
}

static void add_counts(cJSON *json, const struct image_byte_counts *bytes)
{
  cJSON_AddNumberToObject(json, "equal", bytes->equal);
  cJSON_AddNumberToObject(json, "moved", bytes->moved);
  cJSON_AddNumberToObject(json, "different", bytes->different);
}

static cJSON *segment_json(const struct image_comparison *comparison, const struct image_segment_difference *difference)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddNumberToObject(json, "address", difference->load);
  add_place(json, "a", comparison->a, difference->a);
  add_place(json, "b", comparison->b, difference->b);
  add_counts(json, &difference->bytes);
  if (difference->first_offset == IMAGE_NOT_THERE) {
    cJSON_AddNullToObject(json, "first_difference");
  } else {
    cJSON *first = cJSON_AddObjectToObject(json, "first_difference");
    cJSON_AddNumberToObject(first, "offset", difference->first_offset);
    cJSON_AddNumberToObject(first, "address", difference->first_address);
  }
  return json;
}

static cJSON *comparison_json(const struct image_comparison *comparison, const struct image_fields *a,
                              const struct image_fields *b)
{
  cJSON *json = cJSON_CreateObject();
  cJSON_AddItemToObject(json, "a", side_json(comparison->a));
  cJSON_AddItemToObject(json, "b", side_json(comparison->b));
  cJSON_AddBoolToObject(json, "equal", comparison->identical);
  cJSON_AddItemToObject(json, "fields", fields_json(a, b));
  cJSON *segments = cJSON_AddArrayToObject(json, "segments");
  for (uint32_t i = 0; i < comparison->segment_count; i++) {
    cJSON_AddItemToArray(segments, segment_json(comparison, &comparison->segments[i]));
  }
  add_counts(cJSON_AddObjectToObject(json, "bytes"), &comparison->bytes);
  cJSON *sectors = cJSON_AddObjectToObject(json, "sectors");
  cJSON_AddNumberToObject(sectors, "total", comparison->sectors);
  cJSON_AddNumberToObject(sectors, "differ", comparison->sectors_differ);
  cJSON_AddNumberToObject(sectors, "bytes", (double)comparison->sectors_differ * SECTOR);
  return json;
}

/* ---- the command ---- */

static bool load(struct image_side *side, const char *path)
{
  side->path = path;
  if (!file_read(path, IMAGE_FILE_MAX, &side->bytes)) {
    return false;
  }
  (void)image_file_inspect_bytes(&side->file, side->bytes.data, side->bytes.length, NULL);
  if (side->file.problem != NULL && !image_file_has_info(&side->file)) {
    report_problem(path, side->file.problem);
    return false;
  }
  uint32_t length = side->file.image.info.length;
  side->length = length > 0 && length < side->bytes.length ? length : side->bytes.length;
  return true;
}

static int compare(struct image_side *a, struct image_side *b, bool json)
{
  struct image_comparison comparison;
  struct image_fields fields_a;
  struct image_fields fields_b;
  if (!image_compare(&comparison, a, b)) {
    return DIFF_TROUBLE;
  }
  image_fields_list(&fields_a, a);
  image_fields_list(&fields_b, b);
  if (!json) {
    print_comparison(&comparison, &fields_a, &fields_b);
  } else if (!report_json(comparison_json(&comparison, &fields_a, &fields_b))) {
    return DIFF_TROUBLE;
  }
  return comparison.identical ? DIFF_EQUAL : DIFF_DIFFER;
}

int image_diff_command(int argc, char **argv)
{
  struct image_side a = {0};
  struct image_side b = {0};
  bool json = false;
  if (!options_only_json(argc, argv, 2, "two IMAGEs", &json)) {
    return TOOL_EXIT_USAGE;
  }
  int result = DIFF_TROUBLE;
  if (load(&a, argv[optind]) && load(&b, argv[optind + 1])) {
    result = compare(&a, &b, json);
  }
  file_free(&a.bytes);
  file_free(&b.bytes);
  return result;
}
