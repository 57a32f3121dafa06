// SPDX-License-Identifier: MIT
/* Folders as /sd and /store: what is found, and that nothing leads out of them, with openat2 and without. */
#define _GNU_SOURCE
#include "ports/sim/files.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/support/unit.h"

/* A folder with the mounts "card" and "shelf" and with "secret" beside them. */
static char folder[] = "/tmp/lifeboat-files-XXXXXX";
static char path_buffer[256];

static const char *host(const char *name)
{
  snprintf(path_buffer, sizeof path_buffer, "%s/%s", folder, name);
  return path_buffer;
}

static void put(const char *name, const char *text)
{
  const int fd = open(host(name), O_CREAT | O_WRONLY | O_TRUNC, 0644);

  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
}

static void link_to(const char *target, const char *name)
{
  assert_int_equal(symlink(target, host(name)), 0);
}

static int make_folder(void **state)
{
  char absolute[256];

  (void)state;
  assert_non_null(mkdtemp(folder));
  assert_int_equal(chmod(folder, 0755), 0);
  assert_int_equal(mkdir(host("card"), 0755), 0);
  assert_int_equal(mkdir(host("card/sub"), 0755), 0);
  assert_int_equal(mkdir(host("shelf"), 0755), 0);
  put("secret", "secret");
  put("card/b.bin", "hello");
  put("card/B.bin", "");
  put("card/a.bin", "a");
  put("card/sub/deep.bin", "deep");
  put("shelf/script", "x");
  link_to("sub/deep.bin", "card/inside");
  link_to("../b.bin", "card/sub/up");
  link_to("sub", "card/way");
  link_to("../secret", "card/outside");
  link_to("..", "card/parent");
  link_to("circle", "card/circle");
  link_to("nothing", "card/dangling");
  link_to("/proc/self/root/etc/passwd", "card/magic");
  snprintf(absolute, sizeof absolute, "%s/secret", folder);
  link_to(absolute, "card/absolute");
  assert_int_equal(mkfifo(host("card/pipe"), 0644), 0);
  return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
  (void)status;
  (void)type;
  (void)where;
  return remove(path);
}

static int remove_folder(void **state)
{
  (void)state;
  return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Both ways of opening are tested: each test runs once with `*state` pointing to false and once to true. */
static bool with_openat2 = false;
static bool without_openat2 = true;

static void mount_both(struct sim_files *files, void **state)
{
  sim_files_open(files);
  files->without_openat2 = *(bool *)*state;
  assert_result(sim_files_mount(files, "store", host("shelf")), LB_OK);
  assert_result(sim_files_mount(files, "sd", host("card")), LB_OK);
}

static int open_result(struct sim_files *files, const char *path)
{
  struct port_file *file = NULL;
  struct port_file_info info;
  const int err = files->port.open(files->port.context, path, &file, &info);

  if (!err) {
    files->port.close(file);
  }
  return err;
}

static int stat_result(struct sim_files *files, const char *path)
{
  struct port_file_info info;

  return files->port.stat(files->port.context, path, &info);
}

static void assert_content(struct sim_files *files, const char *path, const char *expected)
{
  struct port_file *file = NULL;
  struct port_file_info info;
  char text[16];
  uint32_t got = 0;
  uint32_t length = 0;

  assert_result(files->port.open(files->port.context, path, &file, &info), LB_OK);
  assert_int_equal(info.size, strlen(expected));
  assert_false(info.is_directory);
  assert_true(info.modified > 1600000000);
  do {
    assert_result(files->port.read(file, text + length, 2, &got), LB_OK);
    length += got;
  } while (got > 0);
  assert_int_equal(length, strlen(expected));
  assert_memory_equal(text, expected, length);
  assert_result(files->port.read(file, text, 4097, &got), LB_ERR_ARGUMENT);
  files->port.close(file);
}

static void test_opens(void **state)
{
  struct sim_files files;

  mount_both(&files, state);
  assert_content(&files, "/sd/b.bin", "hello");
  assert_content(&files, "/sd/B.bin", "");
  assert_content(&files, "//sd///b.bin", "hello");
  assert_content(&files, "/sd/./sub/../b.bin", "hello");
  assert_content(&files, "/sd/sub/deep.bin", "deep");
  assert_content(&files, "/store/script", "x");
  sim_files_close(&files);
}

static void test_refuses(void **state)
{
  static const struct {
    const char *path;
    int opened;
    int described;
  } cases[] = {
      {"/sd/none", PORT_ERR_FILE_NOT_FOUND, PORT_ERR_FILE_NOT_FOUND},
      {"/sd/none/../b.bin", PORT_ERR_FILE_NOT_FOUND, PORT_ERR_FILE_NOT_FOUND},
      {"/sd/b.bin/x", PORT_ERR_FILE_NOT_DIRECTORY, PORT_ERR_FILE_NOT_DIRECTORY},
      {"/sd/sub", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd/sub/", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd/sub/..", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd/", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd/..", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/sd/../secret", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/sd/../store/script", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/sd/sub/../../secret", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/sd/outside", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/sd/absolute", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/sd/magic", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/sd/parent/secret", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/sd/pipe", PORT_ERR_FILE_IO, PORT_ERR_FILE_IO},
      {"/other/x", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
      {"/s", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
      {"/sdx/b.bin", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
      {"sd/b.bin", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
      {"", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
  };
  struct sim_files files;

  mount_both(&files, state);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const int opened = open_result(&files, cases[i].path);
    const int described = stat_result(&files, cases[i].path);

    if (opened != cases[i].opened || described != cases[i].described) {
      fail_here("%s: open %d, stat %d", cases[i].path, opened, described);
    }
  }
  sim_files_close(&files);
  assert_result(open_result(&files, "/sd/b.bin"), PORT_ERR_FILE_NO_MOUNT);
}

/* Links inside are followed by the kernel; without its help none is. */
static void test_links_inside(void **state)
{
  struct sim_files files;

  mount_both(&files, state);
  if (files.without_openat2) {
    assert_result(open_result(&files, "/sd/inside"), PORT_ERR_FILE_OUTSIDE);
    assert_result(open_result(&files, "/sd/way/deep.bin"), PORT_ERR_FILE_OUTSIDE);
  } else {
    assert_content(&files, "/sd/inside", "deep");
    assert_content(&files, "/sd/sub/up", "hello");
    assert_content(&files, "/sd/way/deep.bin", "deep");
    assert_content(&files, "/sd/way/../b.bin", "hello");
    assert_result(open_result(&files, "/sd/circle"), PORT_ERR_FILE_NOT_FOUND);
    assert_result(open_result(&files, "/sd/dangling"), PORT_ERR_FILE_NOT_FOUND);
  }
  sim_files_close(&files);
}

static void test_long_names(void **state)
{
  struct sim_files files;
  static char path[8192];

  mount_both(&files, state);
  memset(path, 'x', sizeof path - 1);
  memcpy(path, "/sd/", 4);
  assert_result(open_result(&files, path), PORT_ERR_FILE_NOT_FOUND);
  path[1000] = '\0';
  assert_result(open_result(&files, path), PORT_ERR_FILE_NOT_FOUND);
  sim_files_close(&files);
}

static void test_no_permission(void **state)
{
  struct sim_files files;
  const uid_t user = geteuid();

  mount_both(&files, state);
  put("card/private", "private");
  assert_int_equal(chmod(host("card/private"), 0), 0);
  assert_true(user != 0 || seteuid(65534) == 0); /* root may read anything */
  const int opened = open_result(&files, "/sd/private");
  const int described = stat_result(&files, "/sd/private");
  assert_int_equal(seteuid(user), 0);
  unlink(host("card/private"));
  assert_result(opened, PORT_ERR_FILE_PERMISSION);
  assert_result(described, LB_OK);
  sim_files_close(&files);
}

/* ---- listing ---- */

struct listing {
  char text[1024];
  unsigned count;
};

static void note(void *context, const char *name, const struct port_file_info *info)
{
  struct listing *listing = context;
  const size_t length = strlen(listing->text);

  listing->count++;
  snprintf(listing->text + length, sizeof listing->text - length, "%s%s%u ", name, info->is_directory ? "/" : ":",
           (unsigned)info->size);
}

static int list(struct sim_files *files, const char *path, struct listing *listing)
{
  memset(listing, 0, sizeof *listing);
  return files->port.list(files->port.context, path, note, listing);
}

static void test_lists(void **state)
{
  struct sim_files files;
  struct listing listing;

  mount_both(&files, state);
  assert_result(list(&files, "/", &listing), LB_OK);
  assert_string_equal(listing.text, "sd/0 store/0 ");
  assert_result(list(&files, "/sd", &listing), LB_OK);
  assert_string_equal(listing.text, files.without_openat2
                                        ? "B.bin:0 a.bin:1 absolute:0 b.bin:5 circle:0 dangling:0 inside:0 magic:0 "
                                          "outside:0 parent:0 pipe:0 sub/0 way:0 "
                                        : "B.bin:0 a.bin:1 absolute:0 b.bin:5 circle:0 dangling:0 inside:4 magic:0 "
                                          "outside:0 parent:0 pipe:0 sub/0 way/0 ");
  assert_result(list(&files, "/store/", &listing), LB_OK);
  assert_string_equal(listing.text, "script:1 ");
  assert_result(list(&files, "/sd/b.bin", &listing), PORT_ERR_FILE_NOT_DIRECTORY);
  assert_result(list(&files, "/sd/none", &listing), PORT_ERR_FILE_NOT_FOUND);
  assert_result(list(&files, "/sd/pipe", &listing), PORT_ERR_FILE_NOT_DIRECTORY);
  assert_result(list(&files, "/sd/..", &listing), PORT_ERR_FILE_OUTSIDE);
  assert_result(list(&files, "/other", &listing), PORT_ERR_FILE_NO_MOUNT);
  assert_int_equal(listing.count, 0);
  sim_files_close(&files);
}

static void test_lists_many(void **state)
{
  struct sim_files files;
  struct listing listing;
  char name[32];

  mount_both(&files, state);
  assert_int_equal(mkdir(host("card/many"), 0755), 0);
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "card/many/%d", i);
    put(name, "");
  }
  assert_result(list(&files, "/sd/many", &listing), LB_OK);
  assert_int_equal(listing.count, 1000);
  assert_memory_equal(listing.text, "0:0 1:0 10:0 100:0 101:0 ", 25);
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "card/many/%d", i);
    unlink(host(name));
  }
  assert_int_equal(rmdir(host("card/many")), 0);
  sim_files_close(&files);
}

static void test_mounting(void **state)
{
  struct sim_files files;

  (void)state;
  sim_files_open(&files);
  assert_result(sim_files_mount(&files, "sd", host("none")), PORT_ERR_FILE_NOT_FOUND);
  assert_result(sim_files_mount(&files, "sd", host("secret")), PORT_ERR_FILE_NOT_DIRECTORY);
  assert_result(open_result(&files, "/sd/b.bin"), PORT_ERR_FILE_NO_MOUNT);
  assert_result(sim_files_mount(&files, "sd", host("card")), LB_OK);
  assert_result(sim_files_mount(&files, "store", host("shelf")), LB_OK);
  assert_result(sim_files_mount(&files, "more", host("shelf")), LB_ERR_STATE);
  sim_files_close(&files);
}

#define BOTH_WAYS(test)                                                                                                \
  cmocka_unit_test_prestate(test, &with_openat2), cmocka_unit_test_prestate(test, &without_openat2)

int main(void)
{
  const struct CMUnitTest tests[] = {
      BOTH_WAYS(test_opens),      BOTH_WAYS(test_refuses),         BOTH_WAYS(test_links_inside),
      BOTH_WAYS(test_long_names), BOTH_WAYS(test_no_permission),   BOTH_WAYS(test_lists),
      BOTH_WAYS(test_lists_many), cmocka_unit_test(test_mounting),
  };

  return cmocka_run_group_tests_name("sim_files", tests, make_folder, remove_folder);
}
