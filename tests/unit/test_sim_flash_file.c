// SPDX-License-Identifier: MIT
/* A flash in a file: it keeps its bytes, has a size that exists, and only one module may have it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ports/sim/flash.h"
#include "tests/unit/support/unit.h"

static char folder[] = "/tmp/lifeboat-flash-XXXXXX";

static int make_folder(void **state)
{
  (void)state;
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
  (void)state;
  return rmdir(folder);
}

static const char *path_of(const char *name)
{
  static char path[128];

  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void make_file(const char *name, off_t size)
{
  const int fd = open(path_of(name), O_CREAT | O_RDWR, 0600);

  assert_true(fd >= 0);
  assert_int_equal(ftruncate(fd, size), 0);
  close(fd);
}

static void test_file_keeps_bytes(void **state)
{
  struct sim_flash flash;
  const struct lb_flash *driver = &flash.driver;
  uint8_t bytes[3] = {0};

  (void)state;
  make_file("flash", 4 << 20);
  assert_result(sim_flash_open_file(&flash, path_of("flash"), SIM_FLASH_READ_WRITE), LB_OK);
  assert_int_equal(driver->size, 4 << 20);
  assert_int_equal(driver->page_size, 256);
  assert_int_equal(driver->erase(driver->context, 0x10000, 65536), 0);
  assert_int_equal(driver->program(driver->context, 0x10001, "\xA5", 1), 0);
  sim_flash_close(&flash);

  assert_result(sim_flash_open_file(&flash, path_of("flash"), SIM_FLASH_READ_ONLY), LB_OK);
  assert_int_equal(driver->read(driver->context, 0xFFFF, bytes, 3), 0);
  assert_memory_equal(bytes, "\x00\xFF\xA5", 3);
  assert_int_not_equal(driver->program(driver->context, 0x10001, "\0", 1), 0);
  assert_int_not_equal(driver->erase(driver->context, 0x10000, 4096), 0);
  sim_flash_close(&flash);
  unlink(path_of("flash"));
}

static void test_file_sizes(void **state)
{
  static const struct {
    off_t size;
    int result;
  } cases[] = {
      {0, SIM_FLASH_ERR_SIZE},
      {1 << 20, SIM_FLASH_ERR_SIZE},
      {(4 << 20) - 1, SIM_FLASH_ERR_SIZE},
      {4 << 20, LB_OK},
      {8 << 20, LB_OK},
      {(16 << 20) + 1, SIM_FLASH_ERR_SIZE},
      {16 << 20, LB_OK},
      {32 << 20, LB_OK},
      {64 << 20, SIM_FLASH_ERR_SIZE},
  };

  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sim_flash flash;

    make_file("sized", cases[i].size);
    assert_result(sim_flash_open_file(&flash, path_of("sized"), SIM_FLASH_READ_WRITE), cases[i].result);
    sim_flash_close(&flash);
  }
  unlink(path_of("sized"));
}

static void test_file_refusals(void **state)
{
  struct sim_flash flash;

  (void)state;
  assert_result(sim_flash_open_file(&flash, path_of("none"), SIM_FLASH_READ_WRITE), SIM_FLASH_ERR_MISSING);
  assert_result(sim_flash_open_file(&flash, folder, SIM_FLASH_READ_WRITE), SIM_FLASH_ERR_NOT_A_FILE);
  assert_result(sim_flash_open_file(&flash, folder, SIM_FLASH_READ_ONLY), SIM_FLASH_ERR_NOT_A_FILE);
  assert_result(sim_flash_open_file(&flash, "/dev/null", SIM_FLASH_READ_WRITE), SIM_FLASH_ERR_NOT_A_FILE);
  assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
  assert_result(sim_flash_open_file(&flash, path_of("pipe"), SIM_FLASH_READ_ONLY), SIM_FLASH_ERR_NOT_A_FILE);
  unlink(path_of("pipe"));

  make_file("theirs", 4 << 20);
  assert_int_equal(chmod(path_of("theirs"), 0400), 0);
  assert_int_equal(chmod(folder, 0711), 0);
  const uid_t user = geteuid();
  if (user == 0) {
    assert_int_equal(seteuid(65534), 0); /* root may read anything */
    assert_result(sim_flash_open_file(&flash, path_of("theirs"), SIM_FLASH_READ_ONLY), SIM_FLASH_ERR_PERMISSION);
  }
  assert_result(sim_flash_open_file(&flash, path_of("theirs"), SIM_FLASH_READ_WRITE), SIM_FLASH_ERR_PERMISSION);
  assert_int_equal(seteuid(user), 0);
  unlink(path_of("theirs"));
}

/* Opens the file in another process and tells what that answered. */
static int open_elsewhere(const char *path, enum sim_flash_access access)
{
  int status = 0;
  const pid_t child = fork();

  if (child == 0) {
    struct sim_flash flash;
    const int err = sim_flash_open_file(&flash, path, access);

    sim_flash_close(&flash);
    _exit(err == LB_OK ? 0 : SIM_FLASH_ERR_MISSING - err + 1);
  }
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status) == 0 ? LB_OK : SIM_FLASH_ERR_MISSING - WEXITSTATUS(status) + 1;
}

static void test_file_in_use(void **state)
{
  struct sim_flash flash;

  (void)state;
  make_file("used", 4 << 20);
  assert_result(sim_flash_open_file(&flash, path_of("used"), SIM_FLASH_READ_WRITE), LB_OK);
  assert_result(open_elsewhere(path_of("used"), SIM_FLASH_READ_WRITE), SIM_FLASH_ERR_IN_USE);
  assert_result(open_elsewhere(path_of("used"), SIM_FLASH_READ_ONLY), SIM_FLASH_ERR_IN_USE);
  sim_flash_close(&flash);
  assert_result(sim_flash_open_file(&flash, path_of("used"), SIM_FLASH_READ_ONLY), LB_OK);
  assert_result(open_elsewhere(path_of("used"), SIM_FLASH_READ_ONLY), LB_OK);
  assert_result(open_elsewhere(path_of("used"), SIM_FLASH_READ_WRITE), SIM_FLASH_ERR_IN_USE);
  sim_flash_close(&flash);
  assert_result(open_elsewhere(path_of("used"), SIM_FLASH_READ_WRITE), LB_OK);
  unlink(path_of("used"));
}

static void test_errors_have_words(void **state)
{
  (void)state;
  for (int code = SIM_FLASH_ERR_MISSING; code >= SIM_FLASH_ERR_SYSTEM; code--) {
    assert_int_equal(sim_flash_error_info(code)->code, code);
    assert_non_null(strstr(sim_flash_error_info(code)->name, "SIM_FLASH_ERR_"));
    assert_string_not_equal(sim_flash_error_info(code)->cause, "unknown error");
  }
  assert_string_equal(sim_flash_error_info(-9999)->cause, "unknown error");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_file_keeps_bytes),  cmocka_unit_test(test_file_sizes),
      cmocka_unit_test(test_file_refusals),     cmocka_unit_test(test_file_in_use),
      cmocka_unit_test(test_errors_have_words),
  };

  return cmocka_run_group_tests_name("sim_flash_file", tests, make_folder, remove_folder);
}
