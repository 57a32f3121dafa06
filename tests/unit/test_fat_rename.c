// SPDX-License-Identifier: MIT
/* Renaming: what mtools and fsck.fat find afterwards, and what a power cut leaves at each write. */
#include "lifeboat/bytes.h"
#include "ports/fat/fat_files.h"
#include "ports/fat/fat_parts.h"
#include "tests/unit/support/fat_image.h"
#include "tests/unit/support/unit.h"

#define CONTENT_SIZE 5000U

static struct fat_image image;
static struct fat_volume volume;
static uint8_t content[CONTENT_SIZE];

static int make_content(void **state)
{
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "fat_rename", 11);
  unit_random_fill(&random, content, sizeof content);
  return 0;
}

static void insert_card(uint32_t kilobytes, const char *options)
{
  fat_image_make(&image, kilobytes, options, 0);
}

/* Is the file there, with all it holds? A file that is there and is not whole fails the test. */
static bool is_whole(const char *path)
{
  struct fat_entry entry;
  struct fat_file file;
  uint8_t buffer[CONTENT_SIZE];
  uint32_t got = 0;

  fat_forget(&volume);
  const int result = fat_find(&volume, path, &entry);
  if (result == PORT_ERR_FILE_NOT_FOUND) {
    return false;
  }
  assert_result(result, LB_OK);
  assert_result(fat_file_open(&volume, &file, &entry), LB_OK);
  assert_int_equal(entry.size, CONTENT_SIZE);
  assert_int_equal(entry.modified, 1709210096);
  assert_result(fat_file_read(&file, buffer, sizeof buffer, &got), LB_OK);
  assert_int_equal(got, CONTENT_SIZE);
  assert_memory_equal(buffer, content, CONTENT_SIZE);
  return true;
}

/* Both the name and, for comparing, all the others in the folder. */
static uint32_t count_entries(const char *folder)
{
  struct fat_directory directory;
  struct fat_entry entry;
  uint32_t count = 0;
  int result = LB_OK;

  assert_result(fat_find(&volume, folder, &entry), LB_OK);
  assert_result(fat_directory_open(&volume, &directory, &entry), LB_OK);
  while ((result = fat_directory_next(&volume, &directory, &entry)) == LB_MORE) {
    count++;
  }
  assert_result(result, LB_OK);
  return count;
}

/* What fsck.fat may say after a cut: of parts of names without a file, and of a file with two names. */
static void check_after_cut(bool has_both)
{
  const int code = fat_image_try(&image, "fsck.fat -n image");
  char *output = fat_image_output(&image);
  const bool shares = strstr(output, "share clusters") != NULL;
  const bool orphans = strstr(output, "Orphaned long file name part") != NULL;
  const bool lost = strstr(output, "Reclaimed") || strstr(output, "Contains a free cluster") ||
                    strstr(output, "Bad file name") || strstr(output, "Duplicate");

  if (lost || shares != has_both || (code != 0 && !shares && !orphans)) {
    fail_here("fsck.fat -n: exit code %d\n%s", code, output);
  }
  free(output);
}

static void assert_renamed(const char *folder, const char *from, const char *to)
{
  assert_false(is_whole(from));
  assert_true(is_whole(to));
  fat_image_check(&image);
  fat_image_run(&image, "mtype -i $IMAGE '::%s' | cmp - content && ! mtype -i $IMAGE '::%s'", to, from);
  const char *name = strrchr(to, '/') ? strrchr(to, '/') + 1 : to;
  fat_image_run(&image, "mdir -b -i $IMAGE '::%s' | grep -qFx -- '::/%s%s%s'", folder, folder, folder[0] ? "/" : "",
                name);
}

/*
 * Renames "FOLDER/FROM" with a cut at each write and then without one. Returns how many writes it takes; `*both` is
 * how many of the cuts left both names.
 */
static uint32_t rename_with_cuts(const char *folder, const char *from, const char *to, uint32_t *both)
{
  char old_path[512];
  char new_path[512];

  snprintf(old_path, sizeof old_path, "%s%s%s", folder, folder[0] ? "/" : "", from);
  snprintf(new_path, sizeof new_path, "%s%s%s", folder, folder[0] ? "/" : "", to);
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  if (!is_whole(old_path)) {
    fat_image_put(&image, old_path, content, sizeof content);
  }
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  const uint32_t entries = count_entries(folder);
  *both = 0;
  for (uint32_t cut = 0;; cut++) {
    image.writes_left = cut;
    const int result = fat_rename(&volume, old_path, to);
    const bool is_cut = image.writes > cut;
    image.writes_left = FAT_IMAGE_WRITES;
    image.writes = cut; /* alive again, as after power comes back */
    assert_result(fat_mount(&volume, &image.device), LB_OK);
    if (!is_cut) {
      assert_result(result, LB_OK);
      assert_int_equal(count_entries(folder), entries);
      assert_renamed(folder, old_path, new_path);
      return cut;
    }
    assert_result(result, PORT_ERR_FILE_IO);
    const bool has_old = is_whole(old_path);
    const bool has_new = is_whole(new_path);
    assert_true(has_old || has_new);
    assert_int_equal(count_entries(folder), entries + (has_old && has_new));
    *both += has_old && has_new;
    check_after_cut(has_old && has_new);
    fat_image_undo(&image);
  }
}

/* ---- where the names lie ---- */

static const char *const cards[] = {"-F 12 -s 2 -r 224", "-F 16 -s 2", "-F 32 -s 1"};
static const uint32_t kilobytes[] = {1440, 8704, 36000};

static void test_auto_flash(void **state)
{
  uint32_t both = 0;

  (void)state;
  for (size_t i = 0; i < 3; i++) {
    insert_card(kilobytes[i], cards[i]);
    fat_image_run(&image, "mmd -i $IMAGE ::firmware");
    assert_int_equal(rename_with_cuts("", "ovms3.bin", "ovms3.done", &both), 1); /* in a single write */
    assert_int_equal(both, 0);
    assert_int_equal(rename_with_cuts("firmware", "OVMS3.BIN", "ovms3.done", &both), 1);
    assert_result(fat_rename(&volume, "ovms3.done", "OVMS3.BIN"), LB_OK); /* and back */
    assert_renamed("", "ovms3.done", "OVMS3.BIN");
    fat_image_remove(&image);
  }
}

static void put_empty(uint32_t from, uint32_t to)
{
  fat_image_run(&image,
                "for i in $(seq %u %u); do : >F$i; done; mcopy -i $IMAGE $(seq -f F%%g %u %u) ::", (unsigned)from,
                (unsigned)to, (unsigned)from, (unsigned)to);
}

/* The file's own sector is full, so for a moment it has two names. */
static void test_other_sector(void **state)
{
  uint32_t both = 0;

  (void)state;
  insert_card(1440, "-F 12 -s 2 -r 224");
  put_empty(1, 20);
  fat_image_run(&image, "mdel -i $IMAGE ::F3");
  assert_int_equal(rename_with_cuts("", "O.BIN", "ovms3.done", &both), 2);
  assert_int_equal(both, 1);
  fat_image_remove(&image);
}

/* A hole in the file's own sector is preferred, though there is one before it. */
static void test_same_sector_preferred(void **state)
{
  uint32_t both = 0;

  (void)state;
  insert_card(1440, "-F 12 -s 2 -r 224");
  put_empty(1, 20);
  fat_image_put(&image, "O.BIN", content, sizeof content);
  put_empty(21, 40);
  fat_image_run(&image, "mdel -i $IMAGE ::F3 ::F4 ::F24 ::F25");
  assert_int_equal(rename_with_cuts("", "O.BIN", "ovms3.done", &both), 1);
  assert_int_equal(both, 0);
  struct fat_entry entry;
  assert_result(fat_find(&volume, "ovms3.done", &entry), LB_OK);
  assert_int_equal(entry.first, 24);
  fat_image_remove(&image);
}

static void test_long_to_long(void **state)
{
  char from[256];
  char to[256];
  uint32_t both = 0;

  (void)state;
  for (uint32_t length = 1; length <= 255; length += 23) {
    insert_card(1440, "-F 12 -s 2 -r 224");
    put_empty(1, 7);
    memset(from, 'f', sizeof from);
    memset(to, 't', sizeof to);
    from[256 - length] = '\0';
    to[length] = '\0';
    const uint32_t writes = rename_with_cuts("", from, to, &both);
    assert_in_range(writes, 1, 5);
    fat_image_remove(&image);
  }
}

/* Directories as they become in years of use. */
static void test_random(void **state)
{
  struct unit_random random;
  char from[256];
  char to[256];
  uint32_t both = 0;
  uint32_t cuts = 0;
  uint32_t with_both = 0;

  (void)state;
  unit_random_seed(&random, "fat_rename_random", 77);
  for (int round = 0; round < 12; round++) {
    insert_card(1440, "-F 12 -s 1 -r 224");
    fat_image_run(&image,
                  "mmd -i $IMAGE ::sub; for i in $(seq 1 30); do : >$(printf \"n%%0$(((i*%u)%%60+1))d\" $i); "
                  "done; mcopy -i $IMAGE n* ::sub",
                  (unsigned)unit_random_next(&random) % 59 + 1);
    fat_image_run(&image, "for i in $(ls | grep ^n | awk '(NR*%u)%%7<3'); do mdel -i $IMAGE ::sub/$i; done",
                  (unsigned)unit_random_below(&random, 6) + 1);
    for (int i = 0; i < 2; i++) {
      /* the remainders change nothing: they tell the compiler how wide it gets */
      snprintf(from, sizeof from, "%0*d.old", (int)(unit_random_below(&random, 60) % 60U) + 1, i);
      snprintf(to, sizeof to, "%0*d.new", (int)(unit_random_below(&random, 40) % 40U) + 1, i);
      cuts += rename_with_cuts("sub", from, to, &both);
      with_both += both;
    }
    fat_image_remove(&image);
  }
  print_message("%u cuts, %u of them with both names\n", (unsigned)cuts, (unsigned)with_both);
  assert_true(cuts > 24 && with_both > 0 && with_both < 24);
}

/* ---- what is refused ---- */

static void test_refused(void **state)
{
  static const char *const names[] = {"",   ".",  "..",   " a",  "a ",  "a.",  "a/b",  "a\\b",  "a:b",
                                      "a*", "a?", "a\"b", "a<b", "a>b", "a|b", "a\nb", "a\x7F", "\xC3\xA4"};
  char longest[257];

  (void)state;
  insert_card(1440, "-F 12 -s 2 -r 224");
  fat_image_run(&image, "mmd -i $IMAGE ::folder '::a long folder'");
  fat_image_put(&image, "ovms3.bin", content, sizeof content);
  fat_image_put(&image, "there.bin", "x", 1);
  fat_image_put(&image, "another long name.bin", "x", 1);
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    assert_result(fat_rename(&volume, "ovms3.bin", names[i]), PORT_ERR_FILE_NAME);
  }
  memset(longest, 'x', 256);
  longest[256] = '\0';
  assert_result(fat_rename(&volume, "ovms3.bin", longest), PORT_ERR_FILE_NAME);
  assert_result(fat_rename(&volume, "ovms3.bin", "There.Bin"), PORT_ERR_FILE_EXISTS);
  assert_result(fat_rename(&volume, "ovms3.bin", "Ovms3.bin"), PORT_ERR_FILE_EXISTS);
  assert_result(fat_rename(&volume, "ovms3.bin", "FOLDER"), PORT_ERR_FILE_EXISTS);
  assert_result(fat_rename(&volume, "ovms3.bin", "ANOTHER long name.bin"), PORT_ERR_FILE_EXISTS);
  assert_result(fat_rename(&volume, "ovms3.bin", "anothe~1.bin"), PORT_ERR_FILE_EXISTS);
  assert_result(fat_rename(&volume, "none.bin", "new.bin"), PORT_ERR_FILE_NOT_FOUND);
  assert_result(fat_rename(&volume, "folder", "new"), PORT_ERR_FILE_IS_DIRECTORY);
  assert_result(fat_rename(&volume, "", "new"), PORT_ERR_FILE_IS_DIRECTORY);
  assert_result(fat_rename(&volume, "ovms3.bin/x", "new"), PORT_ERR_FILE_NOT_DIRECTORY);
  assert_int_equal(image.writes, 0);
  image.device.write = NULL;
  assert_result(fat_rename(&volume, "ovms3.bin", "new.bin"), PORT_ERR_FILE_READ_ONLY);
  fat_image_check(&image);
  fat_image_remove(&image);
}

/* Letters that short names do not have, and short names that are taken. */
static void test_short_names(void **state)
{
  static const struct {
    const char *name;
    const char *expected;
  } cases[] = {
      {"ovms3.done", "OVMS3~1.DON"},
      {"UPPER.TXT", "UPPER.TXT"},
      {"mixed.Txt", "MIXED.TXT"},
      {"no extension", "NOEXTE~1"},
      {".profile", "PROFIL~1"},
      {"a.b.c", "AB~1.C"},
      {"plus+and;more", "PLUS_A~1"},
      {"[x].txt", "_X_~1.TXT"},
      {"UPPER.TX", "UPPER.TX"},
      {"exactly8.txt", "EXACTLY8.TXT"},
      {"exactlyninE.t", "EXACTL~1.T"},
      {"~!@#$%^&.()_", "~!@#$%^&.()_"},
      {"x", "X"},
  };
  struct fat_entry entry;
  const char *before = "first.bin";

  (void)state;
  insert_card(1440, "-F 12 -s 2 -r 224");
  fat_image_put(&image, before, content, sizeof content);
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_result(fat_rename(&volume, before, cases[i].name), LB_OK);
    before = cases[i].name;
    assert_true(is_whole(before));
    assert_result(fat_find(&volume, before, &entry), LB_OK);
    assert_string_equal(entry.name, before);
    assert_string_equal(entry.short_name, cases[i].expected);
  }
  fat_image_check(&image);
  fat_image_remove(&image);
}

static void test_tails(void **state)
{
  char name[64];

  (void)state;
  insert_card(1440, "-F 12 -s 2 -r 512");
  for (uint32_t number = 1; number <= 101; number++) {
    struct fat_entry entry;
    char expected[16];
    snprintf(name, sizeof name, "OVMS3-%u.bin", (unsigned)number);
    if (number == 1) {
      put_empty(1, 101);
      assert_result(fat_mount(&volume, &image.device), LB_OK);
    }
    snprintf(expected, sizeof expected, "F%u", (unsigned)number);
    snprintf(name, sizeof name, "firmware %u.done", (unsigned)number);
    image.writes = 0;
    const int result = fat_rename(&volume, expected, name);
    assert_result(result, number <= 99 ? LB_OK : PORT_ERR_FILE_NO_ROOM);
    if (result == LB_OK) {
      assert_result(fat_find(&volume, name, &entry), LB_OK);
      snprintf(expected, sizeof expected, number < 10 ? "FIRMWA~%u.DON" : "FIRMW~%u.DON", (unsigned)number);
      assert_string_equal(entry.short_name, expected);
    }
  }
  fat_image_check(&image);
  fat_image_remove(&image);
}

/* A root directory without a free entry, with one, with two that are not side by side, with two that are. */
static void test_no_room(void **state)
{
  (void)state;
  insert_card(1440, "-F 12 -s 2 -r 32");
  put_empty(1, 31);
  fat_image_put(&image, "O.BIN", content, sizeof content);
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_result(fat_rename(&volume, "O.BIN", "ovms3.done"), PORT_ERR_FILE_NO_ROOM);
  fat_image_run(&image, "mdel -i $IMAGE ::F10");
  fat_forget(&volume);
  assert_result(fat_rename(&volume, "O.BIN", "ovms3.done"), PORT_ERR_FILE_NO_ROOM);
  fat_image_run(&image, "mdel -i $IMAGE ::F12");
  fat_forget(&volume);
  assert_result(fat_rename(&volume, "O.BIN", "ovms3.done"), PORT_ERR_FILE_NO_ROOM);
  assert_int_equal(image.writes, 0);
  fat_image_run(&image, "mdel -i $IMAGE ::F11");
  fat_forget(&volume);
  assert_result(fat_rename(&volume, "O.BIN", "a name for three ents.done"), LB_OK);
  assert_renamed("", "O.BIN", "a name for three ents.done");
  assert_int_equal(count_entries(""), 29);
  fat_image_remove(&image);
}

/*
 * Behind the mark of the end there should be nothing. If there is, it does not come to light, and the new name is not
 * put behind the mark, where nobody would find it.
 */
static void test_behind_the_end(void **state)
{
  (void)state;
  for (uint32_t gap = 1; gap < 6; gap++) { /* free entries, with the mark, before the garbage */
    insert_card(1440, "-F 12 -s 2 -r 224");
    fat_image_put(&image, "O.BIN", content, sizeof content);
    assert_result(fat_mount(&volume, &image.device), LB_OK);
    uint8_t *root = image.bytes + (size_t)volume.root_sector * BLOCK_SIZE;
    for (uint32_t i = 1 + gap; i < 224; i++) {
      if (i % 8 != 0 || i > 215) { /* with holes, and much room at the end */
        memcpy(root + (size_t)i * FAT_ENTRY_SIZE, i > 215 ? "\0           " : "GARBAGE TXT ", 12);
      }
    }
    assert_int_equal(count_entries(""), 1);
    const int result = fat_rename(&volume, "O.BIN", "ovms3.done");
    assert_result(result, gap < 3 ? PORT_ERR_FILE_NO_ROOM : LB_OK); /* two for the name, one for the mark */
    assert_int_equal(image.writes, gap < 3 ? 0 : 1);
    assert_int_equal(count_entries(""), 1);
    assert_true(is_whole(gap < 3 ? "O.BIN" : "ovms3.done"));
    fat_image_remove(&image);
  }
}

/* The mark of the end may be missing: a directory that is full has none. */
static void test_until_the_end(void **state)
{
  uint32_t both = 0;

  (void)state;
  insert_card(1440, "-F 12 -s 2 -r 32");
  put_empty(1, 29);
  assert_int_equal(rename_with_cuts("", "O.BIN", "ovms3.done", &both), 1);
  assert_int_equal(count_entries(""), 30);
  fat_image_remove(&image);
}

/* In a folder whose cluster is full the next cluster is used if it has one; it does not grow. */
static void test_folder_of_clusters(void **state)
{
  uint32_t both = 0;

  (void)state;
  insert_card(1440, "-F 12 -s 1 -r 224");
  fat_image_run(&image, "mmd -i $IMAGE ::sub; for i in $(seq 1 13); do : >F$i; done; mcopy -i $IMAGE F* ::sub");
  fat_image_put(&image, "sub/O.BIN", content, sizeof content);
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_result(fat_rename(&volume, "sub/O.BIN", "ovms3.done"), PORT_ERR_FILE_NO_ROOM);
  assert_int_equal(image.writes, 0);
  fat_image_run(&image, ": >MORE && mcopy -i $IMAGE MORE ::sub");
  assert_int_equal(rename_with_cuts("sub", "O.BIN", "ovms3.done", &both), 2);
  assert_int_equal(both, 1);
  fat_image_remove(&image);
}

/* ---- through /sd ---- */

static void test_files(void **state)
{
  struct fat_files files;

  (void)state;
  insert_card(1440, "-F 12 -s 2 -r 224");
  fat_image_put(&image, "ovms3.bin", content, sizeof content);
  fat_files_open(&files, &image.device, NULL, NULL);
  assert_result(fat_files_rename(&files, "/store/ovms3.bin", "ovms3.done"), PORT_ERR_FILE_NO_MOUNT);
  assert_result(fat_files_rename(&files, "/sd/none", "ovms3.done"), PORT_ERR_FILE_NOT_FOUND);
  assert_result(fat_files_rename(&files, "/sd", "ovms3.done"), PORT_ERR_FILE_IS_DIRECTORY);
  image.writes_left = 0;
  assert_result(fat_files_rename(&files, "/sd/ovms3.bin", "ovms3.done"), PORT_ERR_FILE_IO);
  image.writes_left = FAT_IMAGE_WRITES;
  image.writes = 0;
  assert_result(fat_files_rename(&files, "/sd/ovms3.bin", "ovms3.done"), LB_OK);
  assert_result(fat_mount(&volume, &image.device), LB_OK);
  assert_renamed("", "ovms3.bin", "ovms3.done");
  fat_image_remove(&image);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_auto_flash),
      cmocka_unit_test(test_other_sector),
      cmocka_unit_test(test_same_sector_preferred),
      cmocka_unit_test(test_long_to_long),
      cmocka_unit_test(test_random),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_short_names),
      cmocka_unit_test(test_tails),
      cmocka_unit_test(test_no_room),
      cmocka_unit_test(test_behind_the_end),
      cmocka_unit_test(test_until_the_end),
      cmocka_unit_test(test_folder_of_clusters),
      cmocka_unit_test(test_files),
  };

  return cmocka_run_group_tests_name("fat_rename", tests, make_content, NULL);
}
