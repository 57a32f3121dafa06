// SPDX-License-Identifier: MIT
/*
 * The map on a terminal: addresses, a grid of cells read like a page, and a legend beside it. Every cell stands for
 * the same number of bytes, so areas are to scale; a place smaller than a cell gets a whole one and a mark.
 */
#include <string.h>

#include "tool/flash_map.h"

#define ROWS_LEAST   16U /* that the flash is divided into */
#define ROWS_MOST    64U
#define SLOT_ROWS    4U  /* wanted for the smallest app slot: its name and its notes */
#define TEXT_LEAST   28U /* columns beside the grid */
#define LEFT_COLUMNS 13U /* " 0x00010000 ~" */
#define LINES_MAX    12U /* beside a region */
#define LINE_SIZE    512U
#define CELLS_MOST   128U

/* What a cell looks like, and what the legend says to it. */
static const struct {
  const char *unicode;
  const char *ascii;
  const char *colour;
  const char *meaning;
} contents[FLASH_CONTENTS] = {
    [FLASH_BLANK] = {"·", ".", "\x1b[2m", "blank"},
    [FLASH_DATA] = {"▒", "+", "\x1b[34m", "other data"},
    [FLASH_GOOD] = {"█", "#", "\x1b[32m", "good"},
    [FLASH_BAD] = {"╳", "X", "\x1b[31m", "bad"},
    [FLASH_INTERRUPTED] = {"▞", "%", "\x1b[33m", "interrupted update"},
};

/* The frame: its parts in Unicode and in ASCII. */
enum frame {
  FRAME_SIDE,
  FRAME_TOP_LEFT,
  FRAME_TOP_RIGHT,
  FRAME_LEFT,
  FRAME_RIGHT,
  FRAME_LOW_LEFT,
  FRAME_LOW_RIGHT,
  FRAME_LINE
};
static const char *const frames[][2] = {
    [FRAME_SIDE] = {"│", "|"},      [FRAME_TOP_LEFT] = {"┌", "+"}, [FRAME_TOP_RIGHT] = {"┐", "+"},
    [FRAME_LEFT] = {"├", "+"},      [FRAME_RIGHT] = {"┤", "+"},    [FRAME_LOW_LEFT] = {"└", "+"},
    [FRAME_LOW_RIGHT] = {"┘", "+"}, [FRAME_LINE] = {"─", "-"},
};

struct drawing {
  const struct flash_map *map;
  const struct terminal_style *style;
  uint32_t cells;     /* in a row */
  uint32_t cell_size; /* bytes */
  uint32_t columns;   /* for the text beside */
  bool seen[FLASH_CONTENTS];
  bool has_small;
};

/* The text beside a region: at most `columns` wide, so many lines as it needs. */
struct lines {
  uint32_t count;
  char lines[LINES_MAX][LINE_SIZE];
};

/* ---- pieces ---- */

static void put_frame(const struct drawing *drawing, enum frame part)
{
  fputs(frames[part][drawing->style->unicode ? 0 : 1], stdout);
}

static void put_coloured(const struct drawing *drawing, const char *colour, const char *text)
{
  if (drawing->style->colour) {
    printf("%s%s\x1b[0m", colour, text);
  } else {
    fputs(text, stdout);
  }
}

static void put_content(const struct drawing *drawing, enum flash_content content)
{
  put_coloured(drawing, contents[content].colour,
               drawing->style->unicode ? contents[content].unicode : contents[content].ascii);
}

static void put_border(const struct drawing *drawing, enum frame left, enum frame right)
{
  printf("%*s", (int)LEFT_COLUMNS, "");
  put_frame(drawing, left);
  for (uint32_t i = 0; i < drawing->cells; i++) {
    put_frame(drawing, FRAME_LINE);
  }
  put_frame(drawing, right);
  putchar('\n');
}

/* ---- text beside ---- */

static void add_text(const struct drawing *drawing, struct lines *lines, const char *text)
{
  size_t width = drawing->columns < LINE_SIZE ? drawing->columns : LINE_SIZE - 1;
  while (*text != '\0' && lines->count < LINES_MAX) {
    size_t length = flash_map_line(text, width);
    (void)snprintf(lines->lines[lines->count++], LINE_SIZE, "%.*s", (int)length, text);
    text = flash_map_next_line(text, length);
  }
}

static const char *marker(const struct flash_region *region)
{
  return region->boots ? "BOOTS" : region->selected ? "SELECTED" : "";
}

static uint32_t rows_of(const struct drawing *drawing, const struct flash_region *region)
{
  uint64_t cells = ((uint64_t)region->size + drawing->cell_size - 1) / drawing->cell_size;
  return (uint32_t)((cells + drawing->cells - 1) / drawing->cells);
}

/* A place of one row has its first note beside its name if there is room; another one has a line for each. */
static void describe(const struct drawing *drawing, const struct flash_region *region, struct lines *lines)
{
  char head[LINE_SIZE];
  lines->count = 0;
  if (rows_of(drawing, region) == 1 && region->notes[1][0] == '\0' && marker(region)[0] == '\0') {
    (void)snprintf(head, sizeof(head), "%-10s %7s  %s", region->name, region->size_text, region->notes[0]);
    if (strlen(head) > drawing->columns) {
      (void)snprintf(head, sizeof(head), "%-10s %7s", region->name, region->size_text);
      add_text(drawing, lines, head);
      add_text(drawing, lines, region->notes[0]);
    } else {
      add_text(drawing, lines, head);
    }
    return;
  }
  (void)snprintf(head, sizeof(head), "%-10s %7s%s%s", region->name, region->size_text,
                 marker(region)[0] != '\0' ? "  " : "", marker(region));
  add_text(drawing, lines, head);
  for (uint32_t i = 0; i < FLASH_MAP_NOTES; i++) {
    add_text(drawing, lines, region->notes[i]);
  }
}

static void put_line(const struct drawing *drawing, const struct flash_region *region, const char *line, bool is_head)
{
  const char *mark = is_head ? marker(region) : "";
  const char *found = mark[0] != '\0' ? strstr(line + strlen(region->name), mark) : NULL;
  putchar(' ');
  if (found == NULL) {
    puts(line);
    return;
  }
  printf("%.*s", (int)(found - line), line);
  put_coloured(drawing, region->boots ? "\x1b[1;7;32m" : "\x1b[1;7;31m", mark);
  puts(found + strlen(mark));
}

/* ---- regions ---- */

static void put_cells(struct drawing *drawing, const struct flash_region *region, uint32_t row)
{
  for (uint32_t i = 0; i < drawing->cells; i++) {
    uint64_t start = ((uint64_t)row * drawing->cells + i) * drawing->cell_size;
    if (start >= region->size) {
      putchar(' ');
      continue;
    }
    enum flash_content content = flash_map_content(drawing->map, region, (uint32_t)start, drawing->cell_size);
    drawing->seen[content] = true;
    put_content(drawing, content);
  }
}

static void put_region(struct drawing *drawing, const struct flash_region *region)
{
  struct lines lines;
  uint32_t rows = rows_of(drawing, region);
  bool is_small = region->size < drawing->cell_size;
  describe(drawing, region, &lines);
  drawing->has_small = drawing->has_small || is_small;
  for (uint32_t row = 0; row < rows || row < lines.count; row++) {
    uint64_t address = region->offset + (uint64_t)row * drawing->cells * drawing->cell_size;
    if (row < rows) {
      printf(" 0x%08x %c", (uint32_t)address, is_small ? '~' : ' ');
    } else {
      printf("%*s", (int)LEFT_COLUMNS, "");
    }
    put_frame(drawing, FRAME_SIDE);
    put_cells(drawing, region, row);
    put_frame(drawing, FRAME_SIDE);
    if (row < lines.count) {
      put_line(drawing, region, lines.lines[row], row == 0);
    } else {
      putchar('\n');
    }
  }
}

/* ---- the whole ---- */

/* The flash in 16 rows, or in more if the smallest app slot had too few for what is said about it. */
static uint32_t choose_rows(const struct flash_map *map)
{
  uint32_t rows = ROWS_LEAST;
  for (uint32_t i = 0; i < map->count; i++) {
    const struct flash_region *region = &map->regions[i];
    bool is_slot = region->is_partition && region->size >= map->size / ROWS_MOST && region->notes[1][0] != '\0';
    while (is_slot && rows < ROWS_MOST && region->size / (map->size / rows) < SLOT_ROWS) {
      rows *= 2;
    }
  }
  return rows;
}

static void put_legend(const struct drawing *drawing)
{
  putchar('\n');
  for (uint32_t i = FLASH_CONTENTS; i-- > 0;) {
    if (drawing->seen[i]) {
      putchar(' ');
      put_content(drawing, (enum flash_content)i);
      printf(" %s  ", contents[i].meaning);
    }
  }
  puts(drawing->has_small ? " ~ smaller than its cell" : "");
}

static void put_titles(const struct drawing *drawing)
{
  const struct flash_map *map = drawing->map;
  const char *conclusion = map->conclusion;
  char row[16];
  char cell[16];
  char size[16];
  flash_map_size_text(map->size, size, sizeof(size));
  flash_map_size_text(drawing->cell_size * drawing->cells, row, sizeof(row));
  flash_map_size_text(drawing->cell_size, cell, sizeof(cell));
  printf("Flash: %s, %s; a row is %s, a cell %s\n", map->path, size, row, cell);
  while (*conclusion != '\0') {
    size_t length = flash_map_line(conclusion, drawing->style->width - 1);
    printf("%.*s\n", (int)length, conclusion);
    conclusion = flash_map_next_line(conclusion, length);
  }
  putchar('\n');
}

void flash_map_text(const struct flash_map *map, const struct terminal_style *style)
{
  struct drawing drawing = {.map = map, .style = style, .cells = 8};
  uint32_t room = style->width > LEFT_COLUMNS + TEXT_LEAST + 3 ? style->width - LEFT_COLUMNS - TEXT_LEAST - 3 : 0;
  while (drawing.cells * 2 <= room && drawing.cells < CELLS_MOST) {
    drawing.cells *= 2;
  }
  drawing.columns =
      style->width > LEFT_COLUMNS + drawing.cells + 3 ? style->width - LEFT_COLUMNS - drawing.cells - 3 : 1;
  drawing.cell_size = map->size / choose_rows(map) / drawing.cells;
  put_titles(&drawing);
  put_border(&drawing, FRAME_TOP_LEFT, FRAME_TOP_RIGHT);
  for (uint32_t i = 0; i < map->count; i++) {
    const struct flash_region *region = &map->regions[i];
    bool is_tall = rows_of(&drawing, region) > 1;
    bool was_tall = i > 0 && rows_of(&drawing, region - 1) > 1;
    if (i > 0 && (is_tall || was_tall)) {
      put_border(&drawing, FRAME_LEFT, FRAME_RIGHT);
    }
    put_region(&drawing, region);
  }
  put_border(&drawing, FRAME_LOW_LEFT, FRAME_LOW_RIGHT);
  put_legend(&drawing);
}
