// SPDX-License-Identifier: MIT
/* Completion, in two walks over what the console offers: what do all candidates have in common, and which are they? */
#include <string.h>

#include "ports/serial/terminal_parts.h"

#define CANDIDATE_SIZE 512U

/* The word before the cursor. Blanks separate words but between quotes, which are no part of them. */
struct word {
  uint32_t first; /* byte of the line that it begins with, perhaps a quote */
  bool quoted;    /* a quote has been opened and not closed */
  uint32_t length;
  char text[LINE_MOST + 1];
};

struct candidates {
  struct terminal *terminal;
  const struct word *word;
  bool is_listing;
  uint32_t count;
  uint32_t common;            /* bytes that all of them begin with */
  char first[CANDIDATE_SIZE]; /* the first of them */
};

static void find_word(const struct line *line, struct word *word)
{
  word->first = 0;
  word->quoted = false;
  word->length = 0;
  for (uint32_t i = 0; i < line->cursor; i++) {
    if (line->text[i] == '"') {
      word->quoted = !word->quoted;
    } else if (line->text[i] == ' ' && !word->quoted) {
      word->first = i + 1;
      word->length = 0;
    } else {
      word->text[word->length++] = line->text[i];
    }
  }
}

/* Bytes of a candidate; 0: it is too long, or has what must not reach a terminal, as the name of a file may. */
static uint32_t measure(const char *text)
{
  uint32_t length = 0;
  for (; text[length] != '\0'; length++) {
    const unsigned char byte = (unsigned char)text[length];
    if (byte < ' ' || byte == 0x7F || byte == '"' || length + 1 == CANDIDATE_SIZE) {
      return 0;
    }
  }
  return length;
}

static void take(void *context, const char *text)
{
  struct candidates *candidates = context;
  const struct word *word = candidates->word;
  const uint32_t length = measure(text);
  uint32_t same = 0;
  if (length == 0 || length < word->length || memcmp(text, word->text, word->length) != 0) {
    return;
  }
  if (candidates->is_listing) {
    terminal_write_text(candidates->terminal, candidates->count > 0 ? "  " : "");
    terminal_write(candidates->terminal, text, length);
  } else if (candidates->count == 0) {
    memcpy(candidates->first, text, length + 1);
    candidates->common = length;
  } else {
    while (same < candidates->common && text[same] == candidates->first[same]) { /* both end with a NUL */
      same++;
    }
    candidates->common = same;
  }
  candidates->count++;
}

static void walk(struct candidates *candidates)
{
  struct line *line = &candidates->terminal->line;
  const char behind = line->text[line->cursor];
  line->text[line->cursor] = '\0';
  candidates->count = 0;
  console_complete(candidates->terminal->console, line->text, take, candidates);
  line->text[line->cursor] = behind;
}

/* What all have in common may end within a character. */
static uint32_t whole_characters(const struct candidates *candidates)
{
  uint32_t end = candidates->common;
  while (end > 0 && ((unsigned char)candidates->first[end] & 0xC0U) == 0x80U) {
    end--;
  }
  return end;
}

static bool has_blank(const char *text, uint32_t length)
{
  for (uint32_t i = 0; i < length; i++) {
    if (text[i] == ' ') {
      return true;
    }
  }
  return false;
}

static void list(struct candidates *candidates)
{
  candidates->terminal->is_shown = false;
  candidates->is_listing = true;
  terminal_write_text(candidates->terminal, "\n");
  walk(candidates);
  terminal_write_text(candidates->terminal, "\n");
}

/* Puts what all have in common into the line, between quotes if there is a blank in it. */
static bool insert(const struct candidates *candidates, uint32_t common)
{
  struct line *line = &candidates->terminal->line;
  const struct word *word = candidates->word;
  const char *text = candidates->first;
  const bool quotes = word->quoted || has_blank(text, common);
  const bool is_whole = candidates->count == 1 && text[common - 1] != '/';
  uint32_t from = word->length;
  if (quotes && !word->quoted) { /* what was typed has no quotes yet, or has closed them */
    line_remove(line, word->first, line->cursor);
    if (!line_insert(line, "\"", 1)) {
      return false;
    }
    from = 0;
  }
  return line_insert(line, text + from, common - from) &&
         (!is_whole || line_insert(line, quotes ? "\" " : " ", quotes ? 2 : 1));
}

void terminal_complete(struct terminal *terminal)
{
  struct word word;
  struct candidates candidates = {.terminal = terminal, .word = &word};
  find_word(&terminal->line, &word);
  walk(&candidates);
  const uint32_t common = candidates.count > 0 ? whole_characters(&candidates) : 0;
  if (candidates.count > 1 && common <= word.length) {
    list(&candidates);
    return;
  }
  if (candidates.count == 0 || !insert(&candidates, common)) {
    terminal_bell(terminal);
  }
  terminal_show(terminal);
}
