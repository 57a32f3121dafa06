// SPDX-License-Identifier: MIT
/*
 * Updates over links and from servers as bad as they get: sessions with seeds, each one module and one peer. A session
 * is `ota flash http`, again and again through lost links, power cuts and refusals, until it succeeds, which it has to
 * once the peer has run out of bad behaviour. In between the module only runs, and looks for its depot on the same
 * link; and in the end the new firmware has to reach it, and to be confirmed.
 *
 *   network [--sessions N] [--seed S] [--only NUMBER]
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module/flash_retry.h"
#include "tests/damage/tally.h"
#include "tests/network/life.h"
#include "tests/network/module_on_link.h"

#define ATTEMPTS      40U
#define POLLS         2000000U
#define IDLE_US       500000U /* of the clock, when nobody has anything to do */
#define SESSIONS      10000U
#define SEED          20261122U
#define SESSION_LIMIT 3600U /* seconds for all of them */
#define BLOCK         65536U
#define KILOBYTE      1024U
#define STILL_ENOUGH  4U
#define IDLE_MAX      900U /* seconds of running without a command */

enum count {
  COUNT_SESSIONS = PEER_BEHAVIOURS,
  COUNT_SUCCESSES,
  COUNT_REFUSALS,
  COUNT_POWER_CUTS,
  COUNT_LINK_DOWN,
  COUNT_CANCELLED,
  COUNT_RETRIES,
  COUNT_RESUMED,
  COUNT_COMPARED,
  COUNT_STARTED_OVER,
  COUNT_BOOTS,
  COUNT_LOOKS,
  COUNT_IDLE_CUTS,
  COUNT_CONFIRMED,
  COUNT_LISTS,
  COUNT_PATCHES_CHOSEN,
  COUNT_PATCHES_GIVEN_UP,
  COUNT_BY_PATCH,
  COUNTS
};
_Static_assert((unsigned)COUNTS <= TALLY_COUNTS, "the tally has room for all that is counted");

/* What a session has besides its module and its peer. */
struct session {
  struct tally *tally;
  struct module_on_link *link;
  struct unit_random random;
  uint32_t cuts;     /* power cuts, cancelled commands and failures: after each one a block may come again */
  uint64_t fresh_at; /* module_on_link_received when the whole was last begun */
  bool was_updated;  /* the power went when the update was almost done: it boots already */
  struct lb_partition running;
  struct lb_partition target; /* of the last attempt */
};

/* What may happen to an attempt from outside, and when: in kilobytes that have come and half seconds of waiting. */
struct fate {
  uint64_t cancel_at; /* 0: never */
  uint64_t link_at;   /* the link goes down; 0: never */
  uint64_t link_us;   /* for so long */
  bool late_cut;      /* the power goes when all has come */
};

/* What the present session has said so far, for the complaint. */
static char story[1U << 20];
static size_t story_length;

static struct peer peer;
static struct module_on_link *links[2];
static struct built_image old_images[3];
static struct built_image files[PEER_FILES];
static struct peer_patch patches[PEER_PATCHES];
static uint8_t *at_first[2]; /* the flash as each link's module begins */
static uint64_t base_seed = SEED;

/* ---- what is there ---- */

static void make_images(void)
{
  /* two of the same length, one that ends with a block, and one that leaves no room for a journal */
  static const uint32_t lengths[PEER_FILES] = {140000, 200000, 262144, 200000, 330000, 392000};
  static const uint32_t old_lengths[3] = {100000, 150000, 300000};
  char version[16];
  /* some of them are like an old one, so that patches are small */
  static const uint32_t seeds[PEER_FILES] = {200, 101, 201, 103, 200, 105};
  for (uint32_t i = 0; i < PEER_FILES; i++) {
    snprintf(version, sizeof version, "3.2.%03u", (unsigned)i);
    image_make(&files[i], seeds[i], lengths[i], version);
  }
  for (uint32_t i = 0; i < 3; i++) {
    image_make(&old_images[i], 200U + i, old_lengths[i], "3.1.001");
  }
}

static void need(bool condition, const char *what);

/* From factory to two files, from ota_0 to one. */
static void make_patches(void)
{
  static const uint32_t of_files[PEER_PATCHES] = {0, 2, 4};
  static const uint32_t bases[PEER_PATCHES] = {0, 1, 0};
  const struct patch_make_options options = {.profile = LB_PATCH_PROFILE_DEFAULT};
  for (uint32_t i = 0; i < PEER_PATCHES; i++) {
    const struct built_image *base = &old_images[bases[i]];
    const struct built_image *file = &files[of_files[i]];
    patches[i].file = of_files[i];
    memcpy(patches[i].base, base->info.digest, LB_SHA256_SIZE);
    need(patch_make(base->bytes, base->length, file->bytes, file->length, &options, &patches[i].bytes) == LB_OK,
         "no patch");
  }
}

static void need(bool condition, const char *what)
{
  if (!condition) {
    fprintf(stderr, "network: %s\n", what);
    exit(1);
  }
}

/* Once for each process: peers and modules are not shared. */
static void open_all(void)
{
  make_images();
  make_patches();
  links[0] = calloc(1, sizeof *links[0]);
  links[1] = calloc(1, sizeof *links[1]);
  need(links[0] && links[1], "no memory");
  need(peer_open(&peer, files, NULL), "no socket on the loopback");
  peer.patches = patches;
  for (int i = 0; i < 2; i++) {
    need(module_on_link_open(links[i], &peer, old_images, (enum module_state)i), "no module");
    at_first[i] = malloc(links[i]->flash.driver.size);
    need(at_first[i] != NULL, "no memory");
    memcpy(at_first[i], sim_flash_bytes(&links[i]->flash), links[i]->flash.driver.size);
  }
}

static void tell_story(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tell_story(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(story + story_length, sizeof story - story_length, format, arguments);
  va_end(arguments);
  if (length > 0 && (size_t)length < sizeof story - story_length) {
    story_length += (size_t)length;
  }
}

/* ---- the promises ---- */

static const uint8_t *bytes_of(const struct session *session, const struct lb_partition *partition)
{
  return sim_flash_bytes(&session->link->flash) + partition->offset;
}

static bool holds(const struct session *session, const struct built_image *image)
{
  return memcmp(bytes_of(session, &session->target), image->bytes, image->length) == 0;
}

/* Is in the target what the server has? If it lied about its ETag, or has patches for files before, one of its files.
 */
static bool holds_what_was_sent(const struct session *session)
{
  bool any = false;
  for (uint32_t i = 0; i < PEER_FILES; i++) {
    any = any || holds(session, &files[i]);
  }
  return holds(session, &files[peer.file]) || ((peer.lied || peer.has_patches) && any);
}

/* Of the image that is in the target, which with patches may be that of the file before. */
static uint32_t length_held(const struct session *session)
{
  uint32_t length = files[peer.file].length;
  for (uint32_t i = 0; i < PEER_FILES && peer.has_patches; i++) {
    length = holds(session, &files[i]) ? files[i].length : length;
  }
  return length;
}

static void check_untouched(struct session *session, const uint8_t *before)
{
  const struct lb_partition factory = module_on_link_partition(session->link, "factory");
  if (memcmp(bytes_of(session, &factory), before + factory.offset, factory.size) != 0) {
    tally_broken(session->tally, "factory was changed");
  }
  if (memcmp(bytes_of(session, &session->running), before + session->running.offset, session->running.size) != 0) {
    tally_broken(session->tally, "%s was changed while it ran", session->running.label);
  }
}

/* Cause and remedy, with the code behind them. */
static void check_words(struct session *session)
{
  const char *error = strstr(session->link->output, "Error: ");
  if (!error || !strstr(error, " - ") || !strstr(error, "(ESP_")) {
    tally_broken(session->tally, "a failure without cause and remedy:\n%s", session->link->output);
  }
}

/* Boots. False: nothing does, or something that should not. */
static bool boot(struct session *session, bool may_be_updated)
{
  const int err = module_on_link_boot(session->link);
  const char *label = session->link->bootloader.decision.partition.label;
  session->tally->counts[COUNT_BOOTS]++;
  if (err) {
    tally_stranded(session->tally, "nothing boots: %s", lb_error_info(err)->name);
    return false;
  }
  tell_story("%s boots\n", label);
  session->was_updated = strcmp(label, session->target.label) == 0;
  if (session->was_updated && may_be_updated && holds_what_was_sent(session)) {
    return true;
  }
  if (strcmp(label, session->running.label) != 0) {
    tally_broken(session->tally, "%s boots%s", label, session->was_updated ? ", and it is not what was sent" : "");
    return false;
  }
  return true;
}

/*
 * How many bytes came for the image that is there now: all of it once, and after each interruption a block and what the
 * ring had not given to the flash yet.
 */
static void check_bytes(struct session *session)
{
  const uint64_t came = module_on_link_received - session->fresh_at;
  const uint64_t most = length_held(session) + (uint64_t)session->cuts * (BLOCK + READ_AHEAD_SIZE + 1U);
  if (peer.all_strong && !peer.lied && came > most) {
    tally_broken(session->tally, "%llu bytes came for an image of %u, with %u interruptions", (unsigned long long)came,
                 (unsigned)length_held(session), (unsigned)session->cuts);
  }
}

/* ---- an attempt ---- */

static struct fate draw_fate(struct session *session, uint32_t attempt)
{
  struct fate fate = {0};
  struct unit_random *random = &session->random;
  if (attempt >= 6 || unit_random_below(random, 2) == 0) {
    return fate;
  }
  switch (unit_random_below(random, 6)) {
  case 0:
    fate.cancel_at = 1U + unit_random_below(random, 400);
    break;
  case 1:
    fate.link_at = 1U + unit_random_below(random, 400);
    fate.link_us = 1000000ULL * (1U + unit_random_below(random, 300));
    break;
  case 2:
  case 3:
    fate.late_cut = true;
    break;
  default:
    sim_flash_seed(&session->link->flash, unit_random_next(random));
    sim_flash_cut_at(&session->link->flash, 1U + unit_random_below(random, 1500),
                     unit_random_below(random, 2) ? SIM_CUT_TORN : SIM_CUT_UNSTABLE);
    break;
  }
  return fate;
}

/* The link goes down, and comes back when its time has come. */
static void move_link(struct session *session, struct fate *fate, uint64_t progress)
{
  const struct port_network *network = session->link->port.network;
  const uint64_t now_us = sim_clock_now_us(&session->link->clock);
  if (fate->link_at != 0 && progress >= fate->link_at) {
    fate->link_at = 0;
    fate->link_us += now_us;
    network->set_link(network->context, false, "");
    session->tally->counts[COUNT_LINK_DOWN]++;
  }
  if (!network->is_up(network->context) && now_us >= fate->link_us) {
    network->set_link(network->context, true, "");
  }
}

/* All has come, and the power goes at one of the next operations of the flash. */
static void cut_late(struct session *session, struct fate *fate)
{
  if (fate->late_cut && session->link->module.flash_job.stage == FLASH_JOB_FINISHING) {
    fate->late_cut = false;
    sim_flash_cut_at(&session->link->flash, 1U + unit_random_below(&session->random, 30), SIM_CUT_TORN);
  }
}

/* The whole begins to come: what came before counts no more. */
static void watch_request(struct session *session, uint32_t *seen)
{
  if (peer.answering && peer.connections != *seen) {
    *seen = peer.connections;
    const struct source *source = &session->link->module.flash_job.source;
    if (source->transfer && peer.whole) {
      session->fresh_at = module_on_link_received;
    }
  }
}

enum end { END_SUCCESS, END_FAILURE, END_CANCELLED, END_POWER_CUT };

static enum end attempt_update(struct session *session, uint32_t attempt)
{
  struct module_on_link *link = session->link;
  struct fate fate = draw_fate(session, attempt);
  const uint64_t received = module_on_link_received;
  uint32_t seen = peer.connections;
  uint32_t still = 0; /* rounds in which nothing happened */
  uint64_t waited = 0;
  link->output_length = 0;
  link->output_overflowed = false;
  link->output[0] = '\0';
  int result = console_execute(&link->console, "ota flash http " LINK_SOURCE);
  for (uint32_t poll = 1; result == LB_MORE; poll++) {
    if (poll >= POLLS) {
      tally_broken(session->tally, "it goes on for ever:\n%s", link->output);
      break;
    }
    const uint64_t progress = (module_on_link_received - received) / KILOBYTE + waited;
    move_link(session, &fate, progress);
    if (fate.cancel_at != 0 && progress >= fate.cancel_at) {
      session->tally->counts[COUNT_CANCELLED]++;
      console_cancel(&link->console);
      return END_CANCELLED;
    }
    cut_late(session, &fate);
    const bool moved = peer_step(&peer);
    watch_request(session, &seen);
    result = console_poll(&link->console);
    (void)module_tick(&link->module);
    if (sim_flash_cut_fired(&link->flash)) {
      return END_POWER_CUT;
    }
    still = moved || !console_is_waiting(&link->console) ? 0 : still + 1U;
    if (still >= STILL_ENOUGH) { /* the system may take a moment to carry what was sent */
      sim_clock_spend_us(&link->clock, IDLE_US);
      waited++;
    } else if (still > 0) {
      sched_yield();
    }
  }
  return result == LB_OK ? END_SUCCESS : END_FAILURE;
}

static uint64_t occurrences(const char *text, const char *wanted)
{
  uint64_t count = 0;
  for (const char *at = strstr(text, wanted); at; at = strstr(at + 1, wanted)) {
    count++;
  }
  return count;
}

static void count_output(struct session *session)
{
  const char *output = session->link->output;
  session->tally->counts[COUNT_RETRIES] += occurrences(output, "): trying again in ");
  session->tally->counts[COUNT_RESUMED] += occurrences(output, "Resuming at ");
  for (const char *at = strstr(output, "Resuming at "); at; at = strstr(at + 1, "Resuming at ")) {
    unsigned first = 0;
    unsigned size = 0;
    (void)sscanf(at, "Resuming at %u of %u", &first, &size);
    session->tally->counts[COUNT_COMPARED] += first + 1U == size ? 1 : 0;
  }
  session->tally->counts[COUNT_STARTED_OVER] += occurrences(output, "Starting over: ");
  session->tally->counts[COUNT_PATCHES_CHOSEN] += occurrences(output, "Using patch from ");
  session->tally->counts[COUNT_PATCHES_GIVEN_UP] += occurrences(output, " cannot be used: ");
}

/* False: the session is over. */
static bool try_once(struct session *session, uint32_t attempt, const uint8_t *before)
{
  struct tally *tally = session->tally;
  const enum end end = attempt_update(session, attempt);
  session->target = session->link->module.flash_job.target; /* from factory, whichever holds nothing that boots */
  count_output(session);
  tell_story("attempt %u, end %d:\n%s", (unsigned)attempt, (int)end, session->link->output);
  sim_flash_cut_at(&session->link->flash, 0, SIM_CUT_TORN);
  if (end == END_POWER_CUT) {
    tally->counts[COUNT_POWER_CUTS]++;
  }
  if (session->link->output_overflowed) {
    tally_broken(tally, "it says more than can be looked through:\n%s", session->link->output);
  }
  const bool was_done = strstr(session->link->output, "OTA flash was successful") != NULL;
  if (end == END_FAILURE || (end == END_CANCELLED && !was_done)) {
    tally->counts[COUNT_REFUSALS] += end == END_FAILURE ? 1 : 0;
    check_words(session);
  }
  if (!peer.damaged && (strstr(session->link->output, "Error: invalid app image") ||
                        strstr(session->link->output, "Error: not as many bytes came as were announced"))) {
    tally_broken(tally, "parts that do not belong together were put together:\n%s", session->link->output);
  }
  if (end == END_SUCCESS && !holds_what_was_sent(session)) {
    tally_broken(tally, "success, and it is not what the server has:\n%s", session->link->output);
  }
  if (end == END_SUCCESS) {
    check_bytes(session);
    tally->counts[COUNT_BY_PATCH] += session->link->module.flash_job.patch.way != FLASH_PATCH_NOT;
  }
  session->cuts += end == END_SUCCESS ? 0 : 1;
  module_on_link_power_off(session->link);
  check_untouched(session, before);
  if (!boot(session, end == END_POWER_CUT || was_done)) {
    return false;
  }
  if (end == END_SUCCESS && !session->was_updated) {
    tally_broken(tally, "success, and %s boots", session->running.label);
  }
  tally->counts[COUNT_SUCCESSES] += session->was_updated ? 1 : 0;
  return !session->was_updated;
}

/* ---- without a command ---- */

/* The power went while the module only ran: it boots what it booted before. */
static bool lose_power(struct session *session, const struct lb_partition *expected)
{
  struct module_on_link *link = session->link;
  session->tally->counts[COUNT_IDLE_CUTS]++;
  sim_flash_cut_at(&link->flash, 0, SIM_CUT_TORN);
  module_on_link_power_off(link);
  const int err = module_on_link_boot(link);
  const char *label = link->bootloader.decision.partition.label;
  tell_story("the power went without a command, %s boots\n", err ? "nothing" : label);
  if (err) {
    tally_stranded(session->tally, "nothing boots: %s", lb_error_info(err)->name);
  } else if (strcmp(label, expected->label) != 0) {
    tally_broken(session->tally, "%s boots after the power went in %s", label, expected->label);
  }
  return err == LB_OK && strcmp(label, expected->label) == 0;
}

static void arm_cut(struct session *session, uint32_t one_in)
{
  struct unit_random *random = &session->random;
  if (unit_random_below(random, one_in) == 0) {
    sim_flash_seed(&session->link->flash, unit_random_next(random));
    sim_flash_cut_at(&session->link->flash, 1U + unit_random_below(random, 8),
                     unit_random_below(random, 2) ? SIM_CUT_TORN : SIM_CUT_UNSTABLE);
  }
}

/* The firmware that is to be replaced runs for a while, or not at all. False: the session is over. */
static bool rest(struct session *session, const uint8_t *before)
{
  struct module_on_link *link = session->link;
  if (unit_random_below(&session->random, 2) == 0) {
    return true;
  }
  arm_cut(session, 4);
  if (!life_pass(link, &peer, 1U + unit_random_below(&session->random, IDLE_MAX))) {
    return lose_power(session, &session->running);
  }
  sim_flash_cut_at(&link->flash, 0, SIM_CUT_TORN);
  life_check_history(link, session->tally);
  check_untouched(session, before);
  return true;
}

/* The new firmware has to get through its trial, whatever the link is like; the power goes at most once in it. */
static void try_new_firmware(struct session *session)
{
  struct module_on_link *link = session->link;
  arm_cut(session, 3);
  bool on = life_trial(link, &peer);
  if (!on && !lose_power(session, &session->target)) {
    return;
  }
  on = on || life_trial(link, &peer);
  sim_flash_cut_at(&link->flash, 0, SIM_CUT_TORN);
  const uint64_t wrong = session->tally->broken;
  life_check_history(link, session->tally);
  life_check_confirmed(link, session->tally);
  session->tally->counts[COUNT_CONFIRMED] += session->tally->broken == wrong ? 1 : 0;
}

static void run_session(uint32_t number, struct tally *tally)
{
  static char place[64];
  const uint64_t seed = base_seed + number;
  if (!links[0]) {
    open_all();
  }
  const int state = (int)(number % 2U);
  struct session session = {.tally = tally, .link = links[state], .random = {.state = ~seed}};
  snprintf(place, sizeof place, "session %u (--seed %llu --only %u)", (unsigned)number, (unsigned long long)base_seed,
           (unsigned)number);
  tally->place = place;
  session.running = module_on_link_partition(session.link, state == MODULE_FROM_SLOT ? "ota_0" : "factory");
  sim_flash_rewind(&session.link->flash);
  memset(peer.played, 0, sizeof peer.played);
  peer.looks = 0;
  peer.lists = 0;
  peer.has_patches = number % 4U >= 2U;
  module_on_link_take_patches(session.link, peer.has_patches);
  peer.clock = &session.link->clock;
  peer_begin(&peer, seed);
  session.link->port.seed = (uint32_t)seed;
  session.fresh_at = module_on_link_received;
  tally->counts[COUNT_SESSIONS]++;
  const uint64_t wrong = tally->broken + tally->stranded;
  story_length = 0;
  bool more = boot(&session, false);
  uint32_t attempt = 0;
  for (; more && attempt < ATTEMPTS; attempt++) {
    more = rest(&session, at_first[state]) && try_once(&session, attempt, at_first[state]);
  }
  if (more) {
    tally_broken(tally, "no success in %u attempts; the last one:\n%s", ATTEMPTS, session.link->output);
  }
  if (session.was_updated) {
    try_new_firmware(&session);
  }
  for (unsigned i = 0; i < PEER_BEHAVIOURS; i++) {
    tally->counts[i] += peer.played[i];
  }
  tally->counts[COUNT_LOOKS] += peer.looks;
  tally->counts[COUNT_LISTS] += peer.lists;
  if (tally->broken + tally->stranded > wrong) {
    fprintf(stderr, "%s:\n%s", place, story);
  }
}

int main(int argc, char **argv)
{
  static const char *const outcomes[COUNTS - PEER_BEHAVIOURS] = {
      "sessions",
      "successes",
      "refusals",
      "power cuts",
      "links taken down",
      "cancelled",
      "lost links tried again",
      "resumed",
      "resumed with nothing left but to ask whether it is the same",
      "started over",
      "boots",
      "looks for the depot",
      "power cuts without a command",
      "confirmed",
      "lists of patches",
      "patches chosen",
      "patches given up",
      "patches applied"};
  static struct tally total;
  const char *names[COUNTS];
  uint32_t sessions = SESSIONS;
  long only = -1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const uint64_t value = tally_number(argv[i + 1]);
    if (strcmp(argv[i], "--sessions") == 0) {
      sessions = (uint32_t)value;
    } else if (strcmp(argv[i], "--seed") == 0) {
      base_seed = value;
    } else if (strcmp(argv[i], "--only") == 0) {
      only = (long)value;
    }
  }
  printf("network: --seed %llu --sessions %u\n", (unsigned long long)base_seed, (unsigned)sessions);
  fflush(stdout);
  if (only >= 0) {
    run_session((uint32_t)only, &total);
    printf("%s", story);
    return total.broken + total.stranded > 0;
  }
  tally_share_out(&total, sessions, run_session, SESSION_LIMIT);
  for (unsigned i = 0; i < COUNTS; i++) {
    names[i] = i < PEER_BEHAVIOURS ? peer_behaviour_name((enum peer_behaviour)i) : outcomes[i - PEER_BEHAVIOURS];
  }
  return tally_end(&total, "network", names, COUNTS);
}
