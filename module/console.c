// SPDX-License-Identifier: MIT
#include "module/console.h"

#include <string.h>

#include "module/print.h"
#include "module/words.h"

void console_start(struct console *console, struct module *module, void *output_context,
                   void (*write)(void *output_context, const char *text, size_t length))
{
  console->module = module;
  console->output_context = output_context;
  console->write = write;
  console->job.step = NULL;
  console->job.waiting = false;
}

static size_t text_length(const char *text)
{
  size_t length = 0;
  while (text[length] != '\0') {
    length++;
  }
  return length;
}

static int refuse_command(struct console *console, enum command_match match, const char *line)
{
  const char *cause = match == COMMAND_UNKNOWN     ? "there is no such command"
                      : match == COMMAND_AMBIGUOUS ? "this may mean several commands"
                                                   : "the command is not complete";
  return console_error_text(console, MODULE_ERR_COMMAND, "%s: %s - see `help`", line, cause);
}

int console_refuse_arguments(struct console *console)
{
  char usage[COMMAND_USAGE_SIZE];
  command_usage(console->command, usage);
  return console_error_text(console, MODULE_ERR_USAGE, "the arguments do not fit - usage: %s", usage);
}

int console_claim_flash(struct console *console)
{
  if (console->module->flash_user) {
    return console_error(console, MODULE_ERR_UPDATE_RUNNING);
  }
  console->module->flash_user = console;
  return LB_OK;
}

static void end_job(struct console *console)
{
  console->job.step = NULL;
  if (console->module->flash_user == console) {
    console->module->flash_user = NULL;
  }
  if (console->module->hash_user == console) {
    console->module->hash_user = NULL;
  }
}

int console_execute(struct console *console, const char *line)
{
  char *words[CONSOLE_WORDS + 1];
  const struct command *command;
  uint32_t own = 0;
  size_t length = text_length(line);
  if (console->job.step) {
    return console_error(console, LB_ERR_STATE);
  }
  if (length >= sizeof console->line) {
    return console_error(console, MODULE_ERR_LINE_TOO_LONG);
  }
  memcpy(console->line, line, length + 1);
  uint32_t count = words_split(console->line, words, CONSOLE_WORDS);
  words[count] = NULL;
  if (count == 0 || words[0][0] == '#') {
    return LB_OK;
  }
  enum command_match match = command_find(console->module->port, (int)count, words, &command, &own);
  if (match != COMMAND_FOUND) {
    return refuse_command(console, match, line);
  }
  uint32_t arguments = count - own;
  console->command = command;
  if (arguments < command->least || arguments > command->most) {
    return console_refuse_arguments(console);
  }
  int result = command->start(console, (int)arguments, words + own);
  if (result != LB_MORE) {
    end_job(console);
  }
  return result;
}

int console_poll(struct console *console)
{
  if (!console->job.step) {
    return LB_OK;
  }
  console->job.waiting = false;
  console->job.wait_ms = 0;
  int result = console->job.step(console);
  if (result != LB_MORE) {
    end_job(console);
  }
  return result;
}

bool console_is_waiting(const struct console *console)
{
  return console->job.step && console->job.waiting;
}

uint32_t console_wait_ms(const struct console *console)
{
  return console_is_waiting(console) ? console->job.wait_ms : 0;
}

static void abandon(struct console *console, int cause)
{
  if (console->job.step) {
    console->cause = cause;
    console->job.cancel(console);
    end_job(console);
  }
}

void console_cancel(struct console *console)
{
  abandon(console, MODULE_ERR_CANCELLED);
}

void console_reset(struct console *console)
{
  abandon(console, MODULE_ERR_RESET);
}

void console_tell_cancelled(struct console *console)
{
  console_error(console, console->cause);
}
