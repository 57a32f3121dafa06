// SPDX-License-Identifier: MIT
/* The line editor for a bare UART: keys in, and what a person would see on a small model of a terminal. */
#include "module/print.h"
#include "ports/serial/terminal.h"
#include "tests/unit/support/unit.h"
#include "tests/unit/support/world.h"

#define ROWS    40U
#define COLUMNS 80U
#define STEPS   100000U

/* ---- a terminal ---- */

struct screen {
  char cells[ROWS][COLUMNS][5]; /* a character of UTF-8 each; "" is a blank */
  uint32_t row;
  uint32_t column; /* COLUMNS: the next character goes to the next row */
  uint32_t bells;
  char partial[32]; /* an escape sequence or character that is not complete */
  uint32_t partial_length;
};

static void feed_line(struct screen *screen)
{
  if (screen->row + 1 < ROWS) {
    screen->row++;
    return;
  }
  memmove(screen->cells[0], screen->cells[1], sizeof(screen->cells) - sizeof(screen->cells[0]));
  memset(screen->cells[ROWS - 1], 0, sizeof(screen->cells[0]));
}

static void put_character(struct screen *screen, const char *text)
{
  if (screen->column == COLUMNS) {
    screen->column = 0;
    feed_line(screen);
  }
  memcpy(screen->cells[screen->row][screen->column], text, strlen(text) + 1);
  screen->column++;
}

/* Of all that terminals know, what the editor uses. Anything else fails the test. */
static void do_sequence(struct screen *screen, const char *sequence)
{
  unsigned count = 0;
  char end = '\0';

  if (strcmp(sequence, "\033[K") == 0) {
    for (uint32_t i = screen->column; i < COLUMNS; i++) {
      screen->cells[screen->row][i][0] = '\0';
    }
  } else if (strcmp(sequence, "\033[2J") == 0) {
    memset(screen->cells, 0, sizeof(screen->cells));
  } else if (strcmp(sequence, "\033[H") == 0) {
    screen->row = 0;
    screen->column = 0;
  } else if (sscanf(sequence, "\033[%u%c", &count, &end) == 2 && end == 'C') {
    assert_in_range(count, 1, COLUMNS - 1 - screen->column);
    screen->column += count;
  } else {
    fail_here("sequence %s", sequence + 1);
  }
}

static void take_escape(struct screen *screen, char byte)
{
  assert_true(screen->partial_length + 2 < sizeof(screen->partial));
  screen->partial[screen->partial_length++] = byte;
  screen->partial[screen->partial_length] = '\0';
  if (screen->partial_length > 2 && byte >= '@') {
    screen->partial_length = 0;
    do_sequence(screen, screen->partial);
  }
}

static void take_utf8(struct screen *screen, char byte)
{
  unsigned char first = (unsigned char)(screen->partial_length > 0 ? screen->partial[0] : byte);
  uint32_t need = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

  assert_true(first < 0x7F || (first >= 0xC2 && first < 0xF5));
  assert_true(screen->partial_length == 0 || ((unsigned char)byte & 0xC0U) == 0x80U);
  screen->partial[screen->partial_length++] = byte;
  screen->partial[screen->partial_length] = '\0';
  if (screen->partial_length == need) {
    screen->partial_length = 0;
    put_character(screen, screen->partial);
  }
}

static void take_byte(struct screen *screen, char byte)
{
  if (screen->partial_length > 0 && screen->partial[0] == '\033') {
    take_escape(screen, byte);
  } else if (byte == '\033') {
    take_escape(screen, byte);
  } else if (byte == '\r') {
    screen->column = 0;
  } else if (byte == '\n') {
    feed_line(screen);
  } else if (byte == '\a') {
    screen->bells++;
  } else {
    assert_true((unsigned char)byte >= ' ');
    take_utf8(screen, byte);
  }
}

static void write_screen(void *context, const char *text, size_t length)
{
  for (size_t i = 0; i < length; i++) {
    take_byte(context, text[i]);
  }
}

/* A row without the blanks at its end. */
static const char *row_text(const struct screen *screen, uint32_t row)
{
  static char text[COLUMNS * 4 + 1];
  size_t length = 0;

  for (uint32_t i = 0; i < COLUMNS; i++) {
    const char *cell = screen->cells[row][i][0] != '\0' ? screen->cells[row][i] : " ";

    memcpy(text + length, cell, strlen(cell));
    length += strlen(cell);
  }
  while (length > 0 && text[length - 1] == ' ') {
    length--;
  }
  text[length] = '\0';
  return text;
}

/* ---- a module with that terminal ---- */

struct desk {
  struct world world;
  struct console console;
  struct terminal terminal;
  struct screen screen;
};

static struct {
  char text[CONSOLE_LINE_SIZE]; /* the arguments of the last `note` */
  uint32_t count;
  uint32_t steps; /* that `work` still takes */
  bool cancelled;
  bool waits;
} noted;

static int note(struct console *console, int argc, char **argv)
{
  size_t length = 0;

  noted.text[0] = '\0';
  for (int i = 0; i < argc; i++) {
    length += (size_t)snprintf(noted.text + length, sizeof(noted.text) - length, "%s%s", i > 0 ? "|" : "", argv[i]);
  }
  noted.count++;
  console_print(console, "noted\n");
  return LB_OK;
}

static int work_step(struct console *console)
{
  if (noted.steps == 0) {
    console_print(console, "worked");
    return LB_OK;
  }
  noted.steps--;
  console->job.waiting = noted.waits;
  return LB_MORE;
}

static void work_cancel(struct console *console)
{
  noted.cancelled = true;
  console_tell_cancelled(console);
}

static int work(struct console *console, int argc, char **argv)
{
  (void)argc;
  (void)argv;
  console_print(console, "working\n");
  console->job.step = work_step;
  console->job.cancel = work_cancel;
  return LB_MORE;
}

static const struct command own[] = {
    {{"note"}, "[TEXT]", "note it", 0, 4, {COMMAND_FILE, COMMAND_FILE, COMMAND_FILE, COMMAND_FILE}, note},
    {{"work"}, "", "work", 0, 0, {COMMAND_NOTHING}, work},
};

static const char *const files[] = {"a file.bin",
                                    "ovms3.bin",
                                    "ovms3.old",
                                    "stra\xC3\x9F"
                                    "e1",
                                    "stra\xC3\x9C"
                                    "e2",
                                    "bad\033[2Jname",
                                    "bad\nname"};

static int list_files(void *context, const char *path,
                      void (*entry)(void *entry_context, const char *name, const struct port_file_info *info),
                      void *entry_context)
{
  struct port_file_info directory = {.is_directory = true};
  struct port_file_info file = {.size = 5};

  (void)context;
  if (strcmp(path, "/") == 0) {
    entry(entry_context, "sd", &directory);
    return LB_OK;
  }
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
    entry(entry_context, files[i], &file);
  }
  return LB_OK;
}

static struct desk *open_desk(void)
{
  struct desk *desk = unit_allocate(sizeof(*desk));

  memset(&noted, 0, sizeof(noted));
  memset(&desk->screen, 0, sizeof(desk->screen));
  world_open(&desk->world, true);
  world_put_image(&desk->world, 0x10000, 2048, 1);
  desk->world.files.list = list_files;
  desk->world.port.commands = own;
  desk->world.port.command_count = sizeof(own) / sizeof(own[0]);
  world_boot(&desk->world, "factory");
  console_start(&desk->console, &desk->world.module, &desk->screen, write_screen);
  terminal_start(&desk->terminal, &desk->console);
  return desk;
}

static void close_desk(struct desk *desk)
{
  world_close(&desk->world);
  free(desk);
}

static void settle(struct desk *desk)
{
  uint32_t steps = 0;

  while (terminal_step(&desk->terminal)) {
    assert_true(steps++ < STEPS);
  }
}

static void press(struct desk *desk, const char *bytes, size_t length)
{
  for (size_t i = 0; i < length; i++) {
    terminal_key(&desk->terminal, (uint8_t)bytes[i]);
  }
}

/* Types it all at once and lets the terminal do what there is to do. */
static void type(struct desk *desk, const char *text)
{
  press(desk, text, strlen(text));
  settle(desk);
}

static void assert_row(const struct desk *desk, uint32_t row, const char *expected)
{
  assert_true(row < ROWS);
  assert_string_equal(row_text(&desk->screen, row), expected);
}

/* What is on the row of the cursor, and where the cursor is. */
static void assert_prompt(const struct desk *desk, const char *line, uint32_t column)
{
  char expected[COLUMNS * 4];

  snprintf(expected, sizeof(expected), "OVMS# %s", line);
  for (size_t length = strlen(expected); length > 0 && expected[length - 1] == ' '; length--) {
    expected[length - 1] = '\0';
  }
  assert_row(desk, desk->screen.row, expected);
  assert_int_equal(desk->screen.column, 6 + column);
  assert_int_equal(desk->screen.partial_length, 0);
}

static void assert_noted(struct desk *desk, const char *arguments)
{
  assert_int_equal(noted.count, 1);
  assert_string_equal(noted.text, arguments);
  noted.count = 0;
  assert_prompt(desk, "", 0);
}

static void test_lines(void **state)
{
  static const char *const ends[] = {"\r", "\n", "\r\n"};
  struct desk *desk = open_desk();

  (void)state;
  settle(desk);
  assert_prompt(desk, "", 0);
  assert_int_equal(desk->screen.row, 0);
  type(desk, "note on");
  assert_prompt(desk, "note on", 7);
  type(desk, "e\r");
  assert_row(desk, 0, "OVMS# note one");
  assert_row(desk, 1, "noted");
  assert_int_equal(desk->screen.row, 2);
  assert_noted(desk, "one");
  for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
    char line[32];
    uint32_t row = desk->screen.row;

    snprintf(line, sizeof(line), "note %u%s", (unsigned)i, ends[i]);
    type(desk, line);
    assert_int_equal(desk->screen.row, row + 2);
    assert_noted(desk, line[5] == '0' ? "0" : line[5] == '1' ? "1" : "2");
  }
  type(desk, "\r\n\n"); /* two empty ones */
  assert_row(desk, 8, "OVMS#");
  assert_row(desk, 9, "OVMS#");
  assert_int_equal(desk->screen.row, 10);
  type(desk, "nonsense\r");
  assert_row(desk, 11, "Error: nonsense: there is no such command - see `help` (ESP_ERR_INVALID_ARG, 258");
  assert_prompt(desk, "", 0);
  close_desk(desk);
}

static void test_several_lines_at_once(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "note 1\rnote 2\r\nnote 3\nnote 4");
  assert_int_equal(noted.count, 3);
  assert_string_equal(noted.text, "3");
  assert_row(desk, 0, "OVMS# note 1");
  assert_row(desk, 2, "OVMS# note 2");
  assert_row(desk, 4, "OVMS# note 3");
  assert_prompt(desk, "note 4", 6);
  assert_int_equal(desk->screen.row, 6);
  close_desk(desk);
}

/* ---- editing ---- */

#define UP    "\033[A"
#define DOWN  "\033[B"
#define RIGHT "\033[C"
#define LEFT  "\033[D"

static void test_keys(void **state)
{
  static const struct {
    const char *keys;
    const char *line;
    uint32_t column;
  } cases[] = {
      {"abc", "abc", 3},
      {"abc\b", "ab", 2},
      {"abc\177\177x", "ax", 2},
      {"\b\177", "", 0},
      {"abc" LEFT LEFT "X", "aXbc", 2},
      {"abc\033OD\033OD\033OCX", "abXc", 3},
      {"abc" LEFT "\177", "ac", 1},
      {"abc\001X", "Xabc", 1},
      {"abc\001\005X", "abcX", 4},
      {"abc\033[HX\033[FY", "XabcY", 5},
      {"abc\033OHX\033OFY", "XabcY", 5},
      {"abc\033[1~X\033[4~Y", "XabcY", 5},
      {"abc\033[7~X\033[8~Y", "XabcY", 5},
      {"abc\001\033[3~", "bc", 0},
      {"abc\033[3~", "abc", 3},
      {"abc\002\002\004", "ac", 1},
      {"abc\001\006X", "aXbc", 2},
      {"abc\025", "", 0},
      {"abc" LEFT "\025x", "x", 1},
      {"one two  \027", "one", 4},
      {"one two" LEFT "\027", "one o", 4},
      {"one\027\027", "", 0},
      {"one two\001\006\006\006\013", "one", 3},
      {RIGHT LEFT "a" RIGHT "b", "ab", 2},
      {"abc\033[1;5DX", "abXc", 3}, /* Ctrl and an arrow */
      {"abc\033[999999999999999999~X", "abcX", 4},
      {"abc\033[5~\033[200~X\033[24~", "abcX", 4},
      {"ab\033xc", "abxc", 4}, /* Alt is not known */
      {"ab\033\033[Dc", "acb", 2},
      {"ab\033[1\001c", "cab", 1}, /* a sequence that is cut off */
      {"ab\033O\001c", "cab", 1},
      {"a"
       "\xC3\xA4"
       "b" LEFT LEFT "x",
       "ax"
       "\xC3\xA4"
       "b",
       2},
      {"\xE2\x82\xAC"
       "\xF0\x9F\x98\x80"
       "\b\b"
       "x",
       "x", 1},
      {"\xE2\x82\xAC"
       "1" LEFT LEFT "\033[3~",
       "1", 0},
      {"a\xC3"
       "b",
       "ab", 2}, /* no UTF-8: cut off, without beginning, too long, a surrogate, beyond Unicode */
      {"a\xA4\xBF"
       "b",
       "ab", 2},
      {"a\xC0\xAF\xE0\x80\xAF\xF0\x80\x80\xAF"
       "b",
       "ab", 2},
      {"a\xED\xA0\x80\xF4\x90\x80\x80\xF5\xFF"
       "b",
       "ab", 2},
      {"a\xC2\x9B"
       "2Jb",
       "a2Jb", 4}, /* a control character beyond ASCII */
      {"a\xE2\x82\033[Db", "ba", 1},
      {"a\016b\035\036\037\034\023\021c", "abc", 3},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct desk *desk = open_desk();

    type(desk, cases[i].keys);
    assert_prompt(desk, cases[i].line, cases[i].column);
    assert_int_equal(desk->screen.row, 0);
    close_desk(desk);
  }
}

static void test_bells(void **state)
{
  static const char *const silly[] = {"\b", "\033[3~", "\025", "\027", "\013", UP, DOWN};
  struct desk *desk = open_desk();

  (void)state;
  settle(desk);
  for (size_t i = 0; i < sizeof(silly) / sizeof(silly[0]); i++) {
    type(desk, silly[i]);
    assert_int_equal(desk->screen.bells, i + 1);
  }
  assert_prompt(desk, "", 0);
  close_desk(desk);
}

static void test_cursor_at_enter(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "note one" LEFT LEFT LEFT "\r");
  assert_row(desk, 0, "OVMS# note one");
  assert_row(desk, 1, "noted");
  assert_noted(desk, "one");
  close_desk(desk);
}

static void test_give_up(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "note one" LEFT "\003");
  assert_row(desk, 0, "OVMS# note one^C");
  assert_prompt(desk, "", 0);
  assert_int_equal(desk->screen.row, 1);
  type(desk, "note two\r");
  assert_noted(desk, "two");
  type(desk, UP);
  assert_prompt(desk, "note two", 8); /* what was given up is not remembered */
  close_desk(desk);
}

static void test_clear_screen(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "note one\rnote tw" LEFT "\014");
  assert_int_equal(desk->screen.row, 0);
  assert_prompt(desk, "note tw", 6);
  assert_row(desk, 1, "");
  close_desk(desk);
}

/* ---- long lines ---- */

static void test_long_line(void **state)
{
  struct desk *desk = open_desk();
  char line[201];
  char expected[201];

  (void)state;
  for (uint32_t i = 0; i < 200; i++) {
    line[i] = (char)('a' + i % 26);
  }
  memcpy(line, "note ", 5);
  line[200] = '\0';
  for (uint32_t i = 0; i < 200; i++) {
    char key[2] = {line[i], '\0'};

    type(desk, key);
    snprintf(expected, sizeof(expected), "%.*s", (int)(i + 1 < 73 ? i + 1 : 73), line + (i + 1 < 73 ? 0 : i + 1 - 73));
    assert_prompt(desk, expected, (uint32_t)strlen(expected));
    assert_int_equal(desk->screen.row, 0);
  }
  type(desk, "\001");
  snprintf(expected, sizeof(expected), "%.73s", line);
  assert_prompt(desk, expected, 0);
  for (uint32_t i = 0; i < 100; i++) {
    type(desk, RIGHT);
  }
  snprintf(expected, sizeof(expected), "%.73s", line + 100 - 73);
  assert_prompt(desk, expected, 73);
  type(desk, "\r"); /* it is left there as a whole */
  snprintf(expected, sizeof(expected), "OVMS# %.74s", line);
  assert_row(desk, 0, expected);
  assert_row(desk, 2, line + 74 + 80);
  assert_row(desk, 3, "noted");
  assert_noted(desk, line + 5);
  close_desk(desk);
}

/* A line that the console does not take is not executed in part. */
static void test_too_long(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "note ");
  for (uint32_t i = 0; i < 3000; i++) {
    type(desk, "x");
  }
  assert_int_equal(desk->screen.bells, 3005 - CONSOLE_LINE_SIZE);
  type(desk, "\r");
  assert_int_equal(noted.count, 0);
  assert_prompt(desk, "", 0);
  assert_non_null(strstr(row_text(&desk->screen, desk->screen.row - 1), "the line is too long"));
  type(desk, "note ");
  for (uint32_t i = 5; i + 1 < CONSOLE_LINE_SIZE; i++) {
    type(desk, "y");
  }
  type(desk, "\r");
  assert_int_equal(noted.count, 1);
  assert_int_equal(strlen(noted.text), CONSOLE_LINE_SIZE - 6);
  close_desk(desk);
}

/* ---- history ---- */

static void test_history(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "note one\rnote two\rnote two\r  \r\rnote three\r");
  type(desk, "hal" UP);
  assert_prompt(desk, "note three", 10);
  type(desk, UP "\020");
  assert_prompt(desk, "note one", 8);
  assert_int_equal(desk->screen.bells, 0);
  type(desk, UP);
  assert_int_equal(desk->screen.bells, 1);
  type(desk, DOWN);
  assert_prompt(desk, "note two", 8);
  type(desk, "X\016");
  assert_prompt(desk, "note three", 10);
  type(desk, DOWN);
  assert_prompt(desk, "hal", 3);
  type(desk, DOWN);
  assert_int_equal(desk->screen.bells, 2);
  assert_prompt(desk, "hal", 3);
  noted.count = 0;
  type(desk, UP UP "!\r");
  assert_noted(desk, "two!");
  type(desk, UP);
  assert_prompt(desk, "note two!", 9);
  type(desk, UP);
  assert_prompt(desk, "note three", 10);
  type(desk, "\003" UP UP UP UP UP);
  assert_prompt(desk, "note one", 8);
  close_desk(desk);
}

/* More lines than there is room for: the oldest are forgotten; one that fills it all is there, too. */
static void test_history_is_bounded(void **state)
{
  struct desk *desk = open_desk();
  uint32_t found = 0;

  (void)state;
  for (uint32_t i = 0; i < 300; i++) {
    char line[32];

    snprintf(line, sizeof(line), "note number %03u\r", (unsigned)i);
    type(desk, line);
  }
  for (uint32_t i = 0; i < 300 && desk->screen.bells == 0; i++) {
    char expected[32];

    type(desk, UP);
    snprintf(expected, sizeof(expected), "note number %03u", (unsigned)(299 - i - (desk->screen.bells > 0 ? 1 : 0)));
    assert_prompt(desk, desk->screen.bells == 0 ? expected : row_text(&desk->screen, desk->screen.row) + 6, 15);
    found = i;
  }
  assert_in_range(found, 100, LINE_HISTORY_SIZE / 16);
  type(desk, "\003");
  for (uint32_t turn = 0; turn < 5; turn++) {
    type(desk, "note ");
    for (uint32_t i = 0; i < 1015; i++) {
      type(desk, turn % 2 ? "x" : "y");
    }
    type(desk, "\r");
  }
  type(desk, UP "\001");
  assert_true(strncmp(row_text(&desk->screen, desk->screen.row), "OVMS# note yyyy", 15) == 0);
  assert_int_equal(desk->terminal.line.length, 1020);
  close_desk(desk);
}

/* ---- completion and explanation ---- */

static void test_completion(void **state)
{
  static const struct {
    const char *keys;
    const char *line;
  } cases[] = {
      {"wi\t", "wifi "},
      {"wi\tst\t", "wifi status "},
      {"note /\t", "note /sd/"},
      {"note /sd/ov\t", "note /sd/ovms3."},
      {"note /sd/ovms3.b\t", "note /sd/ovms3.bin "},
      {"note /sd/a\t", "note \"/sd/a file.bin\" "},
      {"note \"/sd/a f\t", "note \"/sd/a file.bin\" "},
      {"note x \"/sd/a \"\t", "note x \"/sd/a file.bin\" "},
      {"note /sd/str\t", "note /sd/stra"}, /* two letters that share their first byte */
      {"ot", "ot"},
      {"zzz\t", "zzz"},
      {"note /sd/zz\t", "note /sd/zz"},
      {"note /sd/bad\t", "note /sd/bad?"}, /* control characters do not reach the terminal */
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct desk *desk = open_desk();

    type(desk, cases[i].keys);
    assert_prompt(desk, cases[i].line, (uint32_t)strlen(cases[i].line));
    assert_string_equal(desk->terminal.line.text, cases[i].line);
    assert_int_equal(desk->screen.row, 0);
    close_desk(desk);
  }
}

static void test_completion_within_a_line(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "wi st" LEFT LEFT LEFT "\t");
  assert_prompt(desk, "wifi  st", 5);
  close_desk(desk);
}

static void test_list(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "wifi \t");
  assert_row(desk, 0, "OVMS# wifi");
  assert_row(desk, 1, "mode  status");
  assert_prompt(desk, "wifi ", 5);
  type(desk, "x\t");
  assert_int_equal(desk->screen.bells, 1);
  type(desk, "\025note /sd/ovms3.\t");
  assert_row(desk, 2, "OVMS# note /sd/ovms3.");
  assert_row(desk, 3, "/sd/ovms3.bin  /sd/ovms3.old");
  assert_prompt(desk, "note /sd/ovms3.", 15);
  type(desk, "\025\t");
  assert_row(desk, 5, "boot  config  exit  help  module  note  ota  vfs  wifi  work");
  assert_prompt(desk, "", 0);
  close_desk(desk);
}

/* A completion that has no room changes nothing that would be executed. */
static void test_completion_without_room(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "note ");
  for (uint32_t i = 0; i < 1010; i++) {
    type(desk, "x");
  }
  type(desk, " /sd/ov\t");
  assert_true(desk->screen.bells > 0);
  assert_true(desk->terminal.line.length <= LINE_MOST);
  close_desk(desk);
}

static void test_explanation(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "wifi m?");
  assert_row(desk, 0, "OVMS# wifi m?");
  assert_row(desk, 1, "wifi mode client [SSID]                  take the network up");
  assert_row(desk, 2, "wifi mode off                            take the network down");
  assert_prompt(desk, "wifi m", 6);
  type(desk, "\025ota flash http http://host/a?b=c");
  assert_prompt(desk, "ota flash http http://host/a?b=c", 32);
  type(desk, "\025zz?");
  assert_row(desk, 3, "OVMS# zz?");
  assert_prompt(desk, "zz", 2);
  type(desk, "\025wifi status" LEFT LEFT "?");
  assert_prompt(desk, "wifi status", 9);
  close_desk(desk);
}

/* ---- commands that take time ---- */

static void test_running(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  noted.steps = 10;
  press(desk, "work\r", 5);
  for (uint32_t i = 0; i < 6; i++) {
    assert_true(terminal_step(&desk->terminal));
  }
  assert_row(desk, 1, "working");
  assert_int_equal(noted.steps, 9); /* one piece a step */
  type(desk, "note ahead\r");
  assert_int_equal(noted.steps, 0);
  assert_row(desk, 2, "worked"); /* which has no newline */
  assert_row(desk, 3, "OVMS# note ahead");
  assert_noted(desk, "ahead");
  close_desk(desk);
}

static void test_waiting(void **state)
{
  struct desk *desk = open_desk();
  uint32_t steps = 0;

  (void)state;
  noted.steps = 10;
  noted.waits = true;
  type(desk, "work\rnote 1\r");
  assert_int_equal(noted.steps, 9);
  assert_int_equal(noted.count, 0);
  while (noted.steps > 0) {
    assert_false(terminal_step(&desk->terminal));
    assert_true(steps++ < 20);
  }
  settle(desk);
  assert_noted(desk, "1");
  close_desk(desk);
}

static void test_cancel(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  noted.steps = 1000000;
  noted.waits = true;
  type(desk, "work\rnote never\rnote ne");
  type(desk, "\003");
  assert_true(noted.cancelled);
  assert_row(desk, 2, "^C");
  assert_non_null(strstr(row_text(&desk->screen, 3), "cancelled"));
  assert_prompt(desk, "", 0);
  assert_int_equal(noted.count, 0);
  type(desk, "note after\r");
  assert_noted(desk, "after");
  close_desk(desk);
}

/* All of it at once, before the command has begun; what comes behind Ctrl-C counts. */
static void test_cancel_typed_ahead(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  noted.steps = 1000000;
  type(desk, "work\rnote never\r\003note then\r");
  assert_true(noted.cancelled);
  assert_noted(desk, "then");
  close_desk(desk);
}

/* More than is kept: the line that does not fit is dropped whole, what is whole before and after it is executed. */
static void test_too_much_ahead(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  noted.steps = 50;
  noted.waits = true;
  type(desk, "work\r");
  press(desk, "note first\r", 11);
  press(desk, "note ", 5);
  for (uint32_t i = 0; i < 5000; i++) {
    press(desk, "x", 1);
  }
  press(desk, "\r", 1);
  press(desk, "note last\r", 10);
  assert_true(desk->screen.bells > 0);
  for (uint32_t i = 0; i < 100; i++) {
    (void)terminal_step(&desk->terminal);
  }
  settle(desk);
  assert_int_equal(noted.count, 2);
  assert_string_equal(noted.text, "last");
  close_desk(desk);
}

static void test_ahead_is_full(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  noted.steps = 1000000;
  noted.waits = true;
  type(desk, "work\r");
  for (uint32_t i = 0; i < TERMINAL_AHEAD; i++) {
    press(desk, "\r", 1);
  }
  press(desk, "note never\r", 11);
  settle(desk);
  assert_false(noted.cancelled);
  type(desk, "\003");
  assert_true(noted.cancelled);
  assert_int_equal(noted.count, 0);
  assert_prompt(desk, "", 0);
  type(desk, "note on\r");
  assert_noted(desk, "on");
  close_desk(desk);
}

/* A caller that does not get to step: the beginning of a line is not mixed with the end of another. */
static void test_flood_at_the_prompt(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "note beg");
  for (uint32_t i = 0; i < 2000; i++) {
    press(desk, "x", 1);
  }
  type(desk, "\rnote end\r");
  assert_noted(desk, "end");
  close_desk(desk);
}

/* ---- what others write ---- */

static void test_message_at_the_prompt(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "note ab" LEFT);
  console_print(&desk->console, "The link is ");
  console_print(&desk->console, "down\nand %s\n", "up again");
  assert_row(desk, 0, "The link is down");
  assert_row(desk, 1, "and up again");
  settle(desk);
  assert_prompt(desk, "note ab", 6);
  assert_int_equal(desk->screen.row, 2);
  console_print(&desk->console, "no newline");
  settle(desk);
  assert_row(desk, 2, "no newline");
  assert_prompt(desk, "note ab", 6);
  type(desk, "\r");
  assert_noted(desk, "ab");
  close_desk(desk);
}

/* After `module reset` nobody is there for what was typed. */
static void test_reset(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  type(desk, "module reset\rnote never\r");
  assert_true(desk->world.module.reset_requested);
  assert_int_equal(noted.count, 0);
  assert_row(desk, 1, "");
  assert_int_equal(desk->screen.row, 1);
  close_desk(desk);
}

static void test_reset_of_a_command(void **state)
{
  struct desk *desk = open_desk();

  (void)state;
  noted.steps = 100;
  noted.waits = true;
  type(desk, "work\r");
  console_reset(&desk->console);
  settle(desk);
  assert_prompt(desk, "", 0);
  close_desk(desk);
}

/* ---- noise ---- */

/* What is on the screen is what is in the line, after every single step. */
static void assert_consistent(const struct desk *desk)
{
  const struct line *line = &desk->terminal.line;
  uint32_t before = line_columns(line, 0, line->cursor);

  assert_true(line->length <= LINE_MOST && line->cursor <= line->length);
  assert_int_equal(line->text[line->length], '\0');
  assert_int_equal(strlen(line->text), line->length);
  if (desk->terminal.is_shown && line_columns(line, 0, line->length) <= 73) {
    assert_prompt(desk, line->text, before);
  } else if (desk->terminal.is_shown) {
    assert_int_equal(desk->screen.column, 6 + (before < 73 ? before : 73));
    assert_true(strncmp(row_text(&desk->screen, desk->screen.row), "OVMS#", 5) == 0);
  }
}

static void step_all(struct desk *desk)
{
  uint32_t steps = 0;

  while (terminal_step(&desk->terminal)) {
    assert_consistent(desk);
    assert_true(steps++ < STEPS);
  }
  assert_consistent(desk);
}

static void test_noise(void **state)
{
  struct desk *desk = open_desk();
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "noise on the line", 11);
  for (uint32_t i = 0; i < 100000; i++) {
    terminal_key(&desk->terminal, (uint8_t)unit_random_below(&random, 256));
    if (unit_random_below(&random, 8) == 0) {
      step_all(desk);
    }
  }
  step_all(desk);
  noted.count = 0;
  type(desk, "\003\003note alive\r");
  assert_noted(desk, "alive");
  close_desk(desk);
}

static void test_random_editing(void **state)
{
  static const char *const pieces[] = {
      "note ",
      "a",
      "b c",
      "\"",
      "/sd/",
      "ovms",
      "\xC3\xA4",
      "\xE2\x82\xAC",
      "\xF0\x9F\x98\x80",
      "\t",
      "\b",
      UP,
      DOWN,
      LEFT,
      LEFT,
      RIGHT,
      "\001",
      "\005",
      "\025",
      "\027",
      "\r",
      "\003",
      "\033[3~",
      "work\r",
      "?",
      "\014",
      "http://x/",
      "wifi ",
      "stat",
      "\013",
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "\xC3",
      "\033[",
      "\n",
  };
  struct desk *desk = open_desk();
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "random editing", 12);
  for (uint32_t i = 0; i < 30000; i++) {
    const char *piece = pieces[unit_random_below(&random, sizeof(pieces) / sizeof(pieces[0]))];

    noted.steps = unit_random_below(&random, 5);
    press(desk, piece, strlen(piece));
    if (unit_random_below(&random, 4) > 0) {
      step_all(desk);
    }
    if (unit_random_below(&random, 100) == 0) {
      console_print(&desk->console, "message\n");
    }
    desk->world.module.exit_requested = false;
  }
  step_all(desk);
  noted.count = 0;
  type(desk, "\003\003note alive\r");
  assert_noted(desk, "alive");
  close_desk(desk);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_several_lines_at_once),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_bells),
      cmocka_unit_test(test_cursor_at_enter),
      cmocka_unit_test(test_give_up),
      cmocka_unit_test(test_clear_screen),
      cmocka_unit_test(test_long_line),
      cmocka_unit_test(test_too_long),
      cmocka_unit_test(test_history),
      cmocka_unit_test(test_history_is_bounded),
      cmocka_unit_test(test_completion),
      cmocka_unit_test(test_completion_within_a_line),
      cmocka_unit_test(test_list),
      cmocka_unit_test(test_completion_without_room),
      cmocka_unit_test(test_explanation),
      cmocka_unit_test(test_running),
      cmocka_unit_test(test_waiting),
      cmocka_unit_test(test_cancel),
      cmocka_unit_test(test_cancel_typed_ahead),
      cmocka_unit_test(test_too_much_ahead),
      cmocka_unit_test(test_ahead_is_full),
      cmocka_unit_test(test_flood_at_the_prompt),
      cmocka_unit_test(test_message_at_the_prompt),
      cmocka_unit_test(test_reset),
      cmocka_unit_test(test_reset_of_a_command),
      cmocka_unit_test(test_noise),
      cmocka_unit_test(test_random_editing),
  };

  return cmocka_run_group_tests_name("serial_terminal", tests, NULL, NULL);
}
