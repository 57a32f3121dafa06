// SPDX-License-Identifier: MIT
#include "ports/sim/editor.h"

#include <histedit.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define HISTORY_LINES 500
#define CANDIDATES    256U
#define CANDIDATE     512U

struct editor {
  const struct input_host *host;
  EditLine *line;
  History *history;
  char *text; /* of the line that was returned last */
};

/* ---- completion ---- */

/* The word that is being completed. Blanks separate words but between quotes, which are no part of them. */
struct last_word {
  size_t typed; /* characters of it on the line, with its quotes */
  bool quoted;  /* a quote has been opened and not closed */
  size_t length;
  char text[CONSOLE_LINE_SIZE];
};

struct candidates {
  struct last_word word;
  unsigned count;
  char words[CANDIDATES][CANDIDATE];
};

static void find_last_word(struct last_word *word, const char *line)
{
  memset(word, 0, sizeof *word);
  for (; *line != '\0'; line++) {
    const bool continues = ((unsigned char)*line & 0xC0U) == 0x80U; /* the character before, in UTF-8 */
    word->typed += continues ? 0 : 1;
    if (*line == '"') {
      word->quoted = !word->quoted;
    } else if (*line == ' ' && !word->quoted) {
      word->typed = 0;
      word->length = 0;
    } else {
      word->text[word->length++] = *line;
    }
  }
  word->text[word->length] = '\0';
}

/* Where a candidate comes from may be another process: it has to continue the word and nothing else. */
static void collect(void *context, const char *text)
{
  struct candidates *candidates = context;
  const size_t size = strlen(text) + 1;
  const bool continues = strncmp(text, candidates->word.text, candidates->word.length) == 0;
  if (candidates->count < CANDIDATES && size <= CANDIDATE && continues && !strpbrk(text, "\r\n\033")) {
    memcpy(candidates->words[candidates->count++], text, size);
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

static const struct input_host *host_of(EditLine *line)
{
  void *editor = NULL;
  el_get(line, EL_CLIENTDATA, &editor);
  return ((const struct editor *)editor)->host;
}

/* The line up to the cursor; NULL if it is longer than a console takes. */
static const char *text_before_cursor(EditLine *line, char *text)
{
  const LineInfo *info = el_line(line);
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

/* Puts the beginning that all candidates have into the line, between quotes if there is a blank in it. */
static unsigned char insert_common(EditLine *line, const struct candidates *candidates, size_t common)
{
  const struct last_word *word = &candidates->word;
  const char *text = candidates->words[0];
  const bool whole = candidates->count == 1 && text[common - 1] != '/';
  const bool quotes = word->quoted || memchr(text, ' ', common);
  const bool again = quotes && !word->quoted; /* what was typed has no quotes yet, or has closed them */
  char addition[CANDIDATE + 4];
  const size_t from = again ? 0 : word->length;
  (void)snprintf(addition, sizeof addition, "%s%.*s%s", again ? "\"" : "", (int)(common - from), text + from,
                 !whole   ? ""
                 : quotes ? "\" "
                          : " ");
  if (again) {
    el_deletestr(line, (int)word->typed);
  }
  return el_insertstr(line, addition) == 0 ? CC_REFRESH : CC_ERROR;
}

static unsigned char complete(EditLine *line, int key)
{
  static struct candidates candidates;
  const struct input_host *host = host_of(line);
  char text[CONSOLE_LINE_SIZE];
  (void)key;
  if (!text_before_cursor(line, text)) {
    return CC_ERROR;
  }
  candidates.count = 0;
  find_last_word(&candidates.word, text);
  host->complete(host->context, text, collect, &candidates);
  const size_t common = candidates.count > 0 ? common_length(&candidates) : 0;
  if (common == 0) {
    return CC_ERROR;
  }
  if (candidates.count > 1 && common == candidates.word.length) {
    list_candidates(&candidates);
    return CC_REDISPLAY;
  }
  return insert_common(line, &candidates, common);
}

/* `?` explains, but in a URL it is an ordinary character. */
static unsigned char explain(EditLine *line, int key)
{
  char text[CONSOLE_LINE_SIZE];
  (void)key;
  if (!text_before_cursor(line, text)) {
    return CC_ERROR;
  }
  if (strstr(text, "://")) {
    return el_insertstr(line, "?") == 0 ? CC_REFRESH : CC_ERROR;
  }
  fputs("?\n", stdout);
  (void)fflush(stdout);
  const struct input_host *host = host_of(line);
  host->explain(host->context, text);
  return CC_REDISPLAY;
}

/* Ctrl-C at the prompt gives the line up. */
static unsigned char give_up(EditLine *line, int key)
{
  const LineInfoW *info = el_wline(line); /* libedit counts characters, not bytes */
  (void)key;
  el_cursor(line, (int)(info->lastchar - info->cursor));
  info = el_wline(line);
  el_deletestr(line, (int)(info->lastchar - info->buffer));
  fputs("^C\n", stdout);
  return CC_REDISPLAY;
}

/* ---- reading ---- */

/* One character; the host waits for it. */
static int read_character(EditLine *line, wchar_t *character)
{
  const struct input_host *host = host_of(line);
  mbstate_t state;
  memset(&state, 0, sizeof state);
  for (;;) {
    char byte;
    switch (host->wait(host->context)) {
    case INPUT_READY:
      break;
    case INPUT_INTERRUPTED:
      *character = L'\003';
      return 1;
    case INPUT_END:
      return 0;
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

static char *prompt(EditLine *line)
{
  static char text[] = CONSOLE_PROMPT;
  (void)line;
  return text;
}

static bool prepare(struct editor *editor)
{
  HistEvent event;
  editor->line = el_init("lifeboat", stdin, stdout, stderr);
  editor->history = history_init();
  if (!editor->line || !editor->history) {
    return false;
  }
  history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
  history(editor->history, &event, H_SETUNIQUE, 1);
  el_set(editor->line, EL_CLIENTDATA, editor);
  el_set(editor->line, EL_PROMPT, prompt);
  el_set(editor->line, EL_EDITOR, "emacs");
  el_set(editor->line, EL_HIST, history, editor->history);
  el_set(editor->line, EL_GETCFN, read_character);
  el_set(editor->line, EL_SETTY, "-d", "-isig", NULL);
  el_set(editor->line, EL_ADDFN, "lifeboat-complete", "Complete the word", complete);
  el_set(editor->line, EL_ADDFN, "lifeboat-explain", "Show what may follow", explain);
  el_set(editor->line, EL_ADDFN, "lifeboat-give-up", "Give the line up", give_up);
  el_set(editor->line, EL_BIND, "^I", "lifeboat-complete", NULL);
  el_set(editor->line, EL_BIND, "?", "lifeboat-explain", NULL);
  el_set(editor->line, EL_BIND, "^C", "lifeboat-give-up", NULL);
  return true;
}

struct editor *editor_open(const struct input_host *host)
{
  struct editor *editor = calloc(1, sizeof *editor);
  if (!editor) {
    return NULL;
  }
  editor->host = host;
  setlocale(LC_CTYPE, ""); /* libedit takes what is typed for characters of the locale */
  if (!prepare(editor)) {
    editor_close(editor);
    return NULL;
  }
  return editor;
}

const char *editor_line(struct editor *editor)
{
  HistEvent event;
  int length = 0;
  const char *line = el_gets(editor->line, &length);
  if (!line || length <= 0) {
    fputs("\n", stdout);
    return NULL;
  }
  if (strspn(line, " \t\r\n") < (size_t)length) {
    history(editor->history, &event, H_ENTER, line);
  }
  free(editor->text);
  editor->text = strndup(line, strcspn(line, "\r\n"));
  return editor->text;
}

void editor_redisplay(struct editor *editor)
{
  el_set(editor->line, EL_REFRESH);
}

void editor_close(struct editor *editor)
{
  if (!editor) {
    return;
  }
  if (editor->history) {
    history_end(editor->history);
  }
  if (editor->line) {
    el_end(editor->line);
  }
  free(editor->text);
  free(editor);
}
