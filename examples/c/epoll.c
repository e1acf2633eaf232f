/*
 * The same as bulk.c in an event loop of one's own: a session (L3), sockets and epoll (Linux).
 *
 *   epoll AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]
 *
 * The session opens no socket, starts no thread and reads no clock: this program does. Names are looked up with getaddrinfo, which waits; a
 * server looks them up elsewhere.
 */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_LINKS 64
#define MOST_RESULTS 256

struct link {
  uint64_t id;
  int fd; /* -1: free */
  int connected;
};

static pushcore_error *error;
static pushcore_session *session;
static struct link links[MOST_LINKS];
static int poller;

static pushcore_now now(void) {
  pushcore_now made;
  pushcore_clock_now(&made);
  return made;
}

static void failed(uint64_t link, pushcore_status status, const char *why) {
  must(pushcore_session_connect_failed(session, link, status, text(why), now(), &error), error, "connect_failed");
}

/* Begins to connect. The first address that the policy allows is taken; a client tries them all. */
static void dial(const pushcore_action *action) {
  char host[256], port[8], shown[64];
  struct addrinfo hints, *found = NULL, *one;
  struct link *free_ = NULL;
  int i;
  for (i = 0; i < MOST_LINKS && !free_; i++)
    if (links[i].fd < 0) free_ = &links[i];
  if (!free_ || action->host.len >= sizeof host) {
    failed(action->link, PUSHCORE_ERROR_CONNECT_REFUSED, "no room for another socket");
    return;
  }
  memcpy(host, action->host.data, action->host.len);
  host[action->host.len] = 0;
  snprintf(port, sizeof port, "%u", (unsigned)action->port);
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host, port, &hints, &found) != 0) {
    failed(action->link, PUSHCORE_ERROR_NAME_NOT_RESOLVED, "the name does not resolve");
    return;
  }
  for (one = found; one; one = one->ai_next) {
    struct epoll_event wanted;
    int fd, on = 1;
    if (getnameinfo(one->ai_addr, one->ai_addrlen, shown, sizeof shown, NULL, 0, NI_NUMERICHOST) != 0) continue;
    if (pushcore_session_allow_address(session, action->host, action->port, text(shown), NULL) != PUSHCORE_OK) continue;
    fd = socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, one->ai_addr, one->ai_addrlen) == 0 || errno == EINPROGRESS) {
      free_->id = action->link;
      free_->fd = fd;
      free_->connected = 0;
      wanted.events = EPOLLIN | EPOLLOUT | EPOLLET;
      wanted.data.ptr = free_;
      epoll_ctl(poller, EPOLL_CTL_ADD, fd, &wanted);
      break;
    }
    close(fd);
  }
  freeaddrinfo(found);
  if (!one) failed(action->link, PUSHCORE_ERROR_CONNECT_REFUSED, "no address took the connection");
}

/* Writes what the session wants to write, as far as the socket takes it. */
static void write_to(struct link *link) {
  pushcore_view out;
  for (;;) {
    ssize_t n;
    must(pushcore_session_transmit(session, link->id, &out, &error), error, "transmit");
    if (!out.len) return;
    n = send(link->fd, out.data, out.len, MSG_NOSIGNAL);
    if (n <= 0) return; /* full, or broken: then reading says so */
    must(pushcore_session_transmitted(session, link->id, (size_t)n, &error), error, "transmitted");
  }
}

static void read_from(struct link *link) {
  static uint8_t buffer[65536];
  for (;;) {
    ssize_t n = recv(link->fd, buffer, sizeof buffer, 0);
    pushcore_view in;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      must(pushcore_session_receive_eof(session, link->id, now(), &error), error, "eof");
      close(link->fd);
      link->fd = -1;
      return;
    }
    in.data = buffer;
    in.len = (size_t)n;
    must(pushcore_session_receive(session, link->id, in, now(), &error), error, "receive");
  }
}

/* Everything that the session wants done. */
static void act(void) {
  pushcore_action action;
  int i;
  for (;;) {
    must(pushcore_session_poll_action(session, &action, &error), error, "action");
    if (action.kind == PUSHCORE_ACTION_NONE) break;
    if (action.kind == PUSHCORE_ACTION_CONNECT) {
      dial(&action);
      continue;
    }
    for (i = 0; i < MOST_LINKS; i++) {
      if (links[i].fd < 0 || links[i].id != action.link) continue;
      if (action.final_bytes.len) (void)!send(links[i].fd, action.final_bytes.data, action.final_bytes.len, MSG_NOSIGNAL);
      close(links[i].fd);
      links[i].fd = -1;
    }
  }
  for (i = 0; i < MOST_LINKS; i++)
    if (links[i].fd >= 0 && links[i].connected) write_to(&links[i]);
}

int main(int argc, char **argv) {
  static pushcore_result results[MOST_RESULTS];
  pushcore_network_options network;
  pushcore_service *service;
  pushcore_template *message;
  pushcore_view *tokens;
  pushcore_stats stats;
  size_t count, taken = 0, now_taken, ended = 0, got, i;
  bool closed = false;
  int closing = 0;

  if (argc != 6 && argc != 8) {
    fprintf(stderr, "usage: epoll AuthKey.p8 KEY_ID TEAM_ID TOPIC tokens.txt [HOST:PORT CA.pem]\n");
    return 2;
  }
  for (i = 0; i < MOST_LINKS; i++) links[i].fd = -1;
  poller = epoll_create1(EPOLL_CLOEXEC);
  service = apns(argv[1], argv[2], argv[3], argc == 8 ? argv[6] : NULL);
  message = greeting(argv[4]);
  tokens = lines_of(read_file(argv[5]), &count);
  memset(&network, 0, sizeof network);
  network.struct_size = (uint32_t)sizeof network;
  if (argc == 8) network.ca = read_file(argv[7]);
  must(pushcore_session_new(service, &network, now(), &session, &error), error, "session");

  while (!closed) {
    struct epoll_event ready[MOST_LINKS];
    uint64_t deadline, at;
    int n, wait;
    if (taken < count) {
      must(pushcore_session_submit_targets(session, message, tokens + taken, NULL, count - taken, NULL, now(), &now_taken, &error), error, "submit");
      taken += now_taken;
    }
    act();
    do {
      must(pushcore_session_results(session, results, MOST_RESULTS, &got, &error), error, "results");
      ended += got;
      for (i = 0; i < got; i++) {
        pushcore_view token = tokens[results[i].user_data];
        if (results[i].outcome == PUSHCORE_OUTCOME_TOKEN_GONE) printf("%.*s\n", (int)token.len, (const char *)token.data);
      }
    } while (got == MOST_RESULTS);
    if (ended == count && !closing) {
      must(pushcore_session_close(session, now(), &error), error, "close");
      closing = 1;
      act();
    }
    must(pushcore_session_is_closed(session, &closed, &error), error, "is_closed");
    must(pushcore_session_deadline(session, &deadline, &error), error, "deadline");
    at = now().monotonic_ms;
    wait = deadline == UINT64_MAX ? -1 : deadline <= at ? 0 : deadline - at > 60000 ? 60000 : (int)(deadline - at);
    if (closed) break;
    n = epoll_wait(poller, ready, MOST_LINKS, wait);
    for (i = 0; i < (size_t)(n > 0 ? n : 0); i++) {
      struct link *link = (struct link *)ready[i].data.ptr;
      if (link->fd < 0) continue;
      if (!link->connected) {
        int refused = 0;
        socklen_t size = sizeof refused;
        getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &refused, &size);
        if (refused) {
          failed(link->id, PUSHCORE_ERROR_CONNECT_REFUSED, "the connection was refused");
          close(link->fd);
          link->fd = -1;
          continue;
        }
        link->connected = 1;
        must(pushcore_session_connected(session, link->id, now(), &error), error, "connected");
      }
      if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_from(link);
    }
    must(pushcore_session_handle_timeout(session, now(), &error), error, "timeout");
  }
  memset(&stats, 0, sizeof stats);
  stats.struct_size = (uint32_t)sizeof stats;
  must(pushcore_session_stats(session, &stats, &error), error, "stats");
  fprintf(stderr, "%llu accepted, %llu gone, of %llu\n", (unsigned long long)stats.accepted, (unsigned long long)stats.token_gone,
          (unsigned long long)stats.submitted);
  pushcore_session_free(session);
  pushcore_template_free(message);
  pushcore_service_free(service);
  close(poller);
  return ended == count ? 0 : 1;
}
