// SPDX-License-Identifier: MIT
#include "ports/serial/terminal.h"

#include <string.h>

#include "module/words.h"
#include "ports/serial/terminal_parts.h"

#define CANCEL 0x03U

/* ---- bytes typed ahead ---- */

static uint8_t last_ahead(const struct terminal *terminal)
{
  return terminal->ahead[(terminal->ahead_first + terminal->ahead_count - 1) % TERMINAL_AHEAD];
}

static void push(struct terminal *terminal, uint8_t byte)
{
  terminal->ahead[(terminal->ahead_first + terminal->ahead_count) % TERMINAL_AHEAD] = byte;
  terminal->ahead_count++;
  terminal->cancels += byte == CANCEL ? 1 : 0;
}

static uint8_t pop(struct terminal *terminal)
{
  const uint8_t byte = terminal->ahead[terminal->ahead_first];
  terminal->ahead_first = (terminal->ahead_first + 1) % TERMINAL_AHEAD;
  terminal->ahead_count--;
  terminal->cancels -= byte == CANCEL ? 1 : 0;
  return byte;
}

static bool ends_line(uint8_t byte)
{
  return byte == '\r' || byte == '\n' || byte == CANCEL;
}

/* A part of a line must not be executed: what there is of it goes, and so does the rest when it comes. */
static void drop_line(struct terminal *terminal)
{
  while (terminal->ahead_count > 0 && !ends_line(last_ahead(terminal))) {
    terminal->ahead_count--;
  }
  if (terminal->ahead_count == 0 && terminal->is_shown) { /* its beginning has been edited already */
    line_clear(&terminal->line);
    terminal_show(terminal);
  }
  terminal->is_dropping = true;
  terminal_bell(terminal);
}

void terminal_key(struct terminal *terminal, uint8_t byte)
{
  if (terminal->is_dropping) {
    terminal->is_dropping = !ends_line(byte);
    if (byte != CANCEL) {
      return;
    }
  }
  if (terminal->ahead_count == TERMINAL_AHEAD && byte == CANCEL) {
    terminal->ahead_count = 0; /* it gives up all that was typed before it, too */
    terminal->cancels = 0;
  } else if (terminal->ahead_count == TERMINAL_AHEAD) {
    drop_line(terminal);
    terminal->is_dropping = !ends_line(byte);
    return;
  }
  push(terminal, byte);
}

/* ---- the history ---- */

/* The line that is being typed is kept as the newest of the history while one looks at others. */
static void end_browsing(struct terminal *terminal)
{
  if (terminal->browsed > 0) {
    line_history_drop(&terminal->history);
    terminal->browsed = 0;
  }
}

static bool browse_older(struct terminal *terminal)
{
  if (terminal->browsed == 0) {
    line_history_add(&terminal->history, terminal->line.text);
  }
  const char *text = line_history_at(&terminal->history, terminal->browsed + 1);
  if (text) {
    terminal->browsed++;
    line_set(&terminal->line, text);
  } else if (terminal->browsed == 0) {
    line_history_drop(&terminal->history);
  }
  return text;
}

static bool browse_newer(struct terminal *terminal)
{
  if (terminal->browsed == 0) {
    return false;
  }
  terminal->browsed--;
  line_set(&terminal->line, line_history_at(&terminal->history, terminal->browsed));
  if (terminal->browsed == 0) {
    line_history_drop(&terminal->history);
  }
  return true;
}

static void remember(struct terminal *terminal)
{
  const char *text = terminal->line.text;
  const char *newest = line_history_at(&terminal->history, 0);
  while (*text == ' ') {
    text++;
  }
  if (*text != '\0' && !(newest && words_equal(newest, terminal->line.text))) {
    line_history_add(&terminal->history, terminal->line.text);
  }
}

/* ---- keys ---- */

static bool is_url(const struct line *line)
{
  for (uint32_t i = 0; i < line->cursor; i++) {
    if (words_begin(line->text + i, "://")) {
      return true;
    }
  }
  return false;
}

static void explain(struct terminal *terminal)
{
  struct line *line = &terminal->line;
  const char behind = line->text[line->cursor];
  terminal->is_shown = false;
  terminal_write_text(terminal, "?\n");
  line->text[line->cursor] = '\0';
  (void)console_explain(terminal->console, line->text); /* what nothing follows is answered by nothing */
  line->text[line->cursor] = behind;
}

static void type(struct terminal *terminal)
{
  const char *text = (const char *)terminal->keys.text;
  const uint32_t length = terminal->keys.length;
  if (text[0] == '?' && !is_url(&terminal->line)) {
    explain(terminal);
  } else if (line_insert(&terminal->line, text, length)) {
    terminal_show_inserted(terminal, text, length);
  } else {
    terminal_bell(terminal);
  }
}

static void give_up(struct terminal *terminal)
{
  end_browsing(terminal);
  terminal_leave(terminal, "^C");
  line_clear(&terminal->line);
}

static void enter(struct terminal *terminal)
{
  end_browsing(terminal);
  terminal_leave(terminal, "");
  remember(terminal);
  terminal->is_running = console_execute(terminal->console, terminal->line.text) == LB_MORE;
  line_clear(&terminal->line);
}

static void remove_part(struct terminal *terminal, uint32_t first, uint32_t end)
{
  if (first == end) {
    terminal_bell(terminal);
    return;
  }
  line_remove(&terminal->line, first, end);
  terminal_show(terminal);
}

static void move(struct terminal *terminal, uint32_t place)
{
  if (place != terminal->line.cursor) {
    terminal->line.cursor = place;
    terminal_show(terminal);
  }
}

static void browse(struct terminal *terminal, bool (*further)(struct terminal *terminal))
{
  if (further(terminal)) {
    terminal_show(terminal);
  } else {
    terminal_bell(terminal);
  }
}

/* Keys that change the line or move in it. */
static void edit(struct terminal *terminal, enum key key)
{
  struct line *line = &terminal->line;
  const uint32_t cursor = line->cursor;
  switch (key) {
  case KEY_BACKSPACE:
    remove_part(terminal, line_before(line, cursor), cursor);
    break;
  case KEY_DELETE:
    remove_part(terminal, cursor, line_behind(line, cursor));
    break;
  case KEY_KILL_LINE:
    remove_part(terminal, 0, line->length);
    break;
  case KEY_KILL_WORD:
    remove_part(terminal, line_word(line), cursor);
    break;
  case KEY_KILL_END:
    remove_part(terminal, cursor, line->length);
    break;
  case KEY_LEFT:
    move(terminal, line_before(line, cursor));
    break;
  case KEY_RIGHT:
    move(terminal, line_behind(line, cursor));
    break;
  case KEY_HOME:
    move(terminal, 0);
    break;
  case KEY_END:
    move(terminal, line->length);
    break;
  default: /* KEY_NONE */
    break;
  }
}

static void act(struct terminal *terminal, enum key key)
{
  switch (key) {
  case KEY_TEXT:
    type(terminal);
    break;
  case KEY_ENTER:
    enter(terminal);
    break;
  case KEY_CANCEL:
    give_up(terminal);
    break;
  case KEY_TAB:
    terminal_complete(terminal);
    break;
  case KEY_UP:
    browse(terminal, browse_older);
    break;
  case KEY_DOWN:
    browse(terminal, browse_newer);
    break;
  case KEY_CLEAR:
    terminal_clear(terminal);
    break;
  default:
    edit(terminal, key);
    break;
  }
}

/* ---- steps ---- */

static bool run(struct terminal *terminal)
{
  if (terminal->cancels > 0) {
    while (terminal->cancels > 0) { /* what was typed before it is given up, too */
      (void)pop(terminal);
    }
    terminal_write_text(terminal, "^C\n");
    console_cancel(terminal->console);
    terminal->is_running = false;
    return true;
  }
  terminal->is_running = console_poll(terminal->console) == LB_MORE;
  return !terminal->is_running || !console_is_waiting(terminal->console);
}

bool terminal_step(struct terminal *terminal)
{
  if (terminal->is_running) {
    return run(terminal);
  }
  if (terminal->console->module->reset_requested) {
    return false; /* what was typed is for nobody */
  }
  if (!terminal->is_shown) {
    terminal_show(terminal);
  }
  if (terminal->ahead_count > 0) {
    act(terminal, keys_take(&terminal->keys, pop(terminal)));
  }
  return terminal->is_running || terminal->ahead_count > 0 || !terminal->is_shown;
}

void terminal_start(struct terminal *terminal, struct console *console)
{
  memset(terminal, 0, sizeof *terminal);
  terminal->console = console;
  terminal->output_context = console->output_context;
  terminal->write = console->write;
  terminal->at_line_start = true;
  console->output_context = terminal;
  console->write = terminal_write_console;
}
