// SPDX-License-Identifier: MIT
#include "tests/unit/support/client.h"

#include "tests/unit/support/unit.h"

#define PIECE   777U
#define ENDLESS 2000000U /* calls, after which a session is taken for one that never ends */

struct lb_update_config client_config(struct fixture *fixture, const char *running, const char *target, uint32_t size)
{
  struct lb_update_config config = fixture_config(fixture, running, target);

  config.size = size;
  config.source = CLIENT_SOURCE;
  config.validator = CLIENT_VALIDATOR;
  return config;
}

int client_resume(struct fixture *fixture, struct client *client, const struct lb_update_config *config)
{
  uint32_t operations = fixture->tap.count;
  int result = lb_update_resume(&client->update, config);

  while (result == LB_MORE) {
    uint64_t before = fixture->tap.bytes_read;

    result = lb_update_resume_step(&client->update);
    assert_in_range(fixture->tap.bytes_read - before, 0, LB_VERIFY_STEP + 1024); /* and the marks, and otadata */
  }
  assert_int_equal(fixture->tap.count, operations);
  return result;
}

static void assert_bounded(const struct fixture *fixture, uint32_t programs, uint32_t erases, uint32_t calls)
{
  assert_in_range(fixture->tap.programs - programs, 0, 1);
  assert_in_range(fixture->tap.erases - erases, 0, 1);
  assert_true(calls < ENDLESS);
}

static int push(struct fixture *fixture, struct client *client, const uint8_t *bytes, uint32_t end)
{
  for (uint32_t calls = 0, at = client->begun_at; at < end; calls++) {
    uint32_t programs = fixture->tap.programs;
    uint32_t erases = fixture->tap.erases;
    uint32_t used;
    int result = lb_update_write(&client->update, bytes + at, end - at < PIECE ? end - at : PIECE, &used);

    assert_bounded(fixture, programs, erases, calls);
    at += used;
    client->transferred += used;
    if (result != LB_OK) {
      return result;
    }
    assert_int_equal(lb_update_position(&client->update), at);
  }
  return LB_OK;
}

int client_update(struct fixture *fixture, struct client *client, const struct lb_update_config *config,
                  const uint8_t *bytes, uint32_t length, uint32_t limit)
{
  int result = client_resume(fixture, client, config);

  client->transferred = 0;
  client->resumed = result == LB_OK;
  if (result == LB_ERR_NO_JOURNAL) {
    result = lb_update_start(&client->update, config);
  }
  if (result != LB_OK) {
    return result;
  }
  client->begun_at = lb_update_position(&client->update);
  result = push(fixture, client, bytes, length < limit ? length : limit);
  if (result != LB_OK || limit < length) {
    return result ? result : LB_MORE;
  }
  for (uint32_t calls = 0;; calls++) {
    uint32_t programs = fixture->tap.programs;
    uint32_t erases = fixture->tap.erases;

    result = lb_update_finish(&client->update);
    assert_bounded(fixture, programs, erases, calls);
    if (result != LB_MORE) {
      return result;
    }
  }
}
