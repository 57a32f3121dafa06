// SPDX-License-Identifier: MIT
#include "ports/sim/input.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ports/sim/editor.h"

/* A line that the console still takes, with its end; of a longer one as much as makes it refuse the line. */
#define LINE_SIZE  (CONSOLE_LINE_SIZE + 1U)
#define BLOCK_SIZE 4096U

struct input {
  const struct input_host *host;
  struct editor *editor; /* NULL: no terminal */
  bool interrupted;
  bool ended;
  char line[LINE_SIZE];
  size_t line_length;
  char block[BLOCK_SIZE]; /* what has been read of a pipe or file */
  size_t block_at;
  size_t block_end;
};

struct input *input_open(const struct input_host *host)
{
  struct input *input = calloc(1, sizeof *input);
  if (!input) {
    return NULL;
  }
  input->host = host;
  if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
    input->editor = editor_open(host);
    if (!input->editor) {
      input_close(input);
      return NULL;
    }
  }
  return input;
}

bool input_is_terminal(const struct input *input)
{
  return input->editor != NULL;
}

bool input_was_interrupted(const struct input *input)
{
  return input->interrupted;
}

void input_redisplay(struct input *input)
{
  if (input->editor) {
    editor_redisplay(input->editor);
  }
}

/* ---- lines of a pipe or file ---- */

/* Reads the next block. False: there is none, or it was interrupted. */
static bool read_block(struct input *input)
{
  enum input_event event = input->ended ? INPUT_END : input->host->wait(input->host->context);
  input->interrupted = event == INPUT_INTERRUPTED;
  if (event != INPUT_READY) {
    return false;
  }
  ssize_t got = read(STDIN_FILENO, input->block, sizeof input->block);
  input->ended = got <= 0;
  input->block_at = 0;
  input->block_end = got > 0 ? (size_t)got : 0;
  return !input->ended;
}

/* Moves bytes of the block to the line, up to its end. True: the line is whole. */
static bool take_bytes(struct input *input)
{
  while (input->block_at < input->block_end) {
    const char byte = input->block[input->block_at++];
    if (byte == '\n') {
      return true;
    }
    if (input->line_length + 1 < sizeof input->line) {
      input->line[input->line_length++] = byte;
    }
  }
  return false;
}

static const char *read_line(struct input *input)
{
  input->line_length = 0;
  while (!take_bytes(input)) {
    if (!read_block(input)) {
      if (input->line_length > 0 && input->ended) {
        break; /* the last line has no end */
      }
      return NULL;
    }
  }
  input->line[input->line_length] = '\0';
  input->line[strcspn(input->line, "\r")] = '\0';
  return input->line;
}

const char *input_line(struct input *input)
{
  return input->editor ? editor_line(input->editor) : read_line(input);
}

void input_close(struct input *input)
{
  if (!input) {
    return;
  }
  editor_close(input->editor);
  free(input);
}
