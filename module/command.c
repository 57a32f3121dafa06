// SPDX-License-Identifier: MIT
#include "module/command.h"

#include <stddef.h>

#include "module/console.h"
#include "module/print.h"
#include "module/words.h"

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

/* ---- the module's commands and the product's ---- */

/* Is one of them the other, or its beginning? */
static bool overlap(const struct command *a, const struct command *b)
{
  for (uint32_t i = 0; i < COMMAND_WORDS && a->words[i] && b->words[i]; i++) {
    if (!words_equal(a->words[i], b->words[i])) {
      return false;
    }
  }
  return true;
}

/* A product that shadows a command of the module has made a mistake: the module's has to work on every product. */
static bool is_shadowing(const struct command *command)
{
  for (uint32_t i = 0; i < command_count; i++) {
    if (overlap(&commands[i], command)) {
      return true;
    }
  }
  return false;
}

/* The command of either table at `index`, in no order; NULL for one that cannot be used. */
static const struct command *command_at(const struct port *port, uint32_t index)
{
  if (index < command_count) {
    return &commands[index];
  }
  const struct command *command = &port->commands[index - command_count];
  return command->words[0] && command->start && !is_shadowing(command) ? command : NULL;
}

static uint32_t count_all(const struct port *port)
{
  return command_count + (port->commands ? port->command_count : 0);
}

static int compare_words(const char *a, const char *b)
{
  while (*a != '\0' && *a == *b) {
    a++;
    b++;
  }
  return (unsigned char)*a - (unsigned char)*b;
}

/* Negative if `a` comes before `b` in a sorted list. */
static int compare(const struct command *a, const struct command *b)
{
  for (uint32_t i = 0; i < COMMAND_WORDS; i++) {
    if (!a->words[i] || !b->words[i]) {
      return (a->words[i] ? 1 : 0) - (b->words[i] ? 1 : 0);
    }
    int order = compare_words(a->words[i], b->words[i]);
    if (order != 0) {
      return order;
    }
  }
  return 0;
}

/* Does the first word in which they differ stand on the line as it is in `better`, and is it only begun so in the
 * other? */
static bool is_meant_rather(const struct command *better, const struct command *command, int argc, char *const *argv)
{
  for (uint32_t i = 0; i < COMMAND_WORDS && i < (uint32_t)argc; i++) {
    const char *word = better->words[i];
    if (!word) {
      return false;
    }
    if (!command->words[i] || !words_equal(word, command->words[i])) {
      return words_equal(word, argv[i]);
    }
  }
  return false;
}

static bool another_is_meant(const struct port *port, const struct command *command, int argc, char *const *argv)
{
  for (uint32_t i = 0; i < count_all(port); i++) {
    const struct command *other = command_at(port, i);
    if (other && command_fits(other, argc, argv) && is_meant_rather(other, command, argc, argv)) {
      return true;
    }
  }
  return false;
}

const struct command *command_next(const struct port *port, const struct command *after, int argc, char *const *argv)
{
  const struct command *next = NULL;
  for (uint32_t i = 0; i < count_all(port); i++) {
    const struct command *command = command_at(port, i);
    if (command && (!after || compare(after, command) < 0) && (!next || compare(command, next) < 0) &&
        command_fits(command, argc, argv) && !another_is_meant(port, command, argc, argv)) {
      next = command;
    }
  }
  return next;
}

/* ---- what a line means ---- */

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

enum command_match command_find(const struct port *port, int argc, char *const *argv, const struct command **command,
                                uint32_t *words)
{
  const struct command *first = command_next(port, NULL, argc, argv);
  if (!first) {
    return COMMAND_UNKNOWN;
  }
  uint32_t given = (uint32_t)argc < COMMAND_WORDS ? (uint32_t)argc : COMMAND_WORDS;
  bool is_alone = true;
  const struct command *other = command_next(port, first, argc, argv);
  for (; other; other = command_next(port, other, argc, argv)) {
    if (!same_words(first, other, given)) {
      return COMMAND_AMBIGUOUS;
    }
    is_alone = false;
  }
  if (!is_alone) {
    return COMMAND_INCOMPLETE;
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
