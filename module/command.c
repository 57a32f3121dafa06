// SPDX-License-Identifier: MIT
#include "module/command.h"

#include <stddef.h>

#include "module/console.h"
#include "module/print.h"
#include "module/words.h"

const struct command commands[] = {
    {{"boot", "status"},
     "",
     "time since boot, resets, why it booted what it booted",
     0,
     0,
     {COMMAND_NOTHING},
     boot_status_start},
    {{"config", "list"}, "[PARAM]", "the settings", 0, 1, {COMMAND_PARAM}, config_list_start},
    {{"config", "rm"}, "PARAM INSTANCE", "remove a setting", 2, 2, {COMMAND_PARAM, COMMAND_INSTANCE}, config_rm_start},
    {{"config", "set"},
     "PARAM INSTANCE VALUE",
     "change a setting",
     3,
     3,
     {COMMAND_PARAM, COMMAND_INSTANCE, COMMAND_TEXT},
     config_set_start},
    {{"exit"}, "", "leave the console", 0, 0, {COMMAND_NOTHING}, exit_start},
    {{"help"}, "[COMMAND]", "the commands, or those that begin so", 0, 3, {COMMAND_TEXT}, help_start},
    {{"module", "reset"}, "", "restart the module through its bootloader", 0, 0, {COMMAND_NOTHING}, module_reset_start},
    {{"module", "wait"},
     "SECONDS",
     "let time pass, 1 to 604800 seconds (a week)",
     1,
     1,
     {COMMAND_TEXT},
     module_wait_start},
    {{"ota", "boot"}, "SLOT", "boot from that partition next time", 1, 1, {COMMAND_SLOT}, ota_boot_start},
    {{"ota", "confirm"}, "", "confirm the firmware that is on trial", 0, 0, {COMMAND_NOTHING}, ota_confirm_start},
    {{"ota", "copy"},
     "FROM TO",
     "copy a verified firmware to another slot",
     2,
     2,
     {COMMAND_SLOT, COMMAND_SLOT},
     ota_copy_start},
    {{"ota", "erase"}, "SLOT", "erase a slot that neither runs nor boots next", 1, 1, {COMMAND_SLOT}, ota_erase_start},
    {{"ota", "flash", "http"},
     "[URL] [to SLOT] [force]",
     "update from a server",
     0,
     4,
     {COMMAND_URL, COMMAND_TO, COMMAND_FORCE, COMMAND_FORCE},
     ota_flash_http_start},
    {{"ota", "flash", "vfs"},
     "FILE [to SLOT] [force]",
     "update from a file",
     1,
     4,
     {COMMAND_FILE, COMMAND_TO, COMMAND_FORCE, COMMAND_FORCE},
     ota_flash_vfs_start},
    {{"ota", "history"}, "", "the last updates and what became of them", 0, 0, {COMMAND_NOTHING}, ota_history_start},
    {{"ota", "partitions", "list"}, "", "the partition table", 0, 0, {COMMAND_NOTHING}, ota_partitions_start},
    {{"ota", "reject"}, "", "go back from the firmware that is on trial", 0, 0, {COMMAND_NOTHING}, ota_reject_start},
    {{"ota", "status"},
     "[nocheck|full]",
     "firmware, server's version, partitions; full: all images",
     0,
     1,
     {COMMAND_STATUS},
     ota_status_start},
    {{"vfs", "cat"}, "FILE", "show a file", 1, 1, {COMMAND_FILE}, vfs_cat_start},
    {{"vfs", "cp"}, "FROM TO", "copy a file", 2, 2, {COMMAND_FILE, COMMAND_FILE}, vfs_cp_start},
    {{"vfs", "ls"}, "[PATH]", "list a directory", 0, 1, {COMMAND_FILE}, vfs_ls_start},
    {{"vfs", "mv"}, "FROM TO", "rename a file", 2, 2, {COMMAND_FILE, COMMAND_FILE}, vfs_mv_start},
    {{"vfs", "rm"}, "FILE", "remove a file", 1, 1, {COMMAND_FILE}, vfs_rm_start},
    {{"vfs", "stat"}, "PATH", "size and date of a file", 1, 1, {COMMAND_FILE}, vfs_stat_start},
    {{"wifi", "mode", "client"}, "[SSID]", "take the network up", 0, 1, {COMMAND_TEXT}, wifi_client_start},
    {{"wifi", "mode", "off"}, "", "take the network down", 0, 0, {COMMAND_NOTHING}, wifi_off_start},
    {{"wifi", "status"}, "", "state of the network", 0, 0, {COMMAND_NOTHING}, wifi_status_start},
};

const uint32_t command_count = sizeof commands / sizeof commands[0];

uint32_t command_word_count(const struct command *command)
{
  uint32_t count = 0;
  while (count < COMMAND_WORDS && command->words[count]) {
    count++;
  }
  return count;
}

static size_t add_word(char *usage, size_t at, const char *word)
{
  if (!word || word[0] == '\0' || at >= COMMAND_USAGE_SIZE) {
    return at;
  }
  return at + print_text(usage + at, COMMAND_USAGE_SIZE - at, at > 0 ? " %s" : "%s", word);
}

void command_usage(const struct command *command, char usage[COMMAND_USAGE_SIZE])
{
  size_t at = 0;
  for (uint32_t i = 0; i < COMMAND_WORDS; i++) {
    at = add_word(usage, at, command->words[i]);
  }
  add_word(usage, at, command->arguments);
}

/* Does the word of `command` at `index` begin with `word`? */
static bool word_fits(const struct command *command, uint32_t index, const char *word)
{
  return command->words[index] && words_begin(command->words[index], word);
}

bool command_fits(const struct command *command, int argc, char *const *argv)
{
  uint32_t count = command_word_count(command);
  for (uint32_t i = 0; i < count && i < (uint32_t)argc; i++) {
    if (!word_fits(command, i, argv[i])) {
      return false;
    }
  }
  return true;
}

/* Two commands that a line fits are one meaning only if all the words given so far are the same. */
static bool same_words(const struct command *a, const struct command *b, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++) {
    if (!a->words[i] || !b->words[i] || !words_equal(a->words[i], b->words[i])) {
      return false;
    }
  }
  return true;
}

enum command_match command_find(int argc, char *const *argv, const struct command **command, uint32_t *words)
{
  const struct command *first = NULL;
  for (uint32_t i = 0; i < command_count; i++) {
    const struct command *candidate = &commands[i];
    if (!command_fits(candidate, argc, argv)) {
      continue;
    }
    if (first) {
      uint32_t given = (uint32_t)argc < COMMAND_WORDS ? (uint32_t)argc : COMMAND_WORDS;
      return same_words(first, candidate, given) ? COMMAND_INCOMPLETE : COMMAND_AMBIGUOUS;
    }
    first = candidate;
  }
  if (!first) {
    return COMMAND_UNKNOWN;
  }
  *command = first;
  *words = command_word_count(first);
  return *words <= (uint32_t)argc ? COMMAND_FOUND : COMMAND_INCOMPLETE;
}

int command_find_slot(struct console *console, const char *name, struct lb_partition *slot)
{
  if (lb_table_find_label(console->module->table, name, slot) != LB_OK || slot->type != LB_TYPE_APP) {
    return console_known_error(console, LB_ERR_NOT_FOUND, "OTA partition not found");
  }
  return LB_OK;
}
