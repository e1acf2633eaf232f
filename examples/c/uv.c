/*
 * The same as bulk.c on libuv: a session (L3) whose sockets, timer and name lookups belong to the loop.
 *
 *   uv AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]
 *
 * Nothing waits but the loop. Each callback hands its input to the session and then calls turn(), which does what the session wants done.
 */
#include "common.h"

#include <signal.h>
#include <uv.h>

#define MOST_RESULTS 256

struct link {
  uv_tcp_t tcp; /* first: a handle of libuv is a link */
  uv_connect_t connect;
  uv_write_t write;
  uint64_t id;
  char host[256];
  uint16_t port;
  int resolving, connected, writing, closing;
  struct link *next;
};

static uv_loop_t *loop;
static uv_timer_t timer;
static pushcore_error *error;
static pushcore_session *session;
static pushcore_template *message;
static pushcore_view *tokens;
static size_t count, taken, ended;
static struct link *links;
static int closing;

static pushcore_now now(void) {
  pushcore_now made;
  pushcore_clock_now(&made);
  return made;
}

static void turn(void);

static void freed(uv_handle_t *handle) {
  struct link **place, *link = (struct link *)handle;
  for (place = &links; *place; place = &(*place)->next) {
    if (*place != link) continue;
    *place = link->next;
    break;
  }
  free(link);
}

/* A lookup that is under way still points to the link: the link is closed when the lookup has ended. */
static void drop(struct link *link) {
  if (link->closing) return;
  link->closing = 1;
  if (!link->resolving) uv_close((uv_handle_t *)&link->tcp, freed);
}

static void failed(struct link *link, pushcore_status status, const char *why) {
  must(pushcore_session_connect_failed(session, link->id, status, text(why), now(), &error), error, "connect_failed");
  drop(link);
  turn();
}

static void room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  static char octets[65536];
  (void)handle;
  (void)suggested;
  *buffer = uv_buf_init(octets, sizeof octets);
}

static void have_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer) {
  struct link *link = (struct link *)stream;
  pushcore_view in;
  if (n == 0 || link->closing) return;
  if (n < 0) {
    must(pushcore_session_receive_eof(session, link->id, now(), &error), error, "eof");
    drop(link);
  } else {
    in.data = (const uint8_t *)buffer->base;
    in.len = (size_t)n;
    must(pushcore_session_receive(session, link->id, in, now(), &error), error, "receive");
  }
  turn();
}

static void have_connected(uv_connect_t *request, int status) {
  struct link *link = (struct link *)request->data;
  if (link->closing) return;
  if (status < 0) {
    failed(link, PUSHCORE_ERROR_CONNECT_REFUSED, uv_strerror(status));
    return;
  }
  link->connected = 1;
  uv_tcp_nodelay(&link->tcp, 1);
  uv_read_start((uv_stream_t *)&link->tcp, room, have_read);
  must(pushcore_session_connected(session, link->id, now(), &error), error, "connected");
  turn();
}

static void have_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  struct link *link = (struct link *)request->data;
  struct addrinfo *one;
  char shown[64];
  free(request);
  link->resolving = 0;
  if (link->closing) uv_close((uv_handle_t *)&link->tcp, freed);
  else if (status < 0) failed(link, PUSHCORE_ERROR_NAME_NOT_RESOLVED, uv_strerror(status));
  for (one = status < 0 || link->closing ? NULL : found; one; one = one->ai_next) {
    if (one->ai_family == AF_INET) uv_ip4_name((const struct sockaddr_in *)one->ai_addr, shown, sizeof shown);
    else uv_ip6_name((const struct sockaddr_in6 *)one->ai_addr, shown, sizeof shown);
    /* The first address that the policy allows is taken; a client tries them all. */
    if (pushcore_session_allow_address(session, text(link->host), link->port, text(shown), NULL) != PUSHCORE_OK) continue;
    link->connect.data = link;
    if (uv_tcp_connect(&link->connect, &link->tcp, one->ai_addr, have_connected) == 0) break;
  }
  if (status == 0 && !link->closing && !one) failed(link, PUSHCORE_ERROR_CONNECT_REFUSED, "no address took the connection");
  uv_freeaddrinfo(found);
}

static void dial(const pushcore_action *action) {
  struct link *link = (struct link *)calloc(1, sizeof *link);
  uv_getaddrinfo_t *request = (uv_getaddrinfo_t *)malloc(sizeof *request);
  struct addrinfo hints;
  char port[8];
  if (!link || !request || action->host.len >= sizeof link->host) exit(1);
  memcpy(link->host, action->host.data, action->host.len);
  link->port = action->port;
  link->id = action->link;
  link->next = links;
  links = link;
  uv_tcp_init(loop, &link->tcp);
  snprintf(port, sizeof port, "%u", (unsigned)action->port);
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  request->data = link;
  link->resolving = 1;
  if (uv_getaddrinfo(loop, request, have_resolved, link->host, port, &hints) != 0) exit(1);
}

static void write_to(struct link *link);

static void have_written(uv_write_t *request, int status) {
  struct link *link = (struct link *)request->handle;
  free(request->data);
  link->writing = 0;
  /* A write that failed shows when reading. */
  if (status == 0 && !link->closing) write_to(link);
}

/* Writes what the session wants to write. What the socket does not take at once is copied, because the view ends with the next call. */
static void write_to(struct link *link) {
  while (!link->writing && !link->closing) {
    pushcore_view out;
    uv_buf_t buffer;
    int n;
    must(pushcore_session_transmit(session, link->id, &out, &error), error, "transmit");
    if (!out.len) return;
    buffer = uv_buf_init((char *)(size_t)out.data, (unsigned)out.len);
    n = uv_try_write((uv_stream_t *)&link->tcp, &buffer, 1);
    if (n < 0 && n != UV_EAGAIN) return;
    if (n < 0) {
      char *copy = (char *)malloc(out.len);
      if (!copy) exit(1);
      memcpy(copy, out.data, out.len);
      buffer.base = copy;
      link->write.data = copy;
      link->writing = 1;
      n = (int)out.len;
      if (uv_write(&link->write, (uv_stream_t *)&link->tcp, &buffer, 1, have_written) != 0) exit(1);
    }
    must(pushcore_session_transmitted(session, link->id, (size_t)n, &error), error, "transmitted");
  }
}

/* Everything that the session wants done. */
static void act(void) {
  pushcore_action action;
  struct link *link;
  for (;;) {
    must(pushcore_session_poll_action(session, &action, &error), error, "action");
    if (action.kind == PUSHCORE_ACTION_NONE) break;
    if (action.kind == PUSHCORE_ACTION_CONNECT) {
      dial(&action);
      continue;
    }
    for (link = links; link; link = link->next) {
      if (link->id != action.link || link->closing) continue;
      if (action.final_bytes.len && link->connected && !link->writing) {
        uv_buf_t last = uv_buf_init((char *)(size_t)action.final_bytes.data, (unsigned)action.final_bytes.len);
        uv_try_write((uv_stream_t *)&link->tcp, &last, 1);
      }
      drop(link);
    }
  }
  for (link = links; link; link = link->next)
    if (link->connected) write_to(link);
}

static void due(uv_timer_t *handle) {
  (void)handle;
  must(pushcore_session_handle_timeout(session, now(), &error), error, "timeout");
  turn();
}

static void turn(void) {
  static pushcore_result results[MOST_RESULTS];
  size_t now_taken, got, i;
  uint64_t deadline, at;
  bool closed = false;
  do {
    now_taken = 0;
    if (taken < count) {
      must(pushcore_session_submit_targets(session, message, tokens + taken, NULL, count - taken, NULL, now(), &now_taken, &error), error,
           "submit");
      taken += now_taken;
    }
    act();
    must(pushcore_session_results(session, results, MOST_RESULTS, &got, &error), error, "results");
    ended += got;
    for (i = 0; i < got; i++) {
      pushcore_view token = tokens[results[i].user_data];
      if (results[i].outcome == PUSHCORE_OUTCOME_TOKEN_GONE) printf("%.*s\n", (int)token.len, (const char *)token.data);
    }
    /* What has ended makes room for more. */
  } while (got || now_taken);
  if (ended == count && !closing) {
    must(pushcore_session_close(session, now(), &error), error, "close");
    closing = 1;
    act();
  }
  must(pushcore_session_is_closed(session, &closed, &error), error, "is_closed");
  if (closed) {
    if (!uv_is_closing((uv_handle_t *)&timer)) uv_close((uv_handle_t *)&timer, NULL);
    return;
  }
  must(pushcore_session_deadline(session, &deadline, &error), error, "deadline");
  if (deadline == UINT64_MAX) {
    uv_timer_stop(&timer);
    return;
  }
  /* The loop counts from the time at which it last looked; pushcore_session_handle_timeout is told the real one. */
  at = now().monotonic_ms;
  uv_update_time(loop);
  uv_timer_start(&timer, due, deadline <= at ? 0 : deadline - at, 0);
}

int main(int argc, char **argv) {
  pushcore_network_options network;
  pushcore_service *service;
  pushcore_stats stats;
  if (argc != 6 && argc != 8) {
    fprintf(stderr, "usage: uv AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]\n");
    return 2;
  }
  /* libuv writes without MSG_NOSIGNAL: a server that hangs up would end the program. */
  signal(SIGPIPE, SIG_IGN);
  loop = uv_default_loop();
  service = apns(argv[1], argv[2], argv[3], argc == 8 ? argv[6] : NULL);
  message = greeting(argv[4]);
  tokens = lines_of(read_file(argv[5]), &count);
  memset(&network, 0, sizeof network);
  network.struct_size = (uint32_t)sizeof network;
  if (argc == 8) network.ca = read_file(argv[7]);
  must(pushcore_session_new(service, &network, now(), &session, &error), error, "session");
  uv_timer_init(loop, &timer);
  turn();
  uv_run(loop, UV_RUN_DEFAULT);
  uv_loop_close(loop);

  memset(&stats, 0, sizeof stats);
  stats.struct_size = (uint32_t)sizeof stats;
  must(pushcore_session_stats(session, &stats, &error), error, "stats");
  fprintf(stderr, "%llu accepted, %llu gone, of %llu\n", (unsigned long long)stats.accepted, (unsigned long long)stats.token_gone,
          (unsigned long long)stats.submitted);
  pushcore_session_free(session);
  pushcore_template_free(message);
  pushcore_service_free(service);
  return ended == count ? 0 : 1;
}
