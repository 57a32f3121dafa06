// SPDX-License-Identifier: MIT
/* `lifeboat`: finds the command that is meant, and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool/commands.h"
#include "tool/report.h"

#ifndef LIFEBOAT_VERSION
#define LIFEBOAT_VERSION "0.1.0"
#endif

static const char exit_codes[] =
    "\nExit codes: 0 done, 1 failed or refused, 2 called wrongly, 3 nothing on the flash boots, "
    "130 interrupted\n";

static void print_overview(void)
{
  size_t count = 0;
  const struct command *commands = commands_all(&count);
  puts("Lifeboat: over-the-air firmware updates\n\nUsage: lifeboat COMMAND [ARGUMENTS]\n");
  for (size_t i = 0; i < count; i++) {
    printf("  %-15s %s\n", commands[i].words, commands[i].summary);
  }
  puts("\n'lifeboat COMMAND --help' tells more about one; 'lifeboat --version' the version.");
  fputs(exit_codes, stdout);
}

static void print_usage(FILE *stream, const struct command *command)
{
  fprintf(stream, "Usage: lifeboat %s %s\n", command->words, command->arguments);
}

static int print_help(const struct command *command)
{
  print_usage(stdout, command);
  printf("\n%s.\n\n%s%s", command->summary, command->help, exit_codes);
  return TOOL_EXIT_DONE;
}

/* How many words of the command line name this command: as many as it has, or 0. */
static int words_matched(const char *words, int argc, char **argv)
{
  int matched = 0;
  while (*words != '\0') {
    size_t length = strcspn(words, " ");
    if (matched == argc || strlen(argv[matched]) != length || memcmp(argv[matched], words, length) != 0) {
      return 0;
    }
    matched++;
    words += length + (words[length] == ' ' ? 1 : 0);
  }
  return matched;
}

static const struct command *find_command(int argc, char **argv, int *words)
{
  size_t count = 0;
  const struct command *commands = commands_all(&count);
  for (size_t i = 0; i < count; i++) {
    *words = words_matched(commands[i].words, argc, argv);
    if (*words > 0) {
      return &commands[i];
    }
  }
  return NULL;
}

/* The commands that begin with this word, as the first page of help on them. False if there are none. */
static bool print_group(const char *word)
{
  size_t count = 0;
  const struct command *commands = commands_all(&count);
  size_t length = strlen(word);
  bool any = false;
  for (size_t i = 0; i < count; i++) {
    if (strncmp(commands[i].words, word, length) == 0 && commands[i].words[length] == ' ') {
      printf("  %-15s %s\n", commands[i].words, commands[i].summary);
      any = true;
    }
  }
  if (any) {
    puts("\n'lifeboat COMMAND --help' tells more about one.");
  }
  return any;
}

/* "flash" alone, or with a wrong second word: name what it could have been. */
static int explain_unknown(int argc, char **argv)
{
  size_t count = 0;
  const struct command *commands = commands_all(&count);
  size_t length = strlen(argv[0]);
  bool is_group = false;
  for (size_t i = 0; i < count; i++) {
    if (strncmp(commands[i].words, argv[0], length) == 0 && commands[i].words[length] == ' ') {
      if (!is_group) {
        report_error("'lifeboat %s%s%s' is no command; there are:", argv[0], argc > 1 ? " " : "",
                     argc > 1 ? argv[1] : "");
      }
      is_group = true;
      fputs("  ", stderr);
      print_usage(stderr, &commands[i]);
    }
  }
  if (!is_group) {
    report_error("'lifeboat %s' is no command; 'lifeboat help' lists them", argv[0]);
  }
  return TOOL_EXIT_USAGE;
}

static bool asks_for_help(int argc, char **argv)
{
  for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
    if (strcmp(argv[i], "--help") == 0) {
      return true;
    }
  }
  return false;
}

static int dispatch(int argc, char **argv)
{
  if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
    print_overview();
    return argc == 0 ? TOOL_EXIT_USAGE : TOOL_EXIT_DONE;
  }
  if (strcmp(argv[0], "--version") == 0) {
    puts("lifeboat " LIFEBOAT_VERSION);
    return TOOL_EXIT_DONE;
  }
  bool help = strcmp(argv[0], "help") == 0;
  if (help && argc == 1) {
    print_overview();
    return TOOL_EXIT_DONE;
  }
  int words = 0;
  argc -= help ? 1 : 0;
  argv += help ? 1 : 0;
  const struct command *command = find_command(argc, argv, &words);
  if (command == NULL) {
    bool of_group = (help && argc == 1) || (!help && argc == 2 && asks_for_help(argc - 1, argv + 1));
    return of_group && print_group(argv[0]) ? TOOL_EXIT_DONE : explain_unknown(argc, argv);
  }
  if (help || asks_for_help(argc - words, argv + words)) {
    return print_help(command);
  }
  int result = command->run(argc - words + 1, argv + words - 1);
  if (result == TOOL_EXIT_USAGE) {
    print_usage(stderr, command);
  }
  return result;
}

/*
 * A closed stdin, stdout or stderr would lend its number to the next file that is opened, a flash file say, and what is
 * printed would be written into it.
 */
static bool hold_standard_streams(void)
{
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
    if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) != descriptor) {
      return false;
    }
  }
  return true;
}

int main(int argc, char **argv)
{
  if (!hold_standard_streams()) {
    return TOOL_EXIT_FAILED;
  }
  int result = dispatch(argc > 0 ? argc - 1 : 0, argv + 1);
  /* A report that did not reach its reader, on a full disk say, is a failure. */
  if (fflush(stdout) != 0 || ferror(stdout)) {
    report_system_error("write", "standard output", errno);
    return result == TOOL_EXIT_DONE ? TOOL_EXIT_FAILED : result;
  }
  return result;
}
