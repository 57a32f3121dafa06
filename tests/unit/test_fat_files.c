// SPDX-License-Identifier: MIT
/* Files and folders that mtools put on a card, as the module sees them in /sd. */
#include "ports/fat/fat_files.h"

#include "ports/fat/fat_parts.h"
#include "tests/unit/support/fat_image.h"
#include "tests/unit/support/unit.h"

#define FIRMWARE_SIZE (3600U * 1024U + 7U)
#define BIG_SIZE      (220U * 1024U + 1U)
#define PUT_SECONDS   1709210096 /* the date that fat_image_put gives */

static struct fat_image image;
static struct fat_files files;
static uint8_t firmware[FIRMWARE_SIZE];

/* The cards of these tests; the smallest has no room for a whole firmware. */
struct kind {
  uint32_t kilobytes;
  const char *options;
  uint32_t start;
  uint32_t cluster; /* bytes */
};

static const struct kind floppy = {1440, "-F 12 -s 1 -r 224", 0, 512};
static const struct kind fat12 = {8192, "-F 12 -s 8 -f 1", 0, 4096};
static const struct kind fat16 = {8192, "-F 16 -s 1", 63, 512};
static const struct kind fat32 = {40960, "-F 32 -s 1", 0, 512};
static const struct kind common = {72000, "-F 32 -s 2", 0, 1024};
static const struct kind large = {66000, "-F 12 -s 128", 2048, 65536};

static void insert_card(const struct kind *kind)
{
  fat_image_make(&image, kind->kilobytes, kind->options, kind->start);
  if (kind->start > 0) {
    fat_image_partition(&image, (const uint8_t[4]){0x0C, 0, 0, 0}, 0);
  }
  fat_files_open(&files, &image.device, NULL, NULL);
}

static int make_firmware(void **state)
{
  struct unit_random random;

  (void)state;
  unit_random_seed(&random, "fat_files", 9);
  unit_random_fill(&random, firmware, sizeof firmware);
  return 0;
}

static int describe(const char *path, struct port_file_info *info)
{
  return files.port.stat(files.port.context, path, info);
}

/* Reads a whole file in pieces of `piece` bytes, and compares. */
static void assert_content(const char *path, const uint8_t *expected, uint32_t length, uint32_t piece)
{
  struct port_file_info info;
  struct port_file *file = NULL;
  uint8_t *buffer = unit_allocate(piece); /* of that size: a byte too many is noticed */
  uint32_t done = 0;
  uint32_t got = 0;

  assert_result(files.port.open(files.port.context, path, &file, &info), LB_OK);
  assert_int_equal(info.size, length);
  assert_int_equal(info.modified, PUT_SECONDS);
  assert_false(info.is_directory);
  do {
    assert_result(files.port.read(file, buffer, piece, &got), LB_OK);
    assert_int_equal(got, length - done < piece ? length - done : piece);
    if (memcmp(buffer, expected + done, got) != 0) {
      fail_here("%s differs within %u bytes of %u", path, (unsigned)got, (unsigned)done);
    }
    done += got;
  } while (got > 0);
  assert_int_equal(done, length);
  files.port.close(file);
  free(buffer);
}

/* Files around the size of a cluster, in nested folders, with short and long names. */
static void check_sizes(const struct kind *kind)
{
  const uint32_t sizes[] = {0, 1, 511, 512, 513, kind->cluster - 1, kind->cluster, kind->cluster + 1, BIG_SIZE};
  const uint32_t pieces[] = {1, 1, 7, 511, 512, 513, 1024, 4095, 1000};
  char name[64];
  char path[128];

  fat_image_run(&image, "mmd -i $IMAGE ::logs '::logs/a longer name than eight' ::logs/empty");
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    snprintf(name, sizeof name, "logs/a longer name than eight/%u.bin", (unsigned)i);
    snprintf(path, sizeof path, "/sd/%s", name);
    fat_image_put(&image, name, firmware, sizes[i]);
    assert_content(path, firmware, sizes[i], pieces[i]);
    assert_content(path, firmware, sizes[i], 4096);
  }
}

static void test_sizes(void **state)
{
  const struct kind *kind = *state;

  insert_card(kind);
  check_sizes(kind);
  fat_image_remove(&image);
}

/* The chain of a file has to have breaks for a test of fragments to mean something. */
static uint32_t count_breaks(const char *path)
{
  struct fat_entry entry;
  uint32_t breaks = 0;
  uint32_t next = 0;

  assert_result(fat_find(&files.volume, path, &entry), LB_OK);
  for (uint32_t cluster = entry.cluster;; cluster = next) {
    assert_result(fat_next_cluster(&files.volume, cluster, &next), LB_OK);
    if (next == 0) {
      return breaks;
    }
    breaks += next != cluster + 1;
  }
}

static void test_fragments(void **state)
{
  const struct kind *kind = *state;

  insert_card(kind);
  for (int i = 0; i < 16; i++) {
    char name[16];
    snprintf(name, sizeof name, "%d", i);
    fat_image_put(&image, name, firmware, 3 * kind->cluster);
  }
  for (int i = 0; i < 16; i += 2) {
    fat_image_run(&image, "mdel -i $IMAGE ::%d", i);
  }
  if (kind == &fat32) { /* where mtools begin to look for free clusters: nowhere in particular */
    memset(image.bytes + BLOCK_SIZE + 488, 0xFF, 8);
  }
  fat_image_put(&image, "fragments", firmware, 32 * kind->cluster - 1);
  assert_content("/sd/fragments", firmware, 32 * kind->cluster - 1, 4096);
  assert_content("/sd/fragments", firmware, 32 * kind->cluster - 1, 1000);
  assert_true(count_breaks("fragments") >= 7);
  fat_image_remove(&image);
}

/* A whole firmware; its pieces come straight from the card in one call where they lie side by side. */
static void test_firmware(void **state)
{
  insert_card(*state);
  fat_image_put(&image, "ovms3.bin", firmware, FIRMWARE_SIZE);
  assert_content("/sd/ovms3.bin", firmware, FIRMWARE_SIZE, 4096);
  image.sectors_read = 0;
  image.reads = 0;
  assert_content("/sd/OVMS3.BIN", firmware, FIRMWARE_SIZE, 4096);
  assert_in_range(image.reads, FIRMWARE_SIZE / 4096, FIRMWARE_SIZE / 4096 + 200);
  assert_in_range(image.sectors_read, FIRMWARE_SIZE / 512, FIRMWARE_SIZE / 512 + 200);
  fat_image_remove(&image);
}

/* ---- paths ---- */

static int open_result(const char *path)
{
  struct port_file_info info;
  struct port_file *file = NULL;
  const int result = files.port.open(files.port.context, path, &file, &info);

  if (result == LB_OK) {
    files.port.close(file);
  }
  return result;
}

static void test_paths(void **state)
{
  static const struct {
    const char *path;
    int opened;
    int described;
  } cases[] = {
      {"/sd/b.bin", LB_OK, LB_OK},
      {"/sd/B.BIN", LB_OK, LB_OK},
      {"//sd//b.bin", LB_OK, LB_OK},
      {"/sd/sub/Deeper Still/deep.text", LB_OK, LB_OK},
      {"/sd/SUB/deeper still/DEEP.TEXT", LB_OK, LB_OK},
      {"/sd/SUB/DEEPER~1/DEEP~1.TEX", LB_OK, LB_OK}, /* short names, too */
      {"/sd/./sub/../b.bin", LB_OK, LB_OK},
      {"/sd/sub/deeper still/../../b.bin", LB_OK, LB_OK},
      {"/sd/sub/deeper still/../deeper still/deep.text", LB_OK, LB_OK},
      {"/sd/b.bi", PORT_ERR_FILE_NOT_FOUND, PORT_ERR_FILE_NOT_FOUND},
      {"/sd/b.bin1", PORT_ERR_FILE_NOT_FOUND, PORT_ERR_FILE_NOT_FOUND},
      {"/sd/none/../b.bin", PORT_ERR_FILE_NOT_FOUND, PORT_ERR_FILE_NOT_FOUND},
      {"/sd/A CARD", PORT_ERR_FILE_NOT_FOUND, PORT_ERR_FILE_NOT_FOUND}, /* the volume's own name */
      {"/sd/b.bin/", PORT_ERR_FILE_NOT_DIRECTORY, PORT_ERR_FILE_NOT_DIRECTORY},
      {"/sd/b.bin/x", PORT_ERR_FILE_NOT_DIRECTORY, PORT_ERR_FILE_NOT_DIRECTORY},
      {"/sd/b.bin/..", PORT_ERR_FILE_NOT_DIRECTORY, PORT_ERR_FILE_NOT_DIRECTORY},
      {"/sd/sub", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd/sub/", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd/sub/..", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd/sub/.", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd/", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/", PORT_ERR_FILE_IS_DIRECTORY, LB_OK},
      {"/sd/..", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/sd/sub/../../sd/b.bin", PORT_ERR_FILE_OUTSIDE, PORT_ERR_FILE_OUTSIDE},
      {"/store/x", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
      {"/s", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
      {"/sdx/b.bin", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
      {"sd/b.bin", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
      {"", PORT_ERR_FILE_NO_MOUNT, PORT_ERR_FILE_NO_MOUNT},
  };
  struct port_file_info info;

  insert_card(*state);
  fat_image_run(&image, "mlabel -i $IMAGE '::A CARD'");
  fat_image_run(&image, "mmd -i $IMAGE ::sub '::sub/Deeper Still'");
  fat_image_put(&image, "b.bin", "hello", 5);
  fat_image_put(&image, "sub/Deeper Still/deep.text", "deep", 4);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const int opened = open_result(cases[i].path);
    const int described = describe(cases[i].path, &info);

    if (opened != cases[i].opened || described != cases[i].described) {
      fail_here("%s: open %d, stat %d", cases[i].path, opened, described);
    }
    if (described == LB_OK) {
      assert_int_equal(info.is_directory, opened == PORT_ERR_FILE_IS_DIRECTORY);
    }
  }
  fat_image_remove(&image);
}

static void test_long_paths(void **state)
{
  static char path[8192];

  (void)state;
  insert_card(&floppy);
  fat_image_run(&image, "mmd -i $IMAGE ::sub");
  fat_image_put(&image, "b.bin", "hello", 5);
  memset(path, 'x', sizeof path - 1);
  memcpy(path, "/sd/", 4);
  assert_result(open_result(path), PORT_ERR_FILE_NOT_FOUND);
  for (size_t i = 0; i < 700; i++) {
    memcpy(path + 4 + 7 * i, "sub/../", 7);
  }
  snprintf(path + 4 + 7 * 700, 16, "b.bin");
  assert_result(open_result(path), LB_OK);
  fat_image_remove(&image);
}

/* ---- listing ---- */

struct listing {
  char text[4096];
  char names[400][FAT_NAME_SIZE];
  unsigned count;
  unsigned groups; /* that are sorted */
  unsigned fail_at;
};

static void note(void *context, const char *name, const struct port_file_info *info)
{
  struct listing *listing = context;
  const size_t length = strlen(listing->text);

  assert_in_range(listing->count, 0, sizeof listing->names / sizeof listing->names[0] - 1);
  for (unsigned i = 0; i < listing->count; i++) { /* none twice */
    assert_string_not_equal(listing->names[i], name);
  }
  listing->groups += listing->count == 0 || strcmp(name, listing->names[listing->count - 1]) < 0;
  snprintf(listing->names[listing->count], sizeof listing->names[0], "%s", name);
  listing->count++;
  image.fail_reads = listing->fail_at > 0 && listing->count >= listing->fail_at;
  snprintf(listing->text + length, sizeof listing->text - length, "%s%s%u%s ", name, info->is_directory ? "/" : ":",
           (unsigned)info->size, info->is_directory || info->modified == PUT_SECONDS ? "" : " without its date");
}

static int list(const char *path, struct listing *listing)
{
  memset(listing, 0, sizeof *listing);
  return files.port.list(files.port.context, path, note, listing);
}

static void test_lists(void **state)
{
  struct listing listing;

  insert_card(*state);
  fat_image_run(&image, "mmd -i $IMAGE ::sub ::Folder ::sub/empty");
  fat_image_put(&image, "ovms3.bin", "hello", 5);
  fat_image_put(&image, "UPPER.TXT", "", 0);
  fat_image_put(&image, "Mixed.txt", "m", 1);
  fat_image_put(&image,
                "Gr\xC3\xBC\xC3\x9F"
                "e aus \xE6\x97\xA5\xE6\x9C\xAC.txt",
                "12", 2);
  fat_image_put(&image, "a name of more than thirteen units, or of twenty six.long", "123", 3);
  assert_result(list("/", &listing), LB_OK);
  assert_string_equal(listing.text, "sd/0 ");
  assert_result(list("/sd", &listing), LB_OK);
  assert_string_equal(listing.text, "Folder/0 Gr\xC3\xBC\xC3\x9F"
                                    "e aus \xE6\x97\xA5\xE6\x9C\xAC.txt:2 Mixed.txt:1 "
                                    "UPPER.TXT:0 a name of more than thirteen units, or of twenty six.long:3 "
                                    "ovms3.bin:5 sub/0 ");
  assert_result(list("/sd/sub/", &listing), LB_OK);
  assert_string_equal(listing.text, "empty/0 ");
  assert_result(list("/sd/sub/empty", &listing), LB_OK);
  assert_int_equal(listing.count, 0);
  assert_result(open_result("/sd/Gr\xC3\xBC\xC3\x9F"
                            "e AUS \xE6\x97\xA5\xE6\x9C\xAC.TXT"),
                LB_OK);
  assert_result(list("/sd/ovms3.bin", &listing), PORT_ERR_FILE_NOT_DIRECTORY);
  assert_result(list("/sd/none", &listing), PORT_ERR_FILE_NOT_FOUND);
  assert_result(list("/sd/..", &listing), PORT_ERR_FILE_OUTSIDE);
  assert_result(list("/other", &listing), PORT_ERR_FILE_NO_MOUNT);
  assert_int_equal(listing.count, 0);
  fat_image_remove(&image);
}

/* More names than are sorted at a time, many of one length and some as long as can be: two groups. */
static void test_lists_many(void **state)
{
  static struct listing listing;

  (void)state;
  insert_card(&common);
  fat_image_run(&image, "mkdir many && cd many && seq -f 'file number %%g' 1 390 | xargs -d '\\n' touch && "
                        "for i in 0 1 2 3 4 5 6 7 8 9; do touch $i$(printf 'x%%0253d' $i); done && cd .. && "
                        "touch -d '2024-02-29 12:34:56' many/* && mcopy -s -m -i $IMAGE many ::");
  assert_result(list("/sd/many", &listing), LB_OK);
  assert_int_equal(listing.count, 400);
  assert_in_range(listing.groups, 1, 2);
  assert_result(open_result("/sd/many/FILE NUMBER 377"), LB_OK);
  assert_result(open_result("/sd/many/file number 391"), PORT_ERR_FILE_NOT_FOUND);
  memset(&listing, 0, sizeof listing);
  listing.fail_at = 200;
  assert_result(files.port.list(files.port.context, "/sd/many", note, &listing), PORT_ERR_FILE_IO);
  assert_in_range(listing.count, 200, 399); /* and none twice: `note` sees to it */
  assert_result(list("/sd/many", &listing), PORT_ERR_FILE_IO);
  image.fail_reads = false;
  assert_result(list("/sd/many", &listing), LB_OK);
  assert_int_equal(listing.count, 400);
  fat_image_remove(&image);
}

/* ---- what it cannot do ---- */

static void test_read_only(void **state)
{
  struct port_file_info info;
  struct port_file *file = NULL;
  void *context = files.port.context;

  (void)state;
  insert_card(&floppy);
  fat_image_put(&image, "b.bin", "hello", 5);
  assert_result(files.port.create(context, "/sd/new", &file), PORT_ERR_FILE_READ_ONLY);
  assert_result(files.port.create(context, "/other/new", &file), PORT_ERR_FILE_NO_MOUNT);
  assert_result(files.port.remove(context, "/sd/b.bin"), PORT_ERR_FILE_READ_ONLY);
  assert_result(files.port.remove(context, "/"), PORT_ERR_FILE_IS_DIRECTORY);
  assert_result(files.port.remove(context, "/store/x"), PORT_ERR_FILE_NO_MOUNT);
  assert_result(files.port.rename(context, "/sd/b.bin", "/sd/c.bin"), PORT_ERR_FILE_READ_ONLY);
  assert_result(files.port.rename(context, "/sd/b.bin", "/store/c.bin"), PORT_ERR_FILE_NO_MOUNT);
  assert_result(files.port.open(files.port.context, "/sd/b.bin", &file, &info), LB_OK);
  assert_result(files.port.write(file, "x", 1), PORT_ERR_FILE_READ_ONLY);
  assert_result(files.port.commit(file), PORT_ERR_FILE_READ_ONLY);
  files.port.close(file);
  assert_int_equal(image.writes, 0);
  fat_image_remove(&image);
}

static void test_open_files(void **state)
{
  struct port_file *open[FAT_FILES_OPEN + 1];
  struct port_file_info info;
  uint8_t byte[4097];
  uint32_t got = 0;

  (void)state;
  insert_card(&floppy);
  fat_image_put(&image, "b.bin", "hello", 5);
  fat_image_put(&image, "c.bin", "world", 5);
  for (uint32_t i = 0; i < FAT_FILES_OPEN; i++) {
    assert_result(files.port.open(files.port.context, i % 2 == 0 ? "/sd/b.bin" : "/sd/c.bin", &open[i], &info), LB_OK);
  }
  assert_result(files.port.open(files.port.context, "/sd/b.bin", &open[FAT_FILES_OPEN], &info), PORT_ERR_FILE_BUSY);
  assert_result(files.port.open(files.port.context, "/sd/none", &open[FAT_FILES_OPEN], &info), PORT_ERR_FILE_NOT_FOUND);
  for (uint32_t at = 0; at < 5; at++) { /* all at once, byte by byte */
    for (uint32_t i = 0; i < FAT_FILES_OPEN; i++) {
      assert_result(files.port.read(open[i], byte, 1, &got), LB_OK);
      assert_int_equal(byte[0], (i % 2 == 0 ? "hello" : "world")[at]);
    }
  }
  assert_result(files.port.read(open[0], byte, 1, &got), LB_OK);
  assert_int_equal(got, 0);
  assert_result(files.port.read(open[0], byte, 4097, &got), LB_ERR_ARGUMENT);
  files.port.close(open[2]);
  assert_result(files.port.open(files.port.context, "/sd/b.bin", &open[2], &info), LB_OK);
  for (uint32_t i = 0; i < FAT_FILES_OPEN; i++) {
    files.port.close(open[i]);
  }
  fat_image_remove(&image);
}

/* ---- the card comes and goes ---- */

struct slot {
  int result;
  unsigned starts;
};

static int start_slot(void *context)
{
  struct slot *slot = context;

  slot->starts++;
  image.fail_reads = false;
  return slot->result;
}

static void test_card_changes(void **state)
{
  struct slot slot = {.result = PORT_ERR_FILE_NO_MOUNT};
  struct listing listing;
  struct port_file_info info;
  struct port_file *file = NULL;
  uint8_t bytes[8];
  uint32_t got = 0;

  (void)state;
  insert_card(&floppy);
  fat_image_put(&image, "b.bin", "hello", 5);
  fat_files_open(&files, &image.device, start_slot, &slot);
  assert_int_equal(slot.starts, 0);
  assert_result(open_result("/sd/b.bin"), PORT_ERR_FILE_NO_MOUNT);
  assert_result(describe("/sd", &info), PORT_ERR_FILE_NO_MOUNT);
  assert_result(describe("/", &info), LB_OK);
  assert_result(list("/sd", &listing), PORT_ERR_FILE_NO_MOUNT);
  assert_result(list("/", &listing), LB_OK);
  assert_int_equal(listing.count, 0);
  slot.result = LB_OK; /* it is put in */
  slot.starts = 0;
  assert_result(files.port.open(files.port.context, "/sd/b.bin", &file, &info), LB_OK);
  assert_result(open_result("/sd/b.bin"), LB_OK);
  assert_int_equal(slot.starts, 1);
  image.fail_reads = true; /* changed for one that has to be started anew */
  assert_result(list("/sd", &listing), LB_OK);
  assert_string_equal(listing.text, "b.bin:5 ");
  assert_int_equal(slot.starts, 2);
  assert_result(files.port.read(file, bytes, sizeof bytes, &got), PORT_ERR_FILE_IO); /* of the card before */
  files.port.close(file);
  assert_result(files.port.open(files.port.context, "/sd/b.bin", &file, &info), LB_OK);
  fat_forget(&files.volume);
  image.fail_reads = true; /* while a file is read */
  assert_result(files.port.read(file, bytes, sizeof bytes, &got), PORT_ERR_FILE_IO);
  assert_int_equal(got, 0);
  files.port.close(file);
  assert_result(open_result("/sd/b.bin"), LB_OK);
  assert_int_equal(slot.starts, 3);
  image.fail_reads = true;
  slot.result = PORT_ERR_FILE_NO_MOUNT; /* taken out */
  assert_result(open_result("/sd/b.bin"), PORT_ERR_FILE_NO_MOUNT);
  slot.result = LB_OK; /* one without a file system */
  memset(image.bytes, 0x55, 65536);
  assert_result(open_result("/sd/b.bin"), PORT_ERR_FILE_SYSTEM);
  assert_result(list("/sd", &listing), PORT_ERR_FILE_SYSTEM);
  assert_result(list("/", &listing), LB_OK);
  assert_string_equal(listing.text, "sd/0 ");
  fat_image_remove(&image);
}

#define ON(test, kind) cmocka_unit_test_prestate(test, (void *)(uintptr_t)&kind)

int main(void)
{
  const struct CMUnitTest tests[] = {
      ON(test_sizes, floppy),
      ON(test_sizes, fat12),
      ON(test_sizes, fat16),
      ON(test_sizes, fat32),
      ON(test_sizes, large),
      ON(test_fragments, floppy),
      ON(test_fragments, fat12),
      ON(test_fragments, fat16),
      ON(test_fragments, fat32),
      ON(test_fragments, large),
      ON(test_firmware, fat12),
      ON(test_firmware, fat16),
      ON(test_firmware, fat32),
      ON(test_firmware, large),
      ON(test_paths, floppy),
      ON(test_paths, fat16),
      ON(test_paths, fat32),
      cmocka_unit_test(test_long_paths),
      ON(test_lists, floppy),
      ON(test_lists, fat16),
      ON(test_lists, fat32),
      cmocka_unit_test(test_lists_many),
      cmocka_unit_test(test_read_only),
      cmocka_unit_test(test_open_files),
      cmocka_unit_test(test_card_changes),
  };

  return cmocka_run_group_tests_name("fat_files", tests, make_firmware, NULL);
}
