// SPDX-License-Identifier: MIT
/*
 * The map as a picture for documents, 800 units wide: a column from address 0 at the top, heights to scale, beside it
 * what is to be said. What is too low for its text is drawn higher, with a dashed edge. Patterns tell contents apart
 * where colours do not.
 */
#include <string.h>

#include "tool/flash_map.h"

#define WIDTH         800U
#define TOP           66U /* below the title */
#define COLUMN_LEFT   116U
#define COLUMN_WIDTH  220U
#define TEXT_LEFT     352U
#define RIGHT         780U
#define FLASH_HEIGHT  640U /* of all of the flash, if all were to scale */
#define LINE_HEIGHT   17U
#define PADDING       7U /* above and below the text of a region */
#define LEGEND_HEIGHT 62U
#define PATH_SHOWN    52U  /* characters of the title */
#define NOTE_COLUMNS  60U  /* characters beside the column */
#define ONE_LINE      32U  /* characters of a note beside a name */
#define LINE_COLUMNS  105U /* characters below the title */

static const struct {
  const char *name; /* of its class and pattern */
  const char *fill; /* the pattern's background */
  const char *marks;
  const char *meaning;
} contents[FLASH_CONTENTS] = {
    [FLASH_BLANK] = {"blank", "#ffffff", "", "blank"},
    [FLASH_DATA] = {"data", "#c9d8ea", "<circle cx=\"4\" cy=\"4\" r=\"1.1\" fill=\"#5b7ba3\"/>", "other data"},
    [FLASH_GOOD] = {"good", "#3f7d5b", "", "good"},
    [FLASH_BAD] = {"bad", "#f3d3cf",
                   "<path d=\"M0 0L8 8M8 0L0 8\" stroke=\"#a5281b\" stroke-width=\"1.4\" fill=\"none\"/>", "bad"},
    [FLASH_INTERRUPTED] = {"interrupted", "#f6dfa4",
                           "<path d=\"M-2 6L6 -2M2 10L10 2\" stroke=\"#8a5a00\" stroke-width=\"2\" fill=\"none\"/>",
                           "interrupted update"},
};

static const char style[] = "text{font-family:sans-serif;font-size:13px;fill:#1b1f23}"
                            ".title{font-size:19px;font-weight:bold}"
                            ".name{font-weight:bold;font-size:14px}"
                            ".faint{fill:#57606a}"
                            ".address{font-family:monospace;font-size:12px;fill:#57606a}"
                            ".badge{font-size:11px;font-weight:bold;fill:#ffffff}";

/* ---- text ---- */

/*
 * Writes text with what XML reserves escaped, and '?' for control characters and for what is no ASCII: file names and
 * labels may hold anything.
 */
static void put_text(FILE *stream, const char *text)
{
  for (; *text != '\0'; text++) {
    if (*text == '&') {
      fputs("&amp;", stream);
    } else if (*text == '<') {
      fputs("&lt;", stream);
    } else if (*text == '>') {
      fputs("&gt;", stream);
    } else {
      fputc(*text >= ' ' && *text <= '~' ? *text : '?', stream);
    }
  }
}

static void put_line(FILE *stream, uint32_t x, uint32_t y, const char *class, const char *text)
{
  fprintf(stream, "<text x=\"%u\" y=\"%u\" class=\"%s\">", x, y, class);
  put_text(stream, text);
  fputs("</text>\n", stream);
}

static uint32_t count_lines(const char *text, size_t width)
{
  uint32_t count = 0;
  for (; *text != '\0'; count++) {
    text = flash_map_next_line(text, flash_map_line(text, width));
  }
  return count;
}

/* Writes as many lines as the text needs, the first at `y`; returns where the next one goes. */
static uint32_t put_lines(FILE *stream, uint32_t x, uint32_t y, const char *text, size_t width)
{
  while (*text != '\0') {
    char line[FLASH_MAP_NOTE_SIZE];
    size_t length = flash_map_line(text, width);
    (void)snprintf(line, sizeof(line), "%.*s", (int)length, text);
    put_line(stream, x, y, "note", line);
    text = flash_map_next_line(text, length);
    y += LINE_HEIGHT;
  }
  return y;
}

/* ---- regions ---- */

/* Only one short note: it stands beside the name. */
static bool is_one_line(const struct flash_region *region)
{
  return region->notes[1][0] == '\0' && strlen(region->notes[0]) <= ONE_LINE && !region->boots && !region->selected;
}

static uint32_t line_count(const struct flash_region *region)
{
  uint32_t count = 1;
  for (uint32_t i = 0; i < FLASH_MAP_NOTES && !is_one_line(region); i++) {
    count += count_lines(region->notes[i], NOTE_COLUMNS);
  }
  return count;
}

static uint32_t scaled_height(const struct flash_map *map, const struct flash_region *region)
{
  return (uint32_t)((uint64_t)region->size * FLASH_HEIGHT / map->size);
}

static uint32_t text_height(const struct flash_region *region)
{
  return 2 * PADDING + LINE_HEIGHT * line_count(region);
}

static uint32_t height_of(const struct flash_map *map, const struct flash_region *region)
{
  uint32_t scaled = scaled_height(map, region);
  uint32_t least = text_height(region);
  return scaled > least ? scaled : least;
}

static void put_run(FILE *stream, uint32_t y, uint32_t height, enum flash_content content)
{
  if (content != FLASH_BLANK) {
    fprintf(stream, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"url(#%s)\"/>\n", COLUMN_LEFT, y,
            COLUMN_WIDTH, height, contents[content].name);
  }
}

/* What is in the region, from top to bottom: each unit of height stands for its part of the bytes. */
static void put_contents(FILE *stream, const struct flash_map *map, const struct flash_region *region, uint32_t y,
                         uint32_t height)
{
  uint32_t begin = 0;
  enum flash_content run = FLASH_BLANK;
  for (uint32_t i = 0; i <= height; i++) {
    uint32_t start = (uint32_t)((uint64_t)region->size * i / height);
    uint32_t end = (uint32_t)((uint64_t)region->size * (i + 1) / height);
    enum flash_content content = i < height ? flash_map_content(map, region, start, end - start) : FLASH_BLANK;
    if (i == height || content != run) {
      put_run(stream, y + begin, i - begin, run);
      begin = i;
      run = content;
    }
  }
}

static void put_badge(FILE *stream, uint32_t y, const char *text, const char *colour)
{
  uint32_t width = 88;
  fprintf(stream, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"18\" rx=\"9\" fill=\"%s\"/>\n", RIGHT - width, y,
          width, colour);
  fprintf(stream, "<text x=\"%u\" y=\"%u\" class=\"badge\" text-anchor=\"middle\">%s</text>\n", RIGHT - width / 2,
          y + 13, text);
}

static void put_words(FILE *stream, const struct flash_region *region, uint32_t y)
{
  uint32_t line = y + PADDING + 13;
  fprintf(stream, "<text x=\"%u\" y=\"%u\"><tspan class=\"name\">", TEXT_LEFT, line);
  put_text(stream, region->name);
  fprintf(stream, "</tspan><tspan dx=\"10\" class=\"faint\">%s</tspan>", region->size_text);
  if (is_one_line(region)) {
    fputs("<tspan dx=\"10\">", stream);
    put_text(stream, region->notes[0]);
    fputs("</tspan>", stream);
  }
  fputs("</text>\n", stream);
  line += LINE_HEIGHT;
  for (uint32_t i = 0; i < FLASH_MAP_NOTES && !is_one_line(region); i++) {
    line = put_lines(stream, TEXT_LEFT, line, region->notes[i], NOTE_COLUMNS);
  }
  if (region->boots) {
    put_badge(stream, y + PADDING - 2, "BOOTS", "#1b4d36");
  } else if (region->selected) {
    put_badge(stream, y + PADDING - 2, "SELECTED", "#a5281b");
  }
}

static void put_region(FILE *stream, const struct flash_map *map, const struct flash_region *region, uint32_t y)
{
  uint32_t height = height_of(map, region);
  bool is_to_scale = scaled_height(map, region) == height;
  put_contents(stream, map, region, y, height);
  fprintf(stream,
          "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"none\" stroke=\"#1b1f23\" "
          "stroke-width=\"1\"%s/>\n",
          COLUMN_LEFT, y, COLUMN_WIDTH, height, is_to_scale ? "" : " stroke-dasharray=\"4 3\"");
  fprintf(stream, "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" stroke=\"#d0d7de\"/>\n", COLUMN_LEFT + COLUMN_WIDTH, y,
          RIGHT, y);
  fprintf(stream, "<text x=\"%u\" y=\"%u\" class=\"address\" text-anchor=\"end\">0x%08x</text>\n", COLUMN_LEFT - 10,
          y + 11, region->offset);
  put_words(stream, region, y);
}

/* ---- the whole ---- */

static void put_definitions(FILE *stream)
{
  fprintf(stream, "<style>%s</style>\n<defs>\n", style);
  for (uint32_t i = 0; i < FLASH_CONTENTS; i++) {
    fprintf(stream,
            "<pattern id=\"%s\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
            "<rect width=\"8\" height=\"8\" fill=\"%s\"/>%s</pattern>\n",
            contents[i].name, contents[i].fill, contents[i].marks);
  }
  fputs("</defs>\n", stream);
}

static void put_titles(FILE *stream, const struct flash_map *map)
{
  const char *slash = strrchr(map->path, '/');
  const char *name = slash != NULL ? slash + 1 : map->path;
  char title[PATH_SHOWN + 32];
  char size[16];
  flash_map_size_text(map->size, size, sizeof(size));
  (void)snprintf(title, sizeof(title), "%.*s%s, %s", (int)PATH_SHOWN, name, strlen(name) > PATH_SHOWN ? "..." : "",
                 size);
  put_line(stream, 20, 36, "title", title);
  (void)put_lines(stream, 20, 60, map->conclusion, LINE_COLUMNS);
}

static void put_legend(FILE *stream, uint32_t y)
{
  static const uint32_t widths[FLASH_CONTENTS] = {
      [FLASH_BLANK] = 84, [FLASH_DATA] = 116, [FLASH_GOOD] = 84, [FLASH_BAD] = 76, [FLASH_INTERRUPTED] = 172};
  uint32_t x = COLUMN_LEFT;
  for (uint32_t i = FLASH_CONTENTS; i-- > 0;) {
    fprintf(stream, "<rect x=\"%u\" y=\"%u\" width=\"22\" height=\"14\" fill=\"url(#%s)\" stroke=\"#1b1f23\"/>\n", x, y,
            contents[i].name);
    put_line(stream, x + 30, y + 12, "note", contents[i].meaning);
    x += widths[i];
  }
  fprintf(stream,
          "<rect x=\"%u\" y=\"%u\" width=\"22\" height=\"14\" fill=\"none\" stroke=\"#1b1f23\" "
          "stroke-dasharray=\"4 3\"/>\n",
          COLUMN_LEFT, y + 24);
  put_line(stream, COLUMN_LEFT + 30, y + 36, "note", "dashed: smaller than drawn; all others are to scale");
}

void flash_map_svg(const struct flash_map *map, FILE *stream)
{
  uint32_t top = TOP + LINE_HEIGHT * count_lines(map->conclusion, LINE_COLUMNS);
  uint32_t height = top;
  for (uint32_t i = 0; i < map->count; i++) {
    height += height_of(map, &map->regions[i]);
  }
  uint32_t total = height + LEGEND_HEIGHT + 20;
  fprintf(stream,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" role=\"img\">\n",
          WIDTH, total, WIDTH, total);
  fputs("<title>Flash map of ", stream);
  put_text(stream, map->path);
  fputs("</title>\n", stream);
  put_definitions(stream);
  fprintf(stream, "<rect width=\"%u\" height=\"%u\" fill=\"#ffffff\"/>\n", WIDTH, total);
  put_titles(stream, map);
  uint32_t y = top;
  for (uint32_t i = 0; i < map->count; i++) {
    put_region(stream, map, &map->regions[i], y);
    y += height_of(map, &map->regions[i]);
  }
  put_legend(stream, y + 20);
  fputs("</svg>\n", stream);
}
