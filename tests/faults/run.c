// SPDX-License-Identifier: MIT
/* One run: the driver that the library sees, booting, failing. What happens at an operation is explore.c's. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/faults/checks.h"
#include "tests/faults/explore.h"

#define MAX_READS 20000000U

static int tap_read(void *context, uint32_t address, void *buffer, uint32_t length)
{
  struct run *run = context;
  if (++run->reads > MAX_READS) {
    run_fail(run, 0, "it reads for ever");
  }
  return run->engine->chip.driver.read(&run->engine->chip, address, buffer, length);
}

static int tap_program(void *context, uint32_t address, const void *data, uint32_t length)
{
  struct run *run = context;
  const struct operation operation = {
      .kind = SIM_OPERATION_PROGRAM, .address = address, .length = length, .data = data};
  explore_operation(run, &operation);
  return operation_do(run->engine, &operation);
}

static int tap_erase(void *context, uint32_t address, uint32_t length)
{
  struct run *run = context;
  const struct operation operation = {.kind = SIM_OPERATION_ERASE, .address = address, .length = length};
  explore_operation(run, &operation);
  return operation_do(run->engine, &operation);
}

int operation_do(struct engine *engine, const struct operation *operation)
{
  const struct lb_flash *driver = &engine->chip.driver;
  if (operation->kind == SIM_OPERATION_ERASE) {
    return driver->erase(driver->context, operation->address, operation->length);
  }
  return driver->program(driver->context, operation->address, operation->data, operation->length);
}

void run_prepare(struct run *run)
{
  struct engine *engine = run->engine;
  run->operations = 0;
  run->reads = 0;
  run->running_on = false;
  run->flash = engine->chip.driver;
  run->flash.context = run;
  run->flash.read = tap_read;
  run->flash.program = tap_program;
  run->flash.erase = tap_erase;
  known_hash_start(&run->sha256, &engine->images);
  known_hash_start(&run->sha256_patch, &engine->images);
  mbedtls_hash_md5(&run->md5, &run->md5_state);
  run->device = (struct lb_device){
      .flash = &run->flash,
      .sha256 = &run->sha256.hash,
      .md5 = &run->md5,
      .table = &run->table,
      .chip = lb_chip_by_name("esp32"),
      .revision = 300,
  };
}

struct run *run_new(struct engine *engine, uint32_t level)
{
  struct run *run = calloc(1, sizeof *run);
  if (!run) {
    abort();
  }
  run->engine = engine;
  run->level = level;
  run->kinds = calloc(MAX_OPERATIONS, sizeof *run->kinds);
  if (!run->kinds) {
    abort();
  }
  return run;
}

void run_free(struct run *run)
{
  if (run) {
    free(run->kinds);
    free(run);
  }
}

/* What leads there, as --replay takes it. */
static void print_path(const struct engine *engine, FILE *to)
{
  fprintf(to, "%s", engine->scenario->name);
  for (uint32_t i = 0; i < engine->path_length; i++) {
    fprintf(to, ":%u:%s", (unsigned)engine->path[i].operation, sim_cut_name(engine->path[i].way));
  }
  fprintf(to, ":%llu", (unsigned long long)engine->seed);
}

#define FAILURES_PRINTED 10U

void run_fail(struct run *run, uint32_t promise, const char *format, ...)
{
  struct engine *engine = run->engine;
  const uint64_t before = engine->counts.stranded + engine->counts.broken;
  if (promise == 0) {
    engine->counts.stranded++;
  } else {
    engine->counts.broken++;
  }
  if (before < FAILURES_PRINTED || engine->verbose) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (promise == 0) {
      fprintf(stderr, "stranded: step %u: %s\n  --replay ", (unsigned)run->ledger.step + 1, text);
    } else {
      fprintf(stderr, "promise %u broken: step %u: %s\n  --replay ", (unsigned)promise, (unsigned)run->ledger.step + 1,
              text);
    }
    print_path(engine, stderr);
    fprintf(stderr, "\n");
  }
  longjmp(run->ended, RUN_FAILED);
}

static void protect(struct run *run)
{
  struct engine *engine = run->engine;
  const struct lb_partition *factory = &engine->slots[SLOT_FACTORY];
  const struct lb_partition *running = &engine->slots[run->ledger.running.slot];
  sim_flash_unprotect_all(&engine->chip);
  (void)sim_flash_protect(&engine->chip, running->offset, running->size);
  if (factory->size != 0) {
    (void)sim_flash_protect(&engine->chip, factory->offset, factory->size);
  }
}

void run_protect(struct run *run)
{
  protect(run);
}

void run_boot(struct run *run, enum lb_reset reset)
{
  struct engine *engine = run->engine;
  const struct lb_partition *factory = &engine->slots[SLOT_FACTORY];
  ledger_begin_boot(&run->ledger, reset);
  sim_flash_unprotect_all(&engine->chip); /* nothing runs now */
  if (factory->size != 0) {
    (void)sim_flash_protect(&engine->chip, factory->offset, factory->size);
  }
  const int result = lb_boot(&run->device, &run->table, &run->work.verify, NULL, reset, &run->decision);
  if (result != LB_OK) {
    run_fail(run, 0, "nothing boots: %s", lb_error_info(result)->name);
  }
  if (engine->trace) {
    printf("%u: %s boots, attempt %u of %u\n", (unsigned)run->level, run->decision.partition.label,
           (unsigned)run->decision.attempt, (unsigned)run->decision.attempts);
  }
  check_booted(run);
  protect(run);
  check_untouched(run);
  check_otadata(run, true);
  check_setting(run);
  check_history(run);
}
