/*
 * The receiver's build: keys of a subscription, and decrypting. The messages are those of RFC 8291 appendix A and of the draft of `aesgcm`
 * (draft-ietf-webpush-encryption-04 section 5).
 */
#include "check.h"

static pushcore_error *error = NULL;

static size_t base64url(const char *in, uint8_t *out) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  unsigned bits = 0, have = 0;
  size_t n = 0;
  for (; *in; in++) {
    const char *at = strchr(letters, *in);
    CHECK(at != NULL);
    bits = bits << 6 | (unsigned)(at - letters);
    have += 6;
    if (have >= 8) out[n++] = (uint8_t)(bits >> (have -= 8));
  }
  return n;
}

static const char RFC8291[] =
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2"
    "Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

int main(void) {
  pushcore_receiver_keys *keys = NULL, *again = NULL;
  pushcore_bytes *plain = NULL, *exported = NULL, *auth = NULL, *point = NULL, *point_again = NULL;
  uint8_t octets[512];
  pushcore_view body;
  body.data = octets;
  CHECK(pushcore_abi_version() == PUSHCORE_ABI_VERSION && is(pushcore_version(), PUSHCORE_VERSION));

  OK(pushcore_receiver_keys_import(text("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), text("BTBZMqHH6r4Tts7J_aSIgg"), &keys, &error));
  OK(pushcore_receiver_keys_p256dh(keys, &point, &error));
  CHECK(is(pushcore_bytes_view(point), "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"));
  pushcore_bytes_free(point);
  body.len = base64url(RFC8291, octets);
  OK(pushcore_receiver_keys_decrypt(keys, body, &plain, &error));
  CHECK(is(pushcore_bytes_view(plain), "When I grow up, I want to be a watermelon"));
  pushcore_bytes_free(plain);
  body.len -= 1;
  FAILS(PUSHCORE_ERROR_DECRYPTION_FAILED, pushcore_receiver_keys_decrypt(keys, body, &plain, &error));
  body.len = 100;
  FAILS(PUSHCORE_ERROR_INVALID_CIPHERTEXT, pushcore_receiver_keys_decrypt(keys, body, &plain, &error));
  FAILS(PUSHCORE_ERROR_INVALID_KEY, pushcore_receiver_keys_import(text("x"), text("BTBZMqHH6r4Tts7J_aSIgg"), &again, &error));
  FAILS(PUSHCORE_ERROR_INVALID_KEY, pushcore_receiver_keys_import(text("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), text("AA"), &again, &error));
  pushcore_receiver_keys_free(keys);

  OK(pushcore_receiver_keys_import(text("9FWl15_QUQAWDaD3k3l50ZBZQJ4au27F1V4F0uLSD_M"), text("R29vIGdvbyBnJyBqb29iIQ"), &keys, &error));
  body.len = base64url("6nqAQUME8hNqw5J3kl8cpVVJylXKYqZOeseZG8UueKpA", octets);
  OK(pushcore_receiver_keys_decrypt_aesgcm(
      keys, body, text("dh=BNoRDbb84JGm8g5Z5CFxurSqsXWJ11ItfXEWYVLE85Y7CYkDjXsIEc4aqxYaQ1G8BqkXCJ6DPpDrWtdWj_mugHU"),
      text("salt=lngarbyKfMoi9Z75xYXmkg"), &plain, &error));
  CHECK(is(pushcore_bytes_view(plain), "I am the walrus"));
  pushcore_bytes_free(plain);
  pushcore_receiver_keys_free(keys);

  OK(pushcore_receiver_keys_generate(&keys, &error));
  OK(pushcore_receiver_keys_export(keys, &exported, &error));
  OK(pushcore_receiver_keys_auth(keys, &auth, &error));
  OK(pushcore_receiver_keys_import(pushcore_bytes_view(exported), pushcore_bytes_view(auth), &again, &error));
  OK(pushcore_receiver_keys_p256dh(keys, &point, &error));
  OK(pushcore_receiver_keys_p256dh(again, &point_again, &error));
  CHECK(pushcore_bytes_view(point).len == 87);
  CHECK(memcmp(pushcore_bytes_view(point).data, pushcore_bytes_view(point_again).data, 87) == 0);
  pushcore_bytes_free(point_again);
  pushcore_bytes_free(point);
  pushcore_bytes_free(auth);
  pushcore_bytes_free(exported);
  pushcore_receiver_keys_free(again);
  OK(pushcore_receiver_keys_subscription(keys, text("https://updates.push.services.mozilla.com/wpush/v2/abc"), &exported, &error));
  CHECK(holds(pushcore_bytes_view(exported), "\"p256dh\":\""));
  pushcore_bytes_free(exported);
  pushcore_receiver_keys_free(keys);
  CHECK(pushcore_live_handles() == 0);
  puts("ok");
  return 0;
}
