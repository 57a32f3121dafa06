// SPDX-License-Identifier: MIT
#include "tool/help_options.h"

#include <stdio.h>
#include <string.h>

#include "lifeboat/chip.h"

static void copy(char *text, size_t capacity, const char *from, size_t length)
{
  (void)snprintf(text, capacity, "%.*s", (int)length, from);
}

/* "IMAGE", or all of a text in quotation marks. */
static size_t argument_length(const char *text)
{
  if (*text == '"') {
    const char *end = strchr(text + 1, '"');
    return end != NULL ? (size_t)(end - text) + 1 : strlen(text);
  }
  return strcspn(text, " \n");
}

static void parse_option(const char *line, size_t length, struct help_option *option)
{
  const char *end = line + length;
  size_t name = strcspn(line, " \n");
  copy(option->name, sizeof(option->name), line, name);
  option->argument[0] = '\0';
  line += name;
  if (end - line > 1 && line[0] == ' ' && line[1] != ' ') {
    size_t argument = argument_length(line + 1);
    copy(option->argument, sizeof(option->argument), line + 1, argument);
    line += 1 + argument;
  }
  line += strspn(line, " ");
  copy(option->description, sizeof(option->description), line, line < end ? (size_t)(end - line) : 0);
}

bool help_next_option(const char **help, struct help_option *option)
{
  const char *line = *help;
  while (*line != '\0') {
    size_t length = strcspn(line, "\n");
    const char *next = line + length + (line[length] == '\n' ? 1 : 0);
    if (strncmp(line, "  --", 4) == 0) {
      parse_option(line + 2, length - 2, option);
      *help = next;
      return true;
    }
    line = next;
  }
  *help = line;
  return false;
}

bool help_next_argument(const char **usage, struct help_argument *argument)
{
  static const char dots[] = "...";
  const char *word = *usage + strspn(*usage, " ");
  size_t length = strcspn(word, " ");
  *usage = word + length;
  bool is_optional = word[0] == '[' && length > 2 && word[length - 1] == ']';
  if (is_optional) {
    word++;
    length -= 2;
  }
  if (length == 0 || strchr("-[(|", word[0]) != NULL) {
    return false;
  }
  size_t dots_length = sizeof(dots) - 1;
  argument->repeats = length > dots_length && memcmp(word + length - dots_length, dots, dots_length) == 0;
  copy(argument->name, sizeof(argument->name), word, argument->repeats ? length - dots_length : length);
  return true;
}

enum help_kind help_kind_of(const char *argument)
{
  static const char *const files[] = {"FILE", "IMAGE", "OUT", "PATH", "CSV", "OLD", "NEW", "PATCH"};
  if (strchr(argument, '|') != NULL) {
    return HELP_WORDS;
  }
  if (strchr(argument, '=') != NULL) {
    return HELP_NOTHING;
  }
  if (strcmp(argument, "DIR") == 0) {
    return HELP_DIRECTORY;
  }
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
    if (strstr(argument, files[i]) != NULL) {
      return HELP_FILE;
    }
  }
  return HELP_NOTHING;
}

static void list_chips(char words[HELP_DESCRIPTION_SIZE])
{
  size_t used = 0;
  words[0] = '\0';
  for (uint32_t id = 0; id <= UINT16_MAX; id++) {
    const struct lb_chip *chip = lb_chip_by_id((uint16_t)id);
    if (chip != NULL && used < HELP_DESCRIPTION_SIZE) {
      used += (size_t)snprintf(words + used, HELP_DESCRIPTION_SIZE - used, "%s%s", used > 0 ? "|" : "", chip->name);
    }
  }
}

enum help_kind help_option_kind(const struct help_option *option, char words[HELP_DESCRIPTION_SIZE])
{
  if (strcmp(option->name, "--chip") == 0) {
    list_chips(words);
    return HELP_WORDS;
  }
  copy(words, HELP_DESCRIPTION_SIZE, option->argument, strlen(option->argument));
  return help_kind_of(option->argument);
}
