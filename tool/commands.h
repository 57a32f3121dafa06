// SPDX-License-Identifier: MIT
/*
 * The commands of `lifeboat`, the host command. Each is one function in a file of its own; tool/commands.c lists them
 * with what --help says about them.
 */
#ifndef TOOL_COMMANDS_H
#define TOOL_COMMANDS_H

#include <stddef.h>

/* What the process exits with. */
enum tool_exit {
  TOOL_EXIT_DONE = 0,
  TOOL_EXIT_FAILED = 1,  /* the command failed or was refused; it has said why */
  TOOL_EXIT_USAGE = 2,   /* it was called wrongly; it has said how, and the caller adds the usage line */
  TOOL_EXIT_NO_BOOT = 3, /* nothing on the flash boots */
  TOOL_EXIT_INTERRUPTED = 130
};

struct command {
  const char *words;                 /* "image info" */
  int (*run)(int argc, char **argv); /* argv[0] is the last of the words; returns a tool_exit */
  const char *arguments;             /* of the usage line: "IMAGE [--json]" */
  const char *summary;               /* one line, no full stop */
  const char *help;                  /* what --help adds: options, with a newline behind each line */
};

/* All commands, in the order of the help page; `*count` of them. */
const struct command *commands_all(size_t *count);

int image_info_command(int argc, char **argv);
int image_diff_command(int argc, char **argv);
int image_verify_command(int argc, char **argv);
int image_make_command(int argc, char **argv);
int flash_create_command(int argc, char **argv);
int flash_status_command(int argc, char **argv);
int flash_boot_command(int argc, char **argv);
int flash_write_command(int argc, char **argv);
int flash_read_command(int argc, char **argv);
int flash_copy_command(int argc, char **argv);
int flash_erase_command(int argc, char **argv);
int flash_table_command(int argc, char **argv);
int flash_settings_command(int argc, char **argv);
int flash_history_command(int argc, char **argv);
int flash_map_command(int argc, char **argv);
int module_command(int argc, char **argv);
int console_command(int argc, char **argv);
int depot_publish_command(int argc, char **argv);
int depot_serve_command(int argc, char **argv);
int patch_make_command(int argc, char **argv);
int patch_apply_command(int argc, char **argv);
int patch_info_command(int argc, char **argv);
int completion_command(int argc, char **argv);

#endif
