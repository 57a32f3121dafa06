// SPDX-License-Identifier: MIT
/* SHA-256 and MD5 of Mbed TLS behind struct lb_hash: the values of FIPS 180-4 and RFC 1321. */
#include "ports/mbedtls/hash.h"

#include "tests/unit/support/unit.h"

static void assert_digest(const struct lb_hash *hash, const char *text, uint32_t piece, const char *expected)
{
  uint8_t digest[LB_SHA256_SIZE];
  char hex[2 * LB_SHA256_SIZE + 1];
  const uint32_t size = (uint32_t)strlen(expected) / 2;
  const uint32_t length = (uint32_t)strlen(text);

  assert_int_equal(hash->start(hash->context), 0);
  for (uint32_t at = 0; at < length; at += piece) {
    const uint32_t rest = length - at;
    assert_int_equal(hash->update(hash->context, text + at, rest < piece ? rest : piece), 0);
  }
  assert_int_equal(hash->update(hash->context, text, 0), 0);
  assert_int_equal(hash->finish(hash->context, digest), 0);
  for (uint32_t i = 0; i < size; i++) {
    snprintf(hex + 2 * i, 3, "%02x", digest[i]);
  }
  assert_string_equal(hex, expected);
}

static void test_sha256(void **state)
{
  struct mbedtls_hash context;
  struct lb_hash hash;

  (void)state;
  mbedtls_hash_sha256(&hash, &context);
  assert_digest(&hash, "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_digest(&hash, "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_digest(&hash, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 7,
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_md5(void **state)
{
  struct mbedtls_hash context;
  struct lb_hash hash;

  (void)state;
  mbedtls_hash_md5(&hash, &context);
  assert_digest(&hash, "", 1, "d41d8cd98f00b204e9800998ecf8427e");
  assert_digest(&hash, "message digest", 5, "f96b697d7cb7938d525a2f31aaf161d0");
  assert_digest(&hash, "12345678901234567890123456789012345678901234567890123456789012345678901234567890", 64,
                "57edf4a22be3c955ac49da2e2107b67a");
}

/* An abandoned digest leaves nothing behind in the next one. */
static void test_start_again(void **state)
{
  struct mbedtls_hash contexts[2];
  struct lb_hash sha256;
  struct lb_hash md5;

  (void)state;
  mbedtls_hash_sha256(&sha256, &contexts[0]);
  mbedtls_hash_md5(&md5, &contexts[1]);
  assert_int_equal(sha256.start(sha256.context), 0);
  assert_int_equal(sha256.update(sha256.context, "left behind", 11), 0);
  assert_int_equal(md5.start(md5.context), 0);
  assert_int_equal(md5.update(md5.context, "left behind", 11), 0);
  assert_digest(&sha256, "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_digest(&md5, "abc", 3, "900150983cd24fb0d6963f7d28e17f72");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sha256),
      cmocka_unit_test(test_md5),
      cmocka_unit_test(test_start_again),
  };

  return cmocka_run_group_tests_name("mbedtls_hash", tests, NULL, NULL);
}
