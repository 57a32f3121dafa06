// SPDX-License-Identifier: MIT
/* A product's further commands stand beside the module's as if they were its own, and cannot take any away from it. */
#include "module/print.h"
#include "tests/unit/support/unit.h"
#include "tests/unit/support/world.h"

#define RESULT (-777) /* of a command that fails */

static struct {
  const char *called;
  int argc;
  char arguments[4][32];
} last;

static int remember(const char *called, int argc, char **argv)
{
  last.called = called;
  last.argc = argc;
  assert_null(argv[argc]);
  for (int i = 0; i < argc; i++) {
    snprintf(last.arguments[i], sizeof(last.arguments[i]), "%s", argv[i]);
  }
  return LB_OK;
}

static int climate_on(struct console *console, int argc, char **argv)
{
  console_print(console, "the climate is on\n");
  return remember("climate on", argc, argv);
}

static int climate_off(struct console *console, int argc, char **argv)
{
  (void)console;
  (void)remember("climate off", argc, argv);
  return RESULT;
}

static int open_file(struct console *console, int argc, char **argv)
{
  (void)console;
  return remember("open", argc, argv);
}

static int ota2(struct console *console, int argc, char **argv)
{
  (void)console;
  return remember("ota2", argc, argv);
}

static int ota_statistics(struct console *console, int argc, char **argv)
{
  (void)console;
  return remember("ota statistics", argc, argv);
}

static int wait_step(struct console *console)
{
  console_print(console, "waited\n");
  return LB_OK;
}

static void wait_cancel(struct console *console)
{
  console_tell_cancelled(console);
}

static int horn(struct console *console, int argc, char **argv)
{
  (void)remember("horn", argc, argv);
  console->job.step = wait_step;
  console->job.cancel = wait_cancel;
  return LB_MORE;
}

/* In no order, as a product may give them. */
static const struct command own[] = {
    {{"ota", "statistics"}, "", "how often", 0, 0, {COMMAND_NOTHING}, ota_statistics},
    {{"open"}, "FILE [to SLOT]", "open a file", 1, 3, {COMMAND_FILE, COMMAND_TO, COMMAND_SLOT}, open_file},
    {{"climate", "on"}, "[DEGREES]", "heat or cool the cabin", 0, 1, {COMMAND_TEXT}, climate_on},
    {{"climate", "off"}, "", "stop that", 0, 0, {COMMAND_NOTHING}, climate_off},
    {{"ota2"}, "[TEXT]", "another one", 0, 1, {COMMAND_TEXT}, ota2},
    {{"horn", "long", "now"}, "", "sound it", 0, 0, {COMMAND_NOTHING}, horn},
};

static void open_world(struct world **world, const struct command *commands_of_product, uint32_t count)
{
  *world = unit_allocate(sizeof(**world));
  world_open(*world, true);
  world_put_image(*world, 0x10000, 2048, 1);
  (*world)->port.commands = commands_of_product;
  (*world)->port.command_count = count;
  world_boot(*world, "factory");
  memset(&last, 0, sizeof(last));
}

static void open_product(struct world **world)
{
  open_world(world, own, sizeof(own) / sizeof(own[0]));
}

static void close_world(struct world *world)
{
  world_close(world);
  free(world);
}

struct offers {
  char text[4096];
  size_t length;
};

static void note_offer(void *context, const char *word)
{
  struct offers *offers = context;
  int length = snprintf(offers->text + offers->length, sizeof(offers->text) - offers->length, "%s,", word);

  assert_true(length > 0 && offers->length + (size_t)length < sizeof(offers->text));
  offers->length += (size_t)length;
}

static void assert_offers(struct world *world, const char *line, const char *expected)
{
  struct offers offers = {.length = 0};

  console_complete(&world->consoles[0].console, line, note_offer, &offers);
  assert_string_equal(offers.text, expected);
}

static const char *explained(struct world *world, const char *line, unsigned expected)
{
  struct world_console *console = &world->consoles[0];

  console->output_length = 0;
  console->output[0] = '\0';
  assert_int_equal(console_explain(&console->console, line), expected);
  return console->output;
}

static void assert_called(struct world *world, const char *line, const char *command, int argc)
{
  last.called = NULL;
  world_run(world, line, LB_OK);
  assert_non_null(last.called);
  assert_string_equal(last.called, command);
  assert_int_equal(last.argc, argc);
}

static void test_execution(void **state)
{
  struct world *world;

  (void)state;
  open_product(&world);
  assert_called(world, "climate on", "climate on", 0);
  world_assert_output(world, 0, "the climate is on\n");
  assert_called(world, "climate on 21", "climate on", 1);
  assert_string_equal(last.arguments[0], "21");
  assert_called(world, "c on", "climate on", 0);
  assert_called(world, "open /sd/a \"to me\"", "open", 2);
  assert_string_equal(last.arguments[1], "to me");
  assert_called(world, "ho l n", "horn", 0);
  world_assert_said(world, 0, "waited\n");
  world_run(world, "climate off", RESULT);
  assert_string_equal(last.called, "climate off");
  close_world(world);
}

static void test_errors(void **state)
{
  struct world *world;

  (void)state;
  open_product(&world);
  world_run(world, "climate on 1 2", MODULE_ERR_USAGE);
  world_assert_said(world, 0, "usage: climate on [DEGREES]");
  world_run(world, "open", MODULE_ERR_USAGE);
  world_assert_said(world, 0, "usage: open FILE [to SLOT]");
  world_run(world, "climate", MODULE_ERR_COMMAND);
  world_assert_said(world, 0, "the command is not complete");
  world_run(world, "c", MODULE_ERR_COMMAND); /* climate and config */
  world_assert_said(world, 0, "this may mean several commands");
  world_run(world, "h", MODULE_ERR_COMMAND); /* help and horn */
  world_assert_said(world, 0, "this may mean several commands");
  world_run(world, "ota stat nocheck", MODULE_ERR_COMMAND); /* status and statistics */
  world_assert_said(world, 0, "this may mean several commands");
  world_run(world, "climate down", MODULE_ERR_COMMAND);
  world_assert_said(world, 0, "there is no such command");
  assert_null(last.called);
  close_world(world);
}

/* A whole word is not one that begins with it: the module's commands stay what they are beside longer ones. */
static void test_whole_words(void **state)
{
  struct world *world;

  (void)state;
  open_product(&world);
  world_run(world, "ota status nocheck", LB_OK);
  world_assert_said(world, 0, "Firmware");
  world_run(world, "ota", MODULE_ERR_COMMAND);
  world_assert_said(world, 0, "the command is not complete");
  assert_null(last.called);
  assert_called(world, "ota2", "ota2", 0);
  assert_called(world, "ota2 status", "ota2", 1);
  assert_called(world, "ota stati", "ota statistics", 0);
  assert_offers(world, "ota p", "partitions,");
  assert_offers(world, "ota", "ota,ota2,");
  close_world(world);
}

static void test_completion(void **state)
{
  struct world *world;

  (void)state;
  open_product(&world);
  assert_offers(world, "", "boot,climate,config,exit,help,horn,module,open,ota,ota2,vfs,wifi,");
  assert_offers(world, "c", "climate,config,");
  assert_offers(world, "climate ", "off,on,");
  assert_offers(world, "cl of", "off,");
  assert_offers(world, "horn long ", "now,");
  assert_offers(world, "ota stat", "statistics,status,");
  assert_offers(world, "open f to ", "factory,ota_0,ota_1,");
  assert_offers(world, "climate on ", "");
  close_world(world);
}

static void test_explanation(void **state)
{
  struct world *world;
  const char *text;
  const char *climate;

  (void)state;
  open_product(&world);
  text = explained(world, "", command_count + sizeof(own) / sizeof(own[0]));
  climate = strstr(text, "climate off                              stop that\nclimate on [DEGREES]   ");
  assert_non_null(climate);
  assert_true(strstr(text, "boot status") < climate && climate < strstr(text, "config list"));
  assert_non_null(strstr(text, "open FILE [to SLOT]                      open a file\nota boot SLOT"));
  assert_non_null(strstr(text, "ota statistics                           how often\nota status"));
  assert_string_equal(explained(world, "climate of", 1), "climate off                              stop that\n");
  assert_non_null(strstr(explained(world, "ota stat", 2), "ota statistics"));
  world_run(world, "help horn", LB_OK);
  world_assert_output(world, 0, "horn long now                            sound it\n");
  world_run(world, "help climate on", LB_OK);
  world_assert_output(world, 0, "climate on [DEGREES]                     heat or cool the cabin\n");
  close_world(world);
}

/* ---- a product that makes mistakes ---- */

static int never(struct console *console, int argc, char **argv)
{
  (void)console;
  (void)argc;
  (void)argv;
  fail_here("%s", "a shadow was called");
  return LB_OK;
}

static void test_shadows(void **state)
{
  static const struct command shadows[] = {
      {{"ota", "status"}, "", "the same", 0, 1, {COMMAND_STATUS}, never},
      {{"ota"}, "[TEXT]", "the beginning", 0, 4, {COMMAND_TEXT}, never},
      {{"ota", "flash"}, "", "a longer beginning", 0, 0, {COMMAND_NOTHING}, never},
      {{"help", "me"}, "", "going on from one", 0, 0, {COMMAND_NOTHING}, never},
      {{"vfs", "ls", "long"}, "", "the same", 0, 0, {COMMAND_NOTHING}, never},
      {{NULL}, "", "nothing", 0, 4, {COMMAND_NOTHING}, never},
      {{"lamp"}, "", "unfinished", 0, 0, {COMMAND_NOTHING}, NULL},
      {{"twice"}, "", "the first", 0, 0, {COMMAND_NOTHING}, horn},
      {{"twice"}, "", "the second", 0, 0, {COMMAND_NOTHING}, never},
  };
  struct world *world;
  char plain[8192];

  (void)state;
  open_world(&world, NULL, 7);
  snprintf(plain, sizeof(plain), "%s", explained(world, "o", 10));
  assert_non_null(strstr(explained(world, "", command_count), "ota status"));
  close_world(world);
  open_world(&world, shadows, sizeof(shadows) / sizeof(shadows[0]));
  assert_string_equal(explained(world, "o", 10), plain);
  (void)explained(world, "", command_count + 1);
  world_run(world, "ota status nocheck", LB_OK);
  world_assert_said(world, 0, "Firmware");
  world_run(world, "ota flash", MODULE_ERR_COMMAND);
  world_run(world, "help me", MODULE_ERR_COMMAND);
  world_run(world, "help", LB_OK);
  world_run(world, "vfs ls long wide", MODULE_ERR_USAGE);
  world_run(world, "lamp", MODULE_ERR_COMMAND);
  assert_called(world, "twice", "horn", 0);
  assert_offers(world, "tw", "twice,");
  assert_offers(world, "", "boot,config,exit,help,module,ota,twice,vfs,wifi,");
  close_world(world);
}

/* The walk over all commands is what help shows: each once and in order. */
static void test_walk(void **state)
{
  struct world *world;
  const struct command *command = NULL;
  char before[COMMAND_USAGE_SIZE] = "";
  uint32_t count = 0;

  (void)state;
  open_product(&world);
  while ((command = command_next(&world->port, command, 0, NULL)) != NULL) {
    char words[COMMAND_USAGE_SIZE];

    snprintf(words, sizeof(words), "%s %s %s", command->words[0], command->words[1] ? command->words[1] : "",
             command->words[2] ? command->words[2] : "");
    assert_true(strcmp(before, words) < 0);
    memcpy(before, words, sizeof(before));
    count++;
  }
  assert_int_equal(count, command_count + sizeof(own) / sizeof(own[0]));
  close_world(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_execution),  cmocka_unit_test(test_errors),      cmocka_unit_test(test_whole_words),
      cmocka_unit_test(test_completion), cmocka_unit_test(test_explanation), cmocka_unit_test(test_shadows),
      cmocka_unit_test(test_walk),
  };

  return cmocka_run_group_tests_name("product_commands", tests, NULL, NULL);
}
