// SPDX-License-Identifier: MIT
/* lifeboat flash status: what is on a flash, and what would boot from it. */
#include <stdio.h>
#include <stdlib.h>

#include "ports/sim/flash.h"
#include "tool/commands.h"
#include "tool/flash_examine.h"
#include "tool/options.h"
#include "tool/partition_names.h"
#include "tool/report.h"
#include "tool/table_report.h"
#include "tool/trial_text.h"

static const char *printable(const char *label, char copy[LB_LABEL_SIZE])
{
  report_printable(label, copy, LB_LABEL_SIZE);
  return copy;
}

static void print_record(const struct flash_examination *examination, int number)
{
  const struct lb_otadata_record *record = &examination->otadata.records[number];
  char slot[LB_LABEL_SIZE];
  char trial[TRIAL_TEXT_SIZE];
  if (record->sequence == LB_OTADATA_BLANK && record->crc == LB_OTADATA_BLANK) {
    printf("  record %d: blank\n", number);
    return;
  }
  flash_record_slot(examination, record, slot);
  printf("  record %d: sequence %u%s%s, state %s, %s%s\n", number, record->sequence, slot[0] != '\0' ? " for " : "",
         slot, otadata_state_name(record->state), record->usable ? "usable" : "not usable",
         number == examination->otadata.active ? ", active" : "");
  trial_text(&examination->otadata, number, trial);
  if (trial[0] != '\0') {
    printf("            %s\n", trial);
  }
}

static void print_otadata(const struct flash_examination *examination)
{
  if (examination->otadata_result != LB_OK) {
    printf("otadata:           %s\n", lb_error_info(examination->otadata_result)->cause);
    return;
  }
  puts("otadata:");
  for (int i = 0; i < (int)LB_OTADATA_RECORDS; i++) {
    print_record(examination, i);
  }
}

static void print_waiting(const struct flash_waiting *waiting)
{
  if (waiting->is_there) {
    printf("                   patch waiting, %u of %u bytes: %s\n", waiting->position, waiting->size, waiting->source);
  }
}

static void print_slot(const struct flash_slot *slot)
{
  const struct lb_image_description *description = &slot->image.description;
  char label[LB_LABEL_SIZE];
  printf("  %-16s ", printable(slot->partition.label, label));
  if (slot->is_empty) {
    puts("empty");
    return;
  }
  if (slot->result != LB_OK) {
    printf("bad: %s%s", lb_error_info(slot->result)->cause, slot->image.segment_count > 0 ? "; " : "");
  }
  if (slot->image.segment_count > 0) {
    printf("version %s, project %s, %s %s, %u bytes", description->version, description->project, description->date,
           description->time, slot->image.length);
  }
  puts(slot->result == LB_OK ? ", good" : "");
}

/* What was found above leaves out what only a start does: to judge how the last boot on trial ended. */
static void print_trial(const struct flash_examination *examination)
{
  struct lb_partition fallback;
  if (flash_boots_on_trial(examination) &&
      lb_otadata_fallback(&examination->otadata, &examination->table, &fallback) == LB_OK) {
    char label[LB_LABEL_SIZE];
    printf("                   if its trial goes on: a start that counts its last failed attempt goes back to %s\n",
           printable(fallback.label, label));
  }
}

static void print_boot(const struct flash_examination *examination)
{
  static const char *const reasons[] = {[LB_BOOT_SELECTED] = "otadata selects it",
                                        [LB_BOOT_DEFAULT] = "otadata selects nothing, this is the default",
                                        [LB_BOOT_FALLBACK_FACTORY] = "it stands in",
                                        [LB_BOOT_FALLBACK_OTHER] = "it stands in, factory is missing or bad too"};
  const struct lb_boot_decision *boot = &examination->boot;
  char label[LB_LABEL_SIZE];
  if (examination->boot_result != LB_OK) {
    puts("Boots:             nothing");
    return;
  }
  printf("Boots:             %s: %s", printable(boot->partition.label, label), reasons[boot->reason]);
  if (boot->selected_error != LB_OK) {
    printf(", since %s does not boot: %s", printable(boot->selected.label, label),
           lb_error_info(boot->selected_error)->cause);
  }
  putchar('\n');
  print_trial(examination);
}

static void print_examination(const struct flash_examination *examination)
{
  printf("Flash:             %s (%u bytes)\n", examination->path, examination->size);
  if (examination->table_result == LB_OK) {
    table_print(&examination->table, NULL);
    print_otadata(examination);
    puts("App slots:");
  }
  for (uint32_t i = 0; i < examination->slot_count; i++) {
    print_slot(&examination->slots[i]);
    print_waiting(&examination->slots[i].waiting);
  }
  print_boot(examination);
  if (examination->boot_result != LB_OK) {
    report_library_error(examination->path, examination->boot_result);
  }
}

static int status(const char *path, const struct lb_chip *chip, bool json)
{
  struct flash_examination *examination = malloc(sizeof(*examination));
  struct sim_flash flash;
  int err = examination != NULL ? sim_flash_open_file(&flash, path, SIM_FLASH_READ_ONLY) : SIM_FLASH_ERR_SYSTEM;
  if (err) {
    report_problem(path, sim_flash_error_info(err));
    free(examination);
    return TOOL_EXIT_FAILED;
  }
  flash_examine(examination, path, &flash.driver, chip);
  sim_flash_close(&flash);
  bool good = true;
  if (json) {
    good = report_json(flash_examination_json(examination));
  } else {
    print_examination(examination);
  }
  int result = examination->boot_result == LB_OK ? TOOL_EXIT_DONE : TOOL_EXIT_NO_BOOT;
  free(examination);
  return good ? result : TOOL_EXIT_FAILED;
}

int flash_status_command(int argc, char **argv)
{
  static const struct option table[] = {{"chip", required_argument, NULL, 'c'}, {"json", no_argument, NULL, 'j'}, {0}};
  const struct lb_chip *chip = NULL;
  bool json = false;
  int option = 0;
  options_start();
  while ((option = options_next(argc, argv, table)) != OPTIONS_END) {
    if (option == OPTIONS_WRONG || (option == 'c' && !options_chip(optarg, &chip))) {
      return TOOL_EXIT_USAGE;
    }
    json = json || option == 'j';
  }
  if (!options_words(argc, 1, 1, "one FILE")) {
    return TOOL_EXIT_USAGE;
  }
  return status(argv[optind], chip, json);
}
