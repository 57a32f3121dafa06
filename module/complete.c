// SPDX-License-Identifier: MIT
/* Completion and `?`: both read the same commands that are executed, so they cannot disagree. */
#include <string.h>

#include "module/console.h"
#include "module/print.h"
#include "module/words.h"

#define PATH_SIZE 512U

/* A line that is being completed. */
struct completion {
  struct console *console;
  char line[CONSOLE_LINE_SIZE];
  char *words[CONSOLE_WORDS];
  uint32_t count;   /* words before the last one */
  const char *last; /* the word to be completed, perhaps empty */
  void (*candidate)(void *context, const char *word);
  void *context;
};

static bool split(struct completion *completion, const char *line)
{
  size_t length = 0;
  for (; line[length] != '\0'; length++) {
    if (length + 1 >= sizeof completion->line) {
      return false;
    }
    completion->line[length] = line[length];
  }
  completion->line[length] = '\0';
  bool open = length > 0 && line[length - 1] != ' ';
  completion->count = words_split(completion->line, completion->words, CONSOLE_WORDS);
  completion->last = "";
  if (open && completion->count > 0) {
    completion->count--;
    completion->last = completion->words[completion->count];
  }
  return true;
}

static void offer(const struct completion *completion, const char *word)
{
  if (words_begin(word, completion->last)) {
    completion->candidate(completion->context, word);
  }
}

static void offer_slots(const struct completion *completion)
{
  struct lb_partition slot;
  const struct lb_table *table = completion->console->module->table;
  for (uint32_t i = 0; lb_table_app_slot(table, i, &slot) == LB_OK; i++) {
    offer(completion, slot.label);
  }
}

struct listing {
  const struct completion *completion;
  char path[PATH_SIZE];
  size_t stem; /* length of the directory part of the word */
};

static void offer_entry(void *context, const char *name, const struct port_file_info *info)
{
  struct listing *listing = context;
  size_t at = listing->stem + print_text(listing->path + listing->stem, PATH_SIZE - listing->stem, "%s", name);
  if (at + 1 < PATH_SIZE) {
    listing->path[at] = info->is_directory ? '/' : '\0';
    listing->path[at + 1] = '\0';
    offer(listing->completion, listing->path);
  }
}

static void offer_files(const struct completion *completion)
{
  const struct port_files *files = completion->console->module->port->files;
  struct listing listing = {.completion = completion};
  char directory[PATH_SIZE];
  size_t length = print_text(listing.path, PATH_SIZE, "%s", completion->last[0] == '\0' ? "/" : completion->last);
  if (length >= PATH_SIZE) {
    return;
  }
  while (length > 0 && listing.path[length - 1] != '/') {
    length--;
  }
  listing.stem = length;
  memcpy(directory, listing.path, length);
  directory[length > 1 ? length - 1 : length] = '\0'; /* "/sd/" is listed as "/sd", "/" as "/" */
  if (length > 0) {
    (void)files->list(files->context, directory, offer_entry, &listing); /* what cannot be listed offers nothing */
  }
}

struct setting_offer {
  const struct completion *completion;
  const char *param; /* of which instances are offered; NULL: params are */
  char last[LB_NVS_NAME_SIZE];
};

static void offer_setting(void *context, const char *param, const char *instance, const char *value, bool is_default)
{
  struct setting_offer *setting = context;
  (void)value;
  (void)is_default;
  const char *word = setting->param ? instance : param;
  if (!words_equal(word, setting->last)) {
    print_text(setting->last, sizeof setting->last, "%s", word);
    offer(setting->completion, word);
  }
}

static void offer_settings(const struct completion *completion, const char *param)
{
  struct setting_offer setting = {.completion = completion, .param = param};
  /* Settings that cannot be read offer nothing. */
  (void)settings_list(&completion->console->module->settings, param, offer_setting, &setting);
}

static void offer_url(const struct completion *completion)
{
  char url[SETTINGS_VALUE_SIZE];
  (void)settings_get(&completion->console->module->settings, "ota", "http.mru", url, NULL);
  if (url[0] != '\0') {
    offer(completion, url);
  }
  offer(completion, "to");
  offer(completion, "force");
}

static void offer_argument(const struct completion *completion, const struct command *command, uint32_t index)
{
  bool after_to = index > 0 && words_equal(completion->words[completion->count - 1], "to");
  if (index >= command->most) {
    return;
  }
  switch (after_to ? COMMAND_SLOT : command->kinds[index]) {
  case COMMAND_SLOT:
    if (command->kinds[0] == COMMAND_SLOT || after_to) {
      offer_slots(completion);
    }
    break;
  case COMMAND_FILE:
    offer_files(completion);
    break;
  case COMMAND_TO:
    offer(completion, "to");
    offer(completion, "force");
    break;
  case COMMAND_FORCE:
    if (!words_equal(completion->words[completion->count - 1], "force")) {
      offer(completion, "force");
    }
    break;
  case COMMAND_STATUS:
    offer(completion, "nocheck");
    offer(completion, "full");
    break;
  case COMMAND_PARAM:
    offer_settings(completion, NULL);
    break;
  case COMMAND_INSTANCE:
    offer_settings(completion, completion->words[completion->count - 1]);
    break;
  case COMMAND_URL:
    offer_url(completion);
    break;
  case COMMAND_TEXT:
  case COMMAND_NOTHING:
    break;
  }
}

/* Do both have the same word there? Commands are sorted, so the one before is enough to offer each word once. */
static bool same_word(const struct command *before, const struct command *command, uint32_t word)
{
  return before && before->words[word] && words_equal(before->words[word], command->words[word]);
}

void console_complete(struct console *console, const char *line, void (*candidate)(void *context, const char *word),
                      void *context)
{
  struct completion completion = {.console = console, .candidate = candidate, .context = context};
  if (!split(&completion, line)) {
    return;
  }
  const struct port *port = console->module->port;
  const int given = (int)completion.count;
  const struct command *before = NULL;
  const struct command *command = command_next(port, NULL, given, completion.words);
  for (; command; command = command_next(port, before, given, completion.words)) {
    uint32_t own = command_word_count(command);
    if (completion.count >= own) {
      offer_argument(&completion, command, completion.count - own);
    } else if (!same_word(before, command, completion.count)) {
      offer(&completion, command->words[completion.count]);
    }
    before = command;
  }
}

unsigned console_explain(struct console *console, const char *line)
{
  struct completion completion = {.console = console};
  unsigned count = 0;
  if (!split(&completion, line)) {
    return 0;
  }
  const struct port *port = console->module->port;
  const int whole = (int)completion.count;
  const int given = whole + (completion.last[0] != '\0' ? 1 : 0);
  const struct command *command = command_next(port, NULL, whole, completion.words);
  for (; command; command = command_next(port, command, whole, completion.words)) {
    char usage[COMMAND_USAGE_SIZE];
    if (!command_fits(command, given, completion.words)) {
      continue;
    }
    command_usage(command, usage);
    console_print(console, "%-40s %s\n", usage, command->summary);
    count++;
  }
  return count;
}
