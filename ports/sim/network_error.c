// SPDX-License-Identifier: MIT
/* libcurl's errors in the module's words. */
#include <string.h>

#include "ports/sim/network_transfer.h"

/* What libcurl leaves as OpenSSL's verdict when OpenSSL was content and libcurl itself was not: about the name. */
#define VERDICT_NONE 1

/* One code stands for an unknown authority, an expired certificate and a wrong name. OpenSSL judges all but the name.
 */
static int verification_error(const struct port_transfer *transfer)
{
  long verdict = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
  return verdict > VERDICT_NONE ? PORT_ERR_TLS_CA : PORT_ERR_TLS_HOST;
}

int transfer_error_of(const struct port_transfer *transfer, CURLcode code)
{
  switch (code) {
  case CURLE_URL_MALFORMAT:
    return PORT_ERR_URL;
  case CURLE_COULDNT_RESOLVE_HOST:
    return PORT_ERR_NAME;
  case CURLE_COULDNT_CONNECT:
    return PORT_ERR_CONNECT;
  case CURLE_OPERATION_TIMEDOUT:
    return PORT_ERR_TIMEOUT;
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
    return PORT_ERR_CLOSED;
  case CURLE_RECV_ERROR:
    /* libcurl has no code of its own for chunks that are none */
    return strstr(transfer->error_text, "chunked") ? PORT_ERR_PROTOCOL : PORT_ERR_CLOSED;
  case CURLE_PEER_FAILED_VERIFICATION:
    return verification_error(transfer);
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_CACERT_BADFILE:
    return PORT_ERR_TLS_CA;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_ENGINE_INITFAILED:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_SHUTDOWN_FAILED:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_USE_SSL_FAILED:
    return PORT_ERR_TLS;
  default:
    return PORT_ERR_PROTOCOL;
  }
}
