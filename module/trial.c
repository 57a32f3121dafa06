// SPDX-License-Identifier: MIT
#include "module/trial.h"

#include <stddef.h>

#include "module/depot.h"
#include "module/module.h"
#include "module/words.h"

#define MS            1000U
#define MARKS_AT_ONCE 4U /* a few milliseconds of the flash's time */

static uint64_t now_ms(const struct module *module)
{
  const struct port_clock *clock = module->port->clock;
  return clock->now_ms(clock->context);
}

static uint64_t run_ms(const struct module *module)
{
  return now_ms(module) - module->uptime.boot_time_ms;
}

/* ---- what the settings say ---- */

/* A setting that is a number: its validator has seen to it that this is one, and a small one. */
static uint32_t read_number(struct module *module, const char *instance)
{
  char value[SETTINGS_VALUE_SIZE];
  uint32_t number = 0;
  (void)settings_get(&module->settings, "ota", instance, value, NULL); /* if it cannot be read: its default */
  for (const char *at = value; *at >= '0' && *at <= '9'; at++) {
    number = number * 10U + (uint32_t)(*at - '0');
  }
  return number;
}

static const struct module_trial *with_terms(struct module *module)
{
  struct module_trial *trial = &module->trial;
  if (!trial->has_terms) {
    trial->time_s = read_number(module, "trial.time");
    trial->attempts = read_number(module, "trial.attempts");
    trial->has_terms = true;
  }
  return trial;
}

void module_trial_forget_settings(struct module *module)
{
  module->trial.has_terms = false;
}

uint32_t module_trial_time(struct module *module)
{
  return with_terms(module)->time_s;
}

uint32_t module_run_time(const struct module *module)
{
  return (uint32_t)(run_ms(module) / MS);
}

/* ---- what otadata says ---- */

/* The active record, if it selects the running firmware. */
static const struct lb_otadata_record *own_record(const struct module *module, const struct lb_otadata *otadata)
{
  struct lb_partition selected;
  if (otadata->active == LB_OTADATA_NONE || lb_otadata_selected(otadata, module->table, &selected) != LB_OK ||
      !lb_partition_same(&selected, &module->boot.partition)) {
    return NULL;
  }
  return &otadata->records[otadata->active];
}

int module_trial_find(struct module *module, struct lb_otadata *otadata)
{
  return lb_trial_find(otadata, &module->device, &module->boot.partition);
}

static int read_otadata(struct module *module)
{
  struct module_trial *trial = &module->trial;
  struct lb_otadata otadata;
  int result = module_trial_find(module, &otadata);
  update_log_review(&module->update_log); /* its entries follow otadata */
  if (result != LB_OK && result != LB_ERR_NOT_ON_TRIAL && result != LB_ERR_NO_OTADATA) {
    return result;
  }
  const struct lb_otadata_record *record = result == LB_ERR_NO_OTADATA ? NULL : own_record(module, &otadata);
  trial->on_trial = result == LB_OK;
  trial->no_mark = !record;
  trial->survived = false; /* it may be another record now: marking it twice does no harm */
  trial->depot_expected = record && record->trial.depot_expected;
  trial->depot_reached = trial->depot_reached || (record && record->trial.depot_reached);
  trial->depot_marked = trial->depot_marked && record && record->trial.depot_reached;
  trial->half_confirmed = record && record->trial.confirmed && !record->trial.mirrored;
  trial->quarters = record ? record->trial.quarters : 0;
  trial->known = true;
  return LB_OK;
}

/* ---- marks ---- */

/* What comes of a mark. That it is not on trial any more is found out by reading otadata again. */
static int marked(struct module *module, int result)
{
  struct module_trial *trial = &module->trial;
  if (result == LB_OK) {
    trial->error = LB_OK;
    return LB_OK;
  }
  trial->known = false;
  if (result != LB_ERR_NOT_ON_TRIAL) {
    trial->error = result;
    trial->again_ms = now_ms(module) + MODULE_AGAIN_MS;
  }
  return result;
}

static int confirm(struct module *module)
{
  struct module_trial *trial = &module->trial;
  int err = marked(module, lb_trial_confirm(&module->device, &module->boot.partition));
  if (err == LB_OK) {
    trial->on_trial = false;
    trial->confirmed = true;
    update_log_review(&module->update_log);
  }
  return err;
}

static bool has_reached_depot(const struct module_trial *trial)
{
  return trial->depot_reached;
}

static bool has_run(struct module *module)
{
  return module_run_time(module) >= module_trial_time(module);
}

int module_trial_confirm(struct module *module)
{
  struct lb_otadata otadata;
  int err = module_trial_find(module, &otadata);
  if (err) {
    return err;
  }
  module->trial.word_given = true;
  return has_run(module) ? confirm(module) : LB_MORE;
}

int module_trial_reject(struct module *module, enum lb_trial_cause cause)
{
  int err = marked(module, lb_trial_reject(&module->device, &module->boot.partition, cause));
  if (err == LB_OK) {
    module->trial.on_trial = false;
    module->reset_requested = true;
  }
  return err;
}

/* One mark of those that are due, the most important first. False: none is. */
static bool make_mark(struct module *module)
{
  struct module_trial *trial = &module->trial;
  const struct lb_device *device = &module->device;
  const struct lb_partition *running = &module->boot.partition;
  if (trial->depot_reached && !trial->depot_marked && !trial->no_mark) {
    int result = lb_trial_reach_depot(device, running);
    trial->no_mark = result == LB_ERR_NOT_FOUND;
    trial->depot_marked = result == LB_OK;
    if (!trial->no_mark) {
      (void)marked(module, result); /* it keeps the error */
    }
    return true;
  }
  if (trial
          ->half_confirmed) { /* a cut left the verdict so that the bootloader did not see it, and now it can be seen */
    trial->half_confirmed = false;
    (void)confirm(module);
    return true;
  }
  if (!trial->on_trial) {
    return false;
  }
  if (!trial->survived && has_run(module)) {
    trial->survived = marked(module, lb_trial_survive(device, running)) == LB_OK;
    return true;
  }
  if (trial->survived && (has_reached_depot(trial) || trial->word_given)) {
    (void)confirm(module);
    return true;
  }
  if (trial->quarters < LB_TRIAL_QUARTERS && run_ms(module) / MODULE_QUARTER_MS > trial->counted) {
    if (marked(module, lb_trial_count_quarter(device, running)) == LB_OK) {
      trial->counted++;
      trial->quarters++;
    }
    return true;
  }
  bool proved = has_reached_depot(trial) || trial->word_given; /* it is confirmed when its time has run */
  if (trial->quarters >= LB_TRIAL_QUARTERS && trial->depot_expected && !trial->looking && !proved) {
    (void)module_trial_reject(module, LB_TRIAL_NO_DEPOT);
    return true;
  }
  return false;
}

/*
 * A command holds the flash, and may for longer than the trial time. The one mark that cannot wait for its end is made
 * as soon as the command lets it: without it a loss of power would count as a failed attempt.
 */
static void survive_meanwhile(struct module *module)
{
  struct module_trial *trial = &module->trial;
  if (trial->survived || !module->boot.on_trial || !has_run(module) || now_ms(module) < trial->again_ms ||
      !flash_job_leaves_otadata(&module->flash_job)) {
    return;
  }
  int result = marked(module, lb_trial_survive(&module->device, &module->boot.partition));
  trial->survived = result == LB_OK || result == LB_ERR_NOT_ON_TRIAL; /* else once more, until otadata is read again */
}

/* ---- the depot ---- */

void module_depot_reached(struct module *module)
{
  module->trial.depot_reached = true;
}

bool module_is_looking(const struct module *module)
{
  return module->trial.looking;
}

/* On trial it looks again and again; confirmed firmware looks once, so that what it selects next has to reach it, too.
 */
static bool wants_to_look(struct module *module)
{
  struct module_trial *trial = &module->trial;
  const struct port_network *network = module->port->network;
  if (has_reached_depot(trial) || (trial->looked && !trial->on_trial) || !has_run(module)) {
    return false;
  }
  if (!network->is_up(network->context)) {
    trial->look_ms = 0; /* as soon as it comes up */
    return false;
  }
  return now_ms(module) >= trial->look_ms;
}

static void look(struct module *module)
{
  struct module_trial *trial = &module->trial;
  if (!trial->looking) {
    trial->looking = wants_to_look(module);
    if (trial->looking) {
      depot_lookup_start(&trial->lookup, module);
    }
    return;
  }
  int result = depot_lookup_step(&trial->lookup);
  if (result != LB_MORE) {
    trial->looking = false;
    trial->looked = true;
    trial->look_ms = now_ms(module) + MODULE_LOOK_MS;
    trial->depot_reached = trial->depot_reached || result == LB_OK;
  }
}

/* Does the update that is under way come from the depot? Then that is reached, if the update comes to its end. */
static bool flashes_from_depot(struct module *module)
{
  const struct flash_job *job = &module->flash_job;
  char url[SOURCE_NAME_SIZE];
  if (job->stage == FLASH_JOB_IDLE || job->source.kind != SOURCE_HTTP) {
    return false;
  }
  return depot_url(module, url, sizeof url, "ovms3.bin") < sizeof url && words_equal(url, job->source.name);
}

static bool was_confirmed(void *context, const uint8_t digest[LB_SHA256_SIZE])
{
  return update_log_was_confirmed(context, digest);
}

struct lb_trial_terms module_trial_terms(struct module *module)
{
  const struct module_trial *trial = with_terms(module);
  if (!trial->known) {
    (void)read_otadata(module); /* if it cannot be read, selecting will say so */
  }
  return (struct lb_trial_terms){
      .attempts = (uint8_t)trial->attempts,
      .depot_expected = has_reached_depot(trial) || flashes_from_depot(module),
      .context = &module->update_log,
      .was_confirmed = was_confirmed,
  };
}

/* ---- time ---- */

/* The marks that are due. True: there may be more. */
static bool make_marks(struct module *module)
{
  struct module_trial *trial = &module->trial;
  bool more = true;
  if (now_ms(module) < trial->again_ms) {
    return false;
  }
  if (!trial->known) {
    return marked(module, read_otadata(module)) == LB_OK; /* it keeps the error */
  }
  for (unsigned i = 0; i < MARKS_AT_ONCE && more; i++) {
    more = make_mark(module);
  }
  return more;
}

bool module_tick(struct module *module)
{
  struct module_trial *trial = &module->trial;
  bool more = false;
  if (module->reset_requested) {
    return false;
  }
  if (module->flash_user) {
    survive_meanwhile(module);
    trial->known = false; /* its command may change otadata */
  } else {
    more = make_marks(module);
    more = update_log_at_boot(&module->update_log) == LB_MORE || more;
  }
  if (module->flash_job.stage == FLASH_JOB_REMEMBERING && flashes_from_depot(module)) { /* the update is done */
    module_depot_reached(module);
  }
  if (trial->looking || trial->known) {
    look(module);
  }
  return more && !module->reset_requested;
}

void module_die(struct module *module)
{
  depot_lookup_stop(&module->trial.lookup);
  module->trial.looking = false;
  source_close(&module->flash_job.source);
}

void module_stop(struct module *module)
{
  module_die(module);
  update_log_at_end(&module->update_log);
  /* Without the mark it will be counted as a loss of power, if anything. */
  (void)lb_trial_close(&module->device, &module->boot.partition);
}
