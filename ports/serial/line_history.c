// SPDX-License-Identifier: MIT
#include "ports/serial/line_history.h"

#include <stddef.h>
#include <string.h>

/* Bytes of the line at a place, with its NUL. */
static uint32_t size_at(const struct line_history *history, uint32_t place)
{
  uint32_t end = place;
  while (history->bytes[end] != '\0') {
    end++;
  }
  return end - place + 1;
}

static void forget_oldest(struct line_history *history)
{
  const uint32_t size = size_at(history, 0);
  history->used -= size;
  history->count--;
  memmove(history->bytes, history->bytes + size, history->used);
}

/* Where the line of that number begins, counted from the oldest. */
static uint32_t place_of(const struct line_history *history, uint32_t number)
{
  uint32_t place = 0;
  for (uint32_t i = 0; i < number; i++) {
    place += size_at(history, place);
  }
  return place;
}

void line_history_add(struct line_history *history, const char *text)
{
  uint32_t size = 0;
  while (size < LINE_HISTORY_SIZE && text[size] != '\0') {
    size++;
  }
  size++;
  if (size > LINE_HISTORY_SIZE) {
    return;
  }
  while (size > LINE_HISTORY_SIZE - history->used) {
    forget_oldest(history);
  }
  memcpy(history->bytes + history->used, text, size);
  history->used += size;
  history->count++;
}

void line_history_drop(struct line_history *history)
{
  if (history->count > 0) {
    history->count--;
    history->used = place_of(history, history->count);
  }
}

const char *line_history_at(const struct line_history *history, uint32_t back)
{
  return back < history->count ? history->bytes + place_of(history, history->count - 1 - back) : NULL;
}
