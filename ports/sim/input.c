// SPDX-License-Identifier: MIT
#include "ports/sim/input.h"

#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "ports/sim/signals.h"

#define HISTORY_LINES 500
#define CANDIDATES    256U
#define CANDIDATE     512U

struct input {
  EditLine *editor; /* NULL: no terminal */
  History *history;
  struct console *console; /* that is asked for completions */
  char *line;
  size_t line_size;
};

/* ---- completion ---- */

struct candidates {
  unsigned count;
  char words[CANDIDATES][CANDIDATE];
};

static void collect(void *context, const char *word)
{
  struct candidates *candidates = context;
  size_t size = strlen(word) + 1;
  if (candidates->count < CANDIDATES && size <= CANDIDATE) {
    memcpy(candidates->words[candidates->count++], word, size);
  }
}

static size_t common_length(const struct candidates *candidates)
{
  size_t common = strlen(candidates->words[0]);
  for (unsigned i = 1; i < candidates->count; i++) {
    size_t same = 0;
    while (same < common && candidates->words[i][same] == candidates->words[0][same]) {
      same++;
    }
    common = same;
  }
  return common;
}

static struct input *input_of(EditLine *editor)
{
  void *data = NULL;
  el_get(editor, EL_CLIENTDATA, &data);
  return data;
}

/* The line up to the cursor; NULL if it is longer than a console takes. */
static const char *text_before_cursor(EditLine *editor, char *text)
{
  const LineInfo *info = el_line(editor);
  size_t length = (size_t)(info->cursor - info->buffer);
  if (length >= CONSOLE_LINE_SIZE) {
    return NULL;
  }
  memcpy(text, info->buffer, length);
  text[length] = '\0';
  return text;
}

static void list_candidates(const struct candidates *candidates)
{
  fputs("\n", stdout);
  for (unsigned i = 0; i < candidates->count; i++) {
    printf("%s%s", i > 0 ? "  " : "", candidates->words[i]);
  }
  fputs("\n", stdout);
}

static unsigned char complete(EditLine *editor, int key)
{
  static struct candidates candidates;
  char text[CONSOLE_LINE_SIZE];
  (void)key;
  candidates.count = 0;
  if (!text_before_cursor(editor, text)) {
    return CC_ERROR;
  }
  console_complete(input_of(editor)->console, text, collect, &candidates);
  if (candidates.count == 0) {
    return CC_ERROR;
  }
  const char *blank = strrchr(text, ' ');
  size_t typed = strlen(blank ? blank + 1 : text);
  size_t common = common_length(&candidates);
  char addition[CANDIDATE + 1];
  bool whole = candidates.count == 1 && candidates.words[0][common - 1] != '/';
  (void)snprintf(addition, sizeof addition, "%.*s%s", (int)(common - typed), candidates.words[0] + typed,
                 whole ? " " : "");
  if (addition[0] == '\0') {
    list_candidates(&candidates);
    return CC_REDISPLAY;
  }
  return el_insertstr(editor, addition) == 0 ? CC_REFRESH : CC_ERROR;
}

/* `?` explains, but in a URL it is an ordinary character. */
static unsigned char explain(EditLine *editor, int key)
{
  char text[CONSOLE_LINE_SIZE];
  (void)key;
  if (!text_before_cursor(editor, text)) {
    return CC_ERROR;
  }
  if (strstr(text, "://")) {
    return el_insertstr(editor, "?") == 0 ? CC_REFRESH : CC_ERROR;
  }
  fputs("?\n", stdout);
  (void)fflush(stdout);
  console_explain(input_of(editor)->console, text);
  return CC_REDISPLAY;
}

/* Ctrl-C at the prompt gives the line up. */
static unsigned char give_up(EditLine *editor, int key)
{
  const LineInfo *info = el_line(editor);
  (void)key;
  el_cursor(editor, (int)(info->lastchar - info->cursor));
  info = el_line(editor);
  el_deletestr(editor, (int)(info->lastchar - info->buffer));
  fputs("^C\n", stdout);
  return CC_REDISPLAY;
}

/* ---- reading ---- */

/* One character; waits so that SIGTERM is noticed at once, which libedit itself would sleep through. */
static int read_character(EditLine *editor, wchar_t *character)
{
  mbstate_t state;
  (void)editor;
  memset(&state, 0, sizeof state);
  for (;;) {
    struct pollfd terminal = {.fd = STDIN_FILENO, .events = POLLIN};
    char byte;
    if (signals_terminated()) {
      return 0;
    }
    if (signals_take_interrupt()) {
      *character = L'\003';
      return 1;
    }
    if (poll(&terminal, 1, -1) < 0) {
      if (errno == EINTR) {
        continue;
      }
      return -1;
    }
    if (read(STDIN_FILENO, &byte, 1) != 1) {
      return 0;
    }
    size_t length = mbrtowc(character, &byte, 1, &state);
    if (length <= 1) {
      return 1;
    }
    if (length == (size_t)-1) {
      *character = L'?';
      return 1;
    }
  }
}

static char *prompt(EditLine *editor)
{
  static char text[] = CONSOLE_PROMPT;
  (void)editor;
  return text;
}

static bool open_editor(struct input *input)
{
  HistEvent event;
  input->editor = el_init("lifeboat", stdin, stdout, stderr);
  input->history = history_init();
  if (!input->editor || !input->history) {
    return false;
  }
  history(input->history, &event, H_SETSIZE, HISTORY_LINES);
  history(input->history, &event, H_SETUNIQUE, 1);
  el_set(input->editor, EL_CLIENTDATA, input);
  el_set(input->editor, EL_PROMPT, prompt);
  el_set(input->editor, EL_EDITOR, "emacs");
  el_set(input->editor, EL_HIST, history, input->history);
  el_set(input->editor, EL_GETCFN, read_character);
  el_set(input->editor, EL_SETTY, "-d", "-isig", NULL);
  el_set(input->editor, EL_ADDFN, "lifeboat-complete", "Complete the word", complete);
  el_set(input->editor, EL_ADDFN, "lifeboat-explain", "Show what may follow", explain);
  el_set(input->editor, EL_ADDFN, "lifeboat-give-up", "Give the line up", give_up);
  el_set(input->editor, EL_BIND, "^I", "lifeboat-complete", NULL);
  el_set(input->editor, EL_BIND, "?", "lifeboat-explain", NULL);
  el_set(input->editor, EL_BIND, "^C", "lifeboat-give-up", NULL);
  return true;
}

struct input *input_open(void)
{
  struct input *input = calloc(1, sizeof *input);
  if (!input) {
    return NULL;
  }
  if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !open_editor(input)) {
    input_close(input);
    return NULL;
  }
  return input;
}

bool input_is_terminal(const struct input *input)
{
  return input->editor != NULL;
}

static const char *edit_line(struct input *input)
{
  HistEvent event;
  int length = 0;
  const char *line = el_gets(input->editor, &length);
  if (!line || length <= 0) {
    fputs("\n", stdout);
    return NULL;
  }
  if (strspn(line, " \t\r\n") < (size_t)length) {
    history(input->history, &event, H_ENTER, line);
  }
  size_t end = strcspn(line, "\r\n");
  free(input->line);
  input->line = strndup(line, end);
  return input->line;
}

const char *input_line(struct input *input, struct console *console)
{
  input->console = console;
  if (input->editor) {
    return edit_line(input);
  }
  if (signals_terminated()) {
    return NULL;
  }
  ssize_t length = getline(&input->line, &input->line_size, stdin);
  if (length < 0 || signals_terminated()) {
    return NULL;
  }
  input->line[strcspn(input->line, "\r\n")] = '\0';
  return input->line;
}

void input_close(struct input *input)
{
  if (!input) {
    return;
  }
  if (input->history) {
    history_end(input->history);
  }
  if (input->editor) {
    el_end(input->editor);
  }
  free(input->line);
  free(input);
}
