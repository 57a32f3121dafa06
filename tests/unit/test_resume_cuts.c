// SPDX-License-Identifier: MIT
/*
 * An update with a journal is cut at each of its operations, in every way, and then goes on; and is cut once more while
 * it goes on. Each time the same update afterwards succeeds, takes no more than what was missing and a block from the
 * link, and leaves no bit of the image that could read differently tomorrow.
 */
#include "tests/unit/support/client.h"
#include "tests/unit/support/unit.h"

#define TARGET 0x30000U /* ota_1 of the miniature module */
#define BLOCK  2048U
#define LENGTH 6400U

struct campaign {
  struct fixture fixture;
  struct built_image image;
  struct built_image old;
  bool buffer;
  bool local;
  uint32_t fired;
  uint32_t resumed;
  uint32_t kept; /* sectors that were left alone after a cut */
};

static void open_campaign(struct campaign *campaign, const struct built_image *old)
{
  struct fixture *fixture = &campaign->fixture;

  fixture_open_miniature(fixture, true, 2);
  fixture_put_made(fixture, "factory", 1, 9600);
  fixture_put_made(fixture, "ota_0", 2, 8000);
  fixture_put_image(fixture, "ota_1", old);
  fixture_put_record(fixture, 0, 1, 0xFFFFFFFFU);
  assert_true(sim_flash_protect(&fixture->flash, 0x10000, 0x4000));
  assert_true(sim_flash_protect(&fixture->flash, 0x20000, 0x4000));
  assert_true(sim_flash_mark(&fixture->flash));
}

static struct lb_update_config config_of(struct campaign *campaign)
{
  struct lb_update_config config = client_config(&campaign->fixture, "ota_0", "ota_1", LENGTH);

  config.sector_buffer = campaign->buffer ? campaign->fixture.sector : NULL;
  config.validator = campaign->local ? "" : CLIENT_VALIDATOR;
  return config;
}

static int run(struct campaign *campaign, struct client *client)
{
  struct lb_update_config config = config_of(campaign);

  flash_tap_clear(&campaign->fixture.tap);
  return client_update(&campaign->fixture, client, &config, campaign->image.bytes, LENGTH, LENGTH);
}

/* Power is back. True if the old firmware boots, so that the same update can be tried again. */
static bool boot_again(struct campaign *campaign)
{
  struct lb_boot_decision decision;

  sim_flash_cut_at(&campaign->fixture.flash, 0, SIM_CUT_BEFORE);
  sim_flash_power_on(&campaign->fixture.flash);
  assert_result(fixture_boot(&campaign->fixture, &decision), LB_OK);
  if (strcmp(decision.partition.label, "ota_1") == 0) {
    assert_memory_equal(fixture_bytes(&campaign->fixture) + TARGET, campaign->image.bytes, LENGTH);
    return false;
  }
  assert_string_equal(decision.partition.label, "ota_0");
  return true;
}

/* The update that runs to its end after cuts: `had` bytes were there before. */
static void run_to_the_end(struct campaign *campaign, uint32_t had)
{
  struct fixture *fixture = &campaign->fixture;
  struct client client;

  assert_result(run(campaign, &client), LB_OK);
  assert_int_equal(sim_flash_counters(&fixture->flash)->violations, 0);
  assert_memory_equal(fixture_bytes(fixture) + TARGET, campaign->image.bytes, LENGTH);
  assert_string_equal(fixture_selected(fixture), "ota_1");
  assert_int_equal(sim_flash_unstable_bits(&fixture->flash, TARGET, LENGTH), 0);
  if (!campaign->local && client.transferred > LENGTH - had + BLOCK) {
    fail_here("%u bytes were there, and %u were transferred", (unsigned)had, (unsigned)client.transferred);
  }
  assert_false(lb_update_has_journal(&client.update));
  campaign->resumed += client.resumed;
  campaign->kept += client.update.writer.sectors_kept;
}

/* An update that is cut at its operation of that number: false if it has none of it. `had` gets what it had then. */
static bool run_and_cut(struct campaign *campaign, uint64_t operation, enum sim_cut cut, uint64_t seed, uint32_t *had)
{
  struct sim_flash *flash = &campaign->fixture.flash;
  struct client client;

  sim_flash_seed(flash, seed * 1000003 + operation);
  sim_flash_cut_at(flash, operation, cut);
  int result = run(campaign, &client);
  assert_int_equal(result == LB_OK, !sim_flash_cut_fired(flash));
  campaign->fired += sim_flash_cut_fired(flash);
  *had = lb_update_position(&client.update);
  return sim_flash_cut_fired(flash);
}

static void cut_everywhere(struct campaign *campaign)
{
  for (enum sim_cut cut = SIM_CUT_BEFORE; cut < SIM_CUT_WAYS; cut++) {
    for (uint64_t seed = 0; seed < (cut == SIM_CUT_BEFORE ? 1U : 3U); seed++) {
      uint32_t had;

      for (uint64_t operation = 1; run_and_cut(campaign, operation, cut, seed, &had); operation++) {
        if (boot_again(campaign)) {
          run_to_the_end(campaign, had);
        }
        sim_flash_rewind(&campaign->fixture.flash);
      }
      sim_flash_rewind(&campaign->fixture.flash);
    }
  }
}

/* Over one that is the same but for a sector, over one that shares nothing, over one that reaches into the journal. */
static void run_campaigns(bool local, void (*cuts)(struct campaign *), uint32_t every, uint32_t least)
{
  for (uint32_t variant = 0; variant < 6; variant += every) {
    struct campaign campaign = {.buffer = variant % 2 == 0, .local = local};

    image_make(&campaign.image, 50, LENGTH, "3.3.009");
    image_make(&campaign.old, variant / 2 == 0 ? 50 : 51, variant / 2 == 2 ? 16000 : LENGTH, "3.3.009");
    campaign.old.bytes[3000] ^= variant / 2 == 0;
    open_campaign(&campaign, &campaign.old);
    cuts(&campaign);
    print_message("  %s buffer, over %s: %u cuts, %u resumed, %u sectors kept\n",
                  campaign.buffer ? "with a" : "without",
                  (const char *[]){"the same", "another", "a long one"}[variant / 2], (unsigned)campaign.fired,
                  (unsigned)campaign.resumed, (unsigned)campaign.kept);
    assert_true(campaign.fired >= least);
    assert_int_equal(campaign.resumed > 0, !local);
    assert_true(!local || !campaign.buffer || campaign.kept > 0);
    fixture_close(&campaign.fixture);
    image_free(&campaign.image);
    image_free(&campaign.old);
  }
}

static void test_cut_once(void **state)
{
  (void)state;
  run_campaigns(false, cut_everywhere, 1, 500);
}

static void test_cut_once_local(void **state)
{
  (void)state;
  run_campaigns(true, cut_everywhere, 1, 500);
}

/* Cut at each operation, and at each operation of what comes then. */
static void cut_twice_everywhere(struct campaign *campaign)
{
  struct sim_flash *flash = &campaign->fixture.flash;
  uint32_t had;
  uint32_t had_then;

  for (uint64_t first = 1; run_and_cut(campaign, first, SIM_CUT_UNSTABLE, 0, &had); first++) {
    if (boot_again(campaign)) {
      assert_true(sim_flash_mark(flash));
      for (uint64_t second = 1; run_and_cut(campaign, second, SIM_CUT_UNSTABLE, first, &had_then); second++) {
        if (boot_again(campaign)) {
          run_to_the_end(campaign, had_then);
        }
        sim_flash_rewind(flash);
      }
      sim_flash_rewind(flash);
      sim_flash_unmark(flash);
    }
    sim_flash_rewind(flash);
  }
  sim_flash_rewind(flash);
}

static void test_cut_twice(void **state)
{
  (void)state;
  run_campaigns(false, cut_twice_everywhere, 5, 4000);
}

static void test_cut_twice_local(void **state)
{
  (void)state;
  run_campaigns(true, cut_twice_everywhere, 5, 4000);
}

/* Cut again and again, often in the same block: it gets on, and ends well. */
static void test_cut_again_and_again(void **state)
{
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "resume, cuts in a row", 21);
  for (uint32_t turn = 0; turn < 300; turn++) {
    struct campaign campaign = {.buffer = turn % 2, .local = turn % 5 == 4};
    uint32_t had = 0;

    image_make(&campaign.image, 50, LENGTH, "3.3.009");
    image_make(&campaign.old, 50 + turn % 3, LENGTH, "3.3.009");
    open_campaign(&campaign, &campaign.old);
    for (uint32_t i = 0; i < 12; i++) {
      uint64_t operation = 1 + unit_random_below(&random, turn % 4 ? 12 : 60);
      enum sim_cut cut = (enum sim_cut)unit_random_below(&random, SIM_CUT_WAYS + 1);

      if (!run_and_cut(&campaign, operation, cut, turn * 100 + i, &had) || !boot_again(&campaign)) {
        break;
      }
    }
    sim_flash_cut_at(&campaign.fixture.flash, 0, SIM_CUT_BEFORE);
    if (strcmp(fixture_selected(&campaign.fixture), "ota_1") != 0) {
      run_to_the_end(&campaign, had);
    }
    fixture_close(&campaign.fixture);
    image_free(&campaign.image);
    image_free(&campaign.old);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cut_once),
      cmocka_unit_test(test_cut_once_local),
      cmocka_unit_test(test_cut_twice),
      cmocka_unit_test(test_cut_twice_local),
      cmocka_unit_test(test_cut_again_and_again),
  };

  return cmocka_run_group_tests_name("resume, cuts", tests, NULL, NULL);
}
