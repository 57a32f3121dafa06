// SPDX-License-Identifier: MIT
/* The screen: one line of it has the prompt and as much of the line as fits, scrolled so that the cursor is seen. */
#include "module/print.h"
#include "ports/serial/terminal_parts.h"

#define PROMPT_COLUMNS ((uint32_t)(sizeof CONSOLE_PROMPT - 1))
#define LINE_COLUMNS   (TERMINAL_COLUMNS - PROMPT_COLUMNS - 1U) /* the last one makes some terminals wrap */
#define ERASE_REST     "\033[K"
#define ERASE_SCREEN   "\033[H\033[2J"

static void put(struct terminal *terminal, const char *text, size_t length)
{
  if (length > 0) {
    terminal->write(terminal->output_context, text, length);
  }
}

static void put_text(struct terminal *terminal, const char *text)
{
  size_t length = 0;
  while (text[length] != '\0') {
    length++;
  }
  put(terminal, text, length);
}

void terminal_write(struct terminal *terminal, const char *text, size_t length)
{
  size_t from = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\n') {
      put(terminal, text + from, i - from);
      put_text(terminal, "\r\n");
      from = i + 1;
    }
  }
  put(terminal, text + from, length - from);
  if (length > 0) {
    terminal->at_line_start = from == length;
  }
}

void terminal_write_text(struct terminal *terminal, const char *text)
{
  size_t length = 0;
  while (text[length] != '\0') {
    length++;
  }
  terminal_write(terminal, text, length);
}

void terminal_write_console(void *context, const char *text, size_t length)
{
  struct terminal *terminal = context;
  if (terminal->is_shown) {
    terminal_hide(terminal);
  }
  terminal_write(terminal, text, length);
}

void terminal_bell(struct terminal *terminal)
{
  put_text(terminal, "\a");
}

/* Goes over `columns` characters from `place` on. */
static uint32_t skip(const struct line *line, uint32_t place, uint32_t columns)
{
  while (columns > 0 && place < line->length) {
    place = line_behind(line, place);
    columns--;
  }
  return place;
}

void terminal_show(struct terminal *terminal)
{
  const struct line *line = &terminal->line;
  const uint32_t before = line_columns(line, 0, line->cursor);
  const uint32_t hidden = before > LINE_COLUMNS ? before - LINE_COLUMNS : 0;
  const uint32_t first = skip(line, 0, hidden);
  const uint32_t end = skip(line, first, LINE_COLUMNS);
  if (!terminal->is_shown && !terminal->at_line_start) {
    put_text(terminal, "\r\n");
  }
  put_text(terminal, "\r" CONSOLE_PROMPT);
  put(terminal, line->text + first, end - first);
  put_text(terminal, ERASE_REST);
  if (line->cursor < end) {
    char move[24];
    print_text(move, sizeof move, "\r\033[%uC", (unsigned)(PROMPT_COLUMNS + before - hidden));
    put_text(terminal, move);
  }
  terminal->is_shown = true;
  terminal->is_scrolled = first > 0 || end < line->length;
}

void terminal_show_inserted(struct terminal *terminal, const char *text, uint32_t length)
{
  const struct line *line = &terminal->line;
  if (line->cursor < line->length || line_columns(line, 0, line->length) > LINE_COLUMNS) {
    terminal_show(terminal);
  } else {
    put(terminal, text, length);
  }
}

void terminal_hide(struct terminal *terminal)
{
  put_text(terminal, "\r" ERASE_REST);
  terminal->is_shown = false;
  terminal->at_line_start = true;
}

void terminal_leave(struct terminal *terminal, const char *mark)
{
  struct line *line = &terminal->line;
  if (terminal->is_scrolled) {
    put_text(terminal, "\r" CONSOLE_PROMPT);
    put(terminal, line->text, line->length);
    put_text(terminal, ERASE_REST);
  } else if (line->cursor < line->length) {
    line->cursor = line->length;
    terminal_show(terminal);
  }
  terminal->is_shown = false;
  terminal->is_scrolled = false;
  terminal_write_text(terminal, mark);
  terminal_write_text(terminal, "\n");
}

void terminal_clear(struct terminal *terminal)
{
  put_text(terminal, ERASE_SCREEN);
  terminal->is_shown = false;
  terminal->at_line_start = true;
}
