// SPDX-License-Identifier: MIT
/*
 * An update is cut at each of its operations, before it happens and in the middle of it. Each time: what boots is
 * verified, the slot that ran and factory are what they were, and the same update afterwards succeeds.
 */
#include "lifeboat/boot.h"
#include "lifeboat/update.h"
#include "ports/mbedtls/hash.h"
#include "tests/unit/support/firmware.h"
#include "tests/unit/support/fixture.h"
#include "tests/unit/support/unit.h"

#define UNDEFINED 0xFFFFFFFFU
#define LAST      0xFFFFFFFEU

/* ---- what is asked after every cut ---- */

static void protect(struct fixture *fixture, const char *label)
{
  struct lb_partition partition = fixture_partition(fixture, label);

  assert_true(sim_flash_protect(&fixture->flash, partition.offset, partition.size));
}

static bool has_factory(const struct fixture *fixture)
{
  struct lb_partition factory;

  return lb_table_find(&fixture->table, LB_TYPE_APP, LB_SUBTYPE_FACTORY, &factory) == LB_OK;
}

/* Factory and the running slot refuse every operation from now on, and count the attempts. */
static void protect_running(struct fixture *fixture, const char *running)
{
  sim_flash_unprotect_all(&fixture->flash);
  sim_flash_clear_counters(&fixture->flash);
  protect(fixture, running);
  if (has_factory(fixture) && strcmp(running, "factory") != 0) {
    protect(fixture, "factory");
  }
}

static void choose_target(struct fixture *fixture, const struct lb_partition *running, struct lb_partition *slot)
{
  struct lb_target target;
  int result;

  assert_result(lb_target_start(&target, &fixture->device, running), LB_OK);
  do {
    result = lb_target_step(&target);
  } while (result == LB_MORE);
  assert_result(result, LB_OK);
  *slot = target.slot;
}

/* Boots what is there, and updates from it once more, wherever the library says; that has to work. */
static void boot_and_update_again(struct fixture *fixture, const struct built_image *image, bool buffer,
                                  struct lb_boot_decision *decision)
{
  struct lb_update_config config;
  struct lb_partition slot;

  assert_result(fixture_boot(fixture, decision), LB_OK);
  choose_target(fixture, &decision->partition, &slot);
  protect_running(fixture, decision->partition.label);
  config = fixture_config(fixture, decision->partition.label, slot.label);
  config.size = image->length;
  config.sector_buffer = buffer ? fixture->sector : NULL;
  flash_tap_clear(&fixture->tap);
  assert_result(fixture_update(fixture, &config, image->bytes, image->length, 4096, NULL), LB_OK);
  assert_int_equal(sim_flash_counters(&fixture->flash)->violations, 0);
  assert_string_equal(fixture_selected(fixture), slot.label);
  assert_memory_equal(fixture_bytes(fixture) + slot.offset, image->bytes, image->length);
  sim_flash_unprotect_all(&fixture->flash);
}

/* ---- miniature: every operation, from every starting state ---- */

struct record {
  uint32_t sequence; /* 0: blank */
  uint32_t state;
};

static const struct start {
  const char *name;
  bool factory;
  uint32_t slots;
  const char *running; /* what the bootloader boots from this state */
  const char *target;
  uint32_t lengths[4]; /* of the images in factory, ota_0, ota_1, ota_2; 0: blank */
  int broken;          /* the one of them that does not verify, or -1 */
  struct record records[2];
} starts[] = {
    {"fresh module", true, 2, "factory", "ota_0", {9600}, -1, {{0, 0}, {0, 0}}},
    {"factory, ota_0 old", true, 2, "factory", "ota_1", {4096, 8000}, -1, {{0, 0}, {0, 0}}},
    {"factory, both old", true, 2, "factory", "ota_0", {4096, 8000, 6400}, -1, {{0, 0}, {0, 0}}},
    {"ota_0, first time", true, 2, "ota_0", "ota_1", {9600, 8000}, -1, {{1, UNDEFINED}, {0, 0}}},
    {"ota_0, ota_1 old", true, 2, "ota_0", "ota_1", {9600, 8000, 12000}, -1, {{3, UNDEFINED}, {2, UNDEFINED}}},
    {"ota_1, ota_0 old", true, 2, "ota_1", "ota_0", {9600, 12288, 5008}, -1, {{1, UNDEFINED}, {2, UNDEFINED}}},
    {"ota_1 broken and selected, factory runs",
     true,
     2,
     "factory",
     "ota_1",
     {9600, 8000, 12000},
     2,
     {{1, UNDEFINED}, {2, UNDEFINED}}},
    {"ota_0 broken and selected, factory runs",
     true,
     2,
     "factory",
     "ota_0",
     {9600, 8000, 0},
     1,
     {{1, UNDEFINED}, {0, 0}}},
    {"no factory, blank otadata", false, 2, "ota_0", "ota_1", {0, 8000, 0}, -1, {{0, 0}, {0, 0}}},
    {"no factory, ota_1", false, 2, "ota_1", "ota_0", {0, 8000, 9600}, -1, {{1, UNDEFINED}, {2, UNDEFINED}}},
    {"no factory, default broken, ota_1 runs", false, 2, "ota_1", "ota_0", {0, 8000, 9600}, 1, {{0, 0}, {0, 0}}},
    {"no factory, ota_1 broken and selected",
     false,
     2,
     "ota_0",
     "ota_1",
     {0, 8000, 9600},
     2,
     {{1, UNDEFINED}, {2, UNDEFINED}}},
    {"the last sequence number",
     true,
     2,
     "ota_1",
     "ota_0",
     {4096, 8000, 9600},
     -1,
     {{LAST, UNDEFINED}, {LAST - 1, UNDEFINED}}},
    {"three slots, ota_2", true, 3, "ota_2", "ota_0", {4096, 8000, 9600, 5008}, -1, {{3, UNDEFINED}, {2, UNDEFINED}}},
    {"records of a bootloader with rollback", true, 2, "ota_0", "ota_1", {4096, 8000, 9600}, -1, {{3, 2}, {2, 2}}},
    {"ota_1 given up", true, 2, "ota_0", "ota_1", {4096, 8000, 9600}, -1, {{1, UNDEFINED}, {2, 4}}},
};

#define STARTS (sizeof(starts) / sizeof(starts[0]))

static void open_start(struct fixture *fixture, const struct start *start)
{
  static const char *const labels[] = {"factory", "ota_0", "ota_1", "ota_2"};
  struct lb_boot_decision decision;

  fixture_open_miniature(fixture, start->factory, start->slots);
  for (int i = 0; i < 4; i++) {
    if (start->lengths[i]) {
      fixture_put_made(fixture, labels[i], (uint32_t)i + 1, start->lengths[i]);
    }
    if (start->broken == i) {
      fixture_bytes(fixture)[fixture_partition(fixture, labels[i]).offset + 3000] ^= 1;
    }
  }
  for (uint32_t i = 0; i < 2; i++) {
    if (start->records[i].sequence) {
      fixture_put_record(fixture, i, start->records[i].sequence, start->records[i].state);
    }
  }
  assert_result(fixture_boot(fixture, &decision), LB_OK);
  assert_string_equal(decision.partition.label, start->running);
}

struct campaign {
  struct fixture *fixture;
  const char *running;
  const char *target;
  const struct built_image *image;
  const uint8_t *before; /* the flash as it was at the start */
  bool buffer;
  uint32_t fired;
};

/* One cut; returns false once there is no such operation any more. Seed 0: before the operation, else torn. */
static bool cut_once(struct campaign *campaign, uint64_t operation, uint64_t seed)
{
  struct fixture *fixture = campaign->fixture;
  struct lb_update_config config = fixture_config(fixture, campaign->running, campaign->target);
  struct lb_boot_decision decision;
  int result;

  config.sector_buffer = campaign->buffer ? fixture->sector : NULL;
  fixture_restore(fixture, campaign->before);
  protect_running(fixture, campaign->running);
  flash_tap_clear(&fixture->tap);
  sim_flash_seed(&fixture->flash, seed * 1000003 + operation);
  sim_flash_cut_at(&fixture->flash, operation, seed ? SIM_CUT_TORN : SIM_CUT_BEFORE);
  result = fixture_update(fixture, &config, campaign->image->bytes, campaign->image->length, 512, NULL);
  assert_int_equal(sim_flash_counters(&fixture->flash)->violations, 0);
  if (!sim_flash_cut_fired(&fixture->flash)) {
    sim_flash_cut_at(&fixture->flash, 0, SIM_CUT_BEFORE);
    assert_result(result, LB_OK);
    return false;
  }
  assert_true(result < 0);
  campaign->fired++;
  sim_flash_power_on(&fixture->flash);
  boot_and_update_again(fixture, campaign->image, campaign->buffer, &decision);
  if (strcmp(decision.partition.label, campaign->running) != 0 &&
      strcmp(decision.partition.label, campaign->target) != 0) {
    fail_here("cut at operation %u (seed %u): %s boots", (unsigned)operation, (unsigned)seed, decision.partition.label);
  }
  return true;
}

static uint32_t cut_everywhere(struct campaign *campaign)
{
  for (uint64_t seed = 0; seed < 4; seed++) {
    uint64_t operation = 1;

    while (cut_once(campaign, operation, seed)) {
      operation++;
    }
    assert_true(operation > 4096 / 64); /* an update that did nothing would have nothing to cut */
  }
  return campaign->fired;
}

static void test_miniature(void **state)
{
  uint32_t fired = 0;

  (void)state;
  for (size_t i = 0; i < STARTS; i++) {
    struct fixture fixture;
    struct built_image image;
    struct campaign campaign = {.fixture = &fixture, .running = starts[i].running, .target = starts[i].target};
    uint8_t *before;
    uint32_t here;

    open_start(&fixture, &starts[i]);
    before = fixture_snapshot(&fixture);
    image_make(&image, 50 + (uint32_t)i, 4096 + (uint32_t)i * 512, "3.3.009");
    campaign.image = &image;
    campaign.before = before;
    campaign.buffer = i % 4 != 3;
    here = cut_everywhere(&campaign);
    print_message("  %-42s %5u cuts\n", starts[i].name, (unsigned)here);
    fired += here;
    free(before);
    image_free(&image);
    fixture_close(&fixture);
  }
  print_message("power cuts, miniature geometry: %u fired\n", (unsigned)fired);
  assert_true(fired > 4 * STARTS * (4096 / 64));
}

/* `ota boot ota_1` was given and ota_0 still runs: the target is selected and good. */
static void test_miniature_target_selected(void **state)
{
  static const struct {
    const char *running, *target;
    struct record records[2];
  } cases[] = {
      {"ota_0", "ota_1", {{1, UNDEFINED}, {2, UNDEFINED}}},
      {"factory", "ota_1", {{1, UNDEFINED}, {2, UNDEFINED}}},
      {"factory", "ota_0", {{1, UNDEFINED}, {0, 0}}},
      {"ota_0", "ota_1", {{LAST, UNDEFINED}, {LAST - 1, UNDEFINED}}},
  };
  struct fixture fixture;
  struct built_image image;
  uint32_t fired = 0;

  (void)state;
  image_make(&image, 9, 6400, "3.3.009");
  fixture_open_miniature(&fixture, true, 2);
  fixture_put_made(&fixture, "factory", 1, 9600);
  fixture_put_made(&fixture, "ota_0", 2, 8000);
  fixture_put_made(&fixture, "ota_1", 3, 12000);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct campaign campaign = {.fixture = &fixture, .image = &image, .buffer = true};
    uint8_t *before;

    for (uint32_t record = 0; record < 2; record++) {
      fixture_blank_record(&fixture, record);
      if (cases[i].records[record].sequence) {
        fixture_put_record(&fixture, record, cases[i].records[record].sequence, cases[i].records[record].state);
      }
    }
    assert_string_equal(fixture_selected(&fixture), cases[i].target);
    before = fixture_snapshot(&fixture);
    campaign.before = before;
    campaign.running = cases[i].running;
    campaign.target = cases[i].target;
    fired += cut_everywhere(&campaign);
    fixture_restore(&fixture, before);
    free(before);
  }
  print_message("power cuts, target selected: %u fired\n", (unsigned)fired);
  image_free(&image);
  fixture_close(&fixture);
}

/* Updates that are cut again and again, each time with another image: they still end well. */
static void test_cut_again_and_again(void **state)
{
  struct fixture fixture;
  struct built_image image;
  struct unit_random random;
  struct lb_boot_decision decision;
  uint32_t fired = 0;

  (void)state;
  unit_random_seed(&random, "power cuts in a row", 15);
  open_start(&fixture, &starts[4]);
  for (uint32_t turn = 0; turn < 400; turn++) {
    struct lb_update_config config;
    struct lb_partition slot;

    image_make(&image, 1000 + turn, 9008, "3.3.009");
    assert_result(fixture_boot(&fixture, &decision), LB_OK);
    choose_target(&fixture, &decision.partition, &slot);
    protect_running(&fixture, decision.partition.label);
    config = fixture_config(&fixture, decision.partition.label, slot.label);
    flash_tap_clear(&fixture.tap);
    sim_flash_seed(&fixture.flash, turn);
    sim_flash_cut_at(&fixture.flash, 1 + unit_random_below(&random, 160), turn % 3 ? SIM_CUT_TORN : SIM_CUT_BEFORE);
    (void)fixture_update(&fixture, &config, image.bytes, image.length, 512, NULL);
    assert_int_equal(sim_flash_counters(&fixture.flash)->violations, 0);
    fired += sim_flash_cut_fired(&fixture.flash);
    sim_flash_cut_at(&fixture.flash, 0, SIM_CUT_BEFORE);
    sim_flash_power_on(&fixture.flash);
    image_free(&image);
  }
  image_make(&image, 1, 9008, "3.3.009");
  boot_and_update_again(&fixture, &image, true, &decision);
  print_message("power cuts in a row: %u of 400 fired\n", (unsigned)fired);
  assert_in_range(fired, 200, 399); /* some updates come through in between */
  image_free(&image);
  fixture_close(&fixture);
}

/* ---- the module's own chip: 500 cuts spread over the update 600 -> 601 ---- */

#define CUTS 500U

/*
 * The update runs once, on `fixture`. At each operation that is to be cut the flash is copied to `victim`, where the
 * same operation is cut, and there the questions are asked; then the update goes on. So no part of it runs 500 times.
 */
struct real_campaign {
  struct fixture fixture;
  struct fixture victim;
  struct mbedtls_hash victim_hash_state;
  struct lb_hash victim_hash;
  struct built_image image;
  uint32_t total;     /* operations of the update */
  uint32_t operation; /* the one that comes */
  uint32_t next;      /* number of the cut that comes */
  uint32_t fired;
  uint32_t booted_new; /* cuts behind which the new image boots */
};

static void copy_to_victim(struct real_campaign *campaign)
{
  const uint8_t *from = fixture_bytes(&campaign->fixture);
  uint8_t *to = fixture_bytes(&campaign->victim);

  memcpy(to + 0xd000, from + 0xd000, 0x2000);
  memcpy(to + 0x410000, from + 0x410000, 0x800000);
}

static void cut_victim(struct real_campaign *campaign, const struct tap_operation *operation, const void *data)
{
  struct fixture *victim = &campaign->victim;
  const struct lb_flash *driver = &victim->flash.driver;
  struct lb_boot_decision decision;

  copy_to_victim(campaign);
  sim_flash_seed(&victim->flash, campaign->operation);
  sim_flash_cut_at(&victim->flash, 1, campaign->next % 2 ? SIM_CUT_TORN : SIM_CUT_BEFORE);
  if (operation->kind == TAP_ERASE) {
    assert_int_not_equal(driver->erase(driver->context, operation->address, operation->length), 0);
  } else {
    assert_int_not_equal(driver->program(driver->context, operation->address, data, operation->length), 0);
  }
  assert_true(sim_flash_cut_fired(&victim->flash));
  campaign->fired++;
  sim_flash_power_on(&victim->flash);
  boot_and_update_again(victim, &campaign->image, true, &decision);
  if (strcmp(decision.partition.label, "ota_1") == 0) {
    campaign->booted_new++;
  } else {
    assert_string_equal(decision.partition.label, "ota_0");
  }
  assert_memory_equal(fixture_bytes(victim) + 0x10000, fixture_bytes(&campaign->fixture) + 0x10000, 0x400000);
  if (campaign->booted_new == 0) {
    assert_memory_equal(fixture_bytes(victim) + 0x410000, fixture_bytes(&campaign->fixture) + 0x410000, 0x400000);
  }
}

static void before_operation(void *context, const struct tap_operation *operation, const void *data)
{
  struct real_campaign *campaign = context;
  uint32_t due = 1 + (uint32_t)((uint64_t)campaign->next * (campaign->total - 1) / (CUTS - 1));

  campaign->operation++;
  if (campaign->next < CUTS && campaign->operation == due) {
    cut_victim(campaign, operation, data);
    campaign->next++;
  }
}

static void run_update(struct real_campaign *campaign)
{
  struct lb_update_config config = fixture_config(&campaign->fixture, "ota_0", "ota_1");

  config.size = campaign->image.length;
  config.project = "ovms3";
  flash_tap_clear(&campaign->fixture.tap);
  assert_result(fixture_update(&campaign->fixture, &config, campaign->image.bytes, campaign->image.length, 4096, NULL),
                LB_OK);
}

static void test_real_geometry(void **state)
{
  struct real_campaign *campaign = unit_allocate(sizeof(*campaign));
  struct fixture *fixture = &campaign->fixture;
  struct built_image older;
  struct built_image running;
  uint8_t *before;

  (void)state;
  firmware_announce("power cuts, real geometry");
  firmware_load(&older, FIRMWARE_585);
  firmware_load(&running, FIRMWARE_600);
  firmware_load(&campaign->image, FIRMWARE_601);
  fixture_open_ovms(fixture);
  fixture_put_image(fixture, "factory", &older);
  fixture_put_image(fixture, "ota_0", &running);
  fixture_put_image(fixture, "ota_1", &older);
  fixture_put_record(fixture, 0, 1, UNDEFINED);
  before = fixture_snapshot(fixture);
  run_update(campaign); /* how many operations it has */
  campaign->total = fixture->tap.count;
  assert_true(campaign->total > 10000);

  fixture_open_ovms(&campaign->victim);
  mbedtls_hash_sha256(&campaign->victim_hash, &campaign->victim_hash_state);
  campaign->victim.device.sha256 = &campaign->victim_hash;
  fixture_restore(&campaign->victim, before);
  fixture_restore(fixture, before);
  protect_running(fixture, "ota_0");
  fixture->tap.before = before_operation;
  fixture->tap.before_context = campaign;
  run_update(campaign);
  assert_int_equal(campaign->operation, campaign->total);
  print_message("power cuts, real geometry: %u of %u operations, %u fired, the new image boots after %u\n", CUTS,
                (unsigned)campaign->total, (unsigned)campaign->fired, (unsigned)campaign->booted_new);
  assert_int_equal(campaign->fired, CUTS);
  free(before);
  fixture_close(fixture);
  fixture_close(&campaign->victim);
  image_free(&older);
  image_free(&running);
  image_free(&campaign->image);
  free(campaign);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_miniature),
      cmocka_unit_test(test_miniature_target_selected),
      cmocka_unit_test(test_cut_again_and_again),
      cmocka_unit_test(test_real_geometry),
  };

  return cmocka_run_group_tests_name("power cuts", tests, NULL, NULL);
}
