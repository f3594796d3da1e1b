/*
 * dns_forward.c - questions that others answer, each with a socket of its own until it is over.
 *
 * One try after the other: the servers in their order, and then again. Over TCP a try is a
 * connection; the question is small enough to be written at once when that is there.
 */
#include "base/file.h"
#include "podnet/dns_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RESOLV_MAX = 64 * 1024, ROUNDS = 2 };

struct dns_forward {
    struct list link;
    struct dns *dns;
    struct loop_fd watch;
    struct timer timer;
    struct dns_asker asker;
    struct dns_query query;
    size_t tries;
    bool alias, written;
    char question[DNS_DATAGRAM_MAX]; /* As it came. */
    size_t n_question;
    char asked[2 + DNS_DATAGRAM_MAX]; /* As it is sent, behind its length. */
    size_t n_asked;
    struct buf in; /* TCP. */
};

/* --- whom to ask --- */

size_t dns_servers(str_t resolv, struct ip own, struct ip out[DNS_SERVERS_MAX])
{
    size_t n = 0;
    while (resolv.len > 0 && n < DNS_SERVERS_MAX) {
        str_t line, address;
        struct ip ip;
        (void)str_cut(resolv, '\n', &line, &resolv);
        if (!str_starts(line, STR("nameserver")) || line.len < 12 ||
            (line.at[10] != ' ' && line.at[10] != '\t'))
            continue;
        address = (str_t){line.at + 11, line.len - 11};
        while (address.len > 0 && (address.at[0] == ' ' || address.at[0] == '\t')) {
            address.at++;
            address.len--;
        }
        for (size_t i = 0; i < address.len; i++)
            if (address.at[i] == ' ' || address.at[i] == '\t' || address.at[i] == '\r')
                address.len = i;
        if (ip_parse(address, &ip) && !ip_eq(ip, own))
            out[n++] = ip;
    }
    return n;
}

static void read_servers(struct dns *dns)
{
    AUTO(arena_done) struct arena arena = {0};
    struct stat st;
    struct err ignored;
    str_t text = STR("");
    if (stat(dns->settings.resolv, &st) < 0)
        return;
    int64_t changed = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (changed == dns->resolv_changed && dns->n_servers > 0)
        return;
    if (file_read(&arena, dns->settings.resolv, RESOLV_MAX, &text, &ignored) < 0)
        return;
    dns->resolv_changed = changed;
    dns->n_servers = dns_servers(text, dns->settings.address, dns->servers);
}

/* --- the end --- */

static void hang_up(struct dns_forward *f)
{
    int fd = f->watch.fd;
    timer_stop(&f->timer);
    if (fd < 0)
        return;
    loop_forget(&f->watch);
    close(fd);
    f->watch.fd = -1;
}

void dns_forward_forget(struct dns_forward *f)
{
    hang_up(f);
    list_remove(&f->link);
    f->dns->n_forwards--;
    buf_done(&f->in);
    free(f);
}

void dns_forwards_close(struct dns *dns)
{
    LIST_EACH(&dns->forwards, item)
        dns_forward_forget(CONTAINER_OF(item, struct dns_forward, link));
}

/* It is gone before its asker is answered: a connection goes on with the next question then. */
static void finish(struct dns_forward *f, uint8_t *bytes, size_t n)
{
    struct dns *dns = f->dns;
    struct dns_asker asker = f->asker;
    if (asker.connection != NULL)
        dns_connection_waits(asker.connection, NULL);
    dns_forward_forget(f);
    dns_reply(dns, &asker, bytes, n);
}

static void finish_code(struct dns_forward *f, enum dns_code code, bool cut)
{
    struct dns_writer writer;
    uint8_t bytes[DNS_PLAIN_MAX];
    dns_begin(&writer, bytes, sizeof(bytes), (str_t){f->question, f->n_question}, &f->query);
    writer.cut = cut;
    finish(f, bytes, dns_end(&writer, code, false));
}

static void add_found(void *to, const struct dns_record *record)
{
    struct dns_writer *writer = to;
    str_t owner = {record->owner->text, record->owner->len};
    if (record->target != NULL)
        dns_add_name(writer, DNS_ANSWER, owner, DNS_CNAME, record->ttl_s,
                     (str_t){record->target->text, record->target->len});
    else
        dns_add_address(writer, DNS_ANSWER, owner, record->ttl_s, record->ip);
}

/* Our CNAME and what it leads to, as one answer. */
static void finish_alias(struct dns_forward *f, str_t answer)
{
    AUTO(arena_done) struct arena arena = {0};
    struct dns *dns = f->dns;
    struct dns_writer writer;
    enum dns_code code;
    str_t target;
    size_t cap = f->asker.connection != NULL ? DNS_MESSAGE_MAX : f->query.most;
    dns_begin(&writer, dns->answer, cap, (str_t){f->question, f->n_question}, &f->query);
    enum dns_outcome outcome = dns_zone_answer(dns->domain, &dns->settings.source, &f->query,
                                               &arena, &writer, &code, &target);
    if (outcome == DNS_ALIAS && !dns_each_answer(answer, add_found, &writer))
        code = DNS_FAILED;
    if (dns_is_cut(answer) && f->asker.connection == NULL)
        writer.cut = true;
    finish(f, dns->answer, dns_end(&writer, code, true));
}

/* --- tries --- */

static void next_try(struct dns_forward *f);

static void answered(struct dns_forward *f, str_t answer)
{
    struct dns *dns = f->dns;
    enum dns_code code = (enum dns_code)(answer.at[3] & 15);
    if ((code == DNS_FAILED || code == DNS_REFUSED) && f->tries < dns->n_servers * ROUNDS) {
        next_try(f);
        return;
    }
    if (f->alias) {
        finish_alias(f, answer);
        return;
    }
    if (f->asker.connection == NULL && answer.len > f->query.most) {
        finish_code(f, DNS_FINE, true);
        return;
    }
    memcpy(dns->answer, answer.at, answer.len);
    memcpy(dns->answer, f->question, 2); /* The asker's id. */
    finish(f, dns->answer, answer.len);
}

static str_t asked_text(const struct dns_forward *f)
{
    return (str_t){f->asked + 2, f->n_asked};
}

static void datagram_came(struct dns_forward *f)
{
    char bytes[DNS_DATAGRAM_MAX];
    ssize_t n = recv(f->watch.fd, bytes, sizeof(bytes), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) /* Nobody is there. */
        next_try(f);
    else if (dns_is_answer(asked_text(f), (str_t){bytes, (size_t)n}))
        answered(f, (str_t){bytes, (size_t)n});
}

static void write_question(struct dns_forward *f)
{
    ssize_t n = send(f->watch.fd, f->asked, f->n_asked + 2, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n != (ssize_t)f->n_asked + 2) {
        next_try(f);
        return;
    }
    f->written = true;
    loop_want(&f->watch, LOOP_READ);
}

static void read_answer(struct dns_forward *f)
{
    char *at = buf_room(&f->in, 4096);
    ssize_t n = recv(f->watch.fd, at, 4096, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        next_try(f);
        return;
    }
    f->in.len += (size_t)n;
    if (f->in.len < 2)
        return;
    size_t whole = (size_t)((uint8_t)f->in.at[0] << 8 | (uint8_t)f->in.at[1]);
    if (f->in.len < 2 + whole)
        return;
    str_t answer = {f->in.at + 2, whole};
    if (dns_is_answer(asked_text(f), answer))
        answered(f, answer);
    else
        next_try(f);
}

static void came(struct loop_fd *watch, unsigned events)
{
    struct dns_forward *f = CONTAINER_OF(watch, struct dns_forward, watch);
    (void)events;
    if (f->asker.connection == NULL)
        datagram_came(f);
    else if (!f->written)
        write_question(f);
    else
        read_answer(f);
}

static void too_late(struct timer *timer)
{
    next_try(CONTAINER_OF(timer, struct dns_forward, timer));
}

static bool try_one(struct dns_forward *f, struct ip server)
{
    union dns_peer peer;
    struct err ignored;
    bool tcp = f->asker.connection != NULL;
    socklen_t len = dns_peer_of(server, f->dns->settings.forward_port, &peer);
    int kind = (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(peer.any.sa_family, kind, 0);
    if (fd < 0)
        return false;
    if ((connect(fd, &peer.any, len) < 0 && errno != EINPROGRESS) ||
        (!tcp && send(fd, f->asked + 2, f->n_asked, MSG_NOSIGNAL) != (ssize_t)f->n_asked) ||
        loop_watch(f->dns->settings.loop, &f->watch, fd, tcp ? LOOP_WRITE : LOOP_READ, came,
                   &ignored) < 0) {
        close(fd);
        f->watch.fd = -1;
        return false;
    }
    f->written = false;
    f->in.len = 0;
    timer_set(f->dns->settings.loop, &f->timer, DNS_TRY_MS, too_late);
    return true;
}

static void next_try(struct dns_forward *f)
{
    hang_up(f);
    while (f->tries < f->dns->n_servers * ROUNDS)
        if (try_one(f, f->dns->servers[f->tries++ % f->dns->n_servers]))
            return;
    finish_code(f, DNS_FAILED, false);
}

static bool too_many(const struct dns *dns, const struct dns_asker *asker)
{
    size_t same = 0;
    LIST_EACH(&dns->forwards, item)
        same +=
            dns_peer_same(&CONTAINER_OF(item, struct dns_forward, link)->asker.peer, &asker->peer);
    return dns->n_forwards >= DNS_FORWARDS_MAX || same >= DNS_FORWARDS_EACH_MAX;
}

void dns_forward(struct dns *dns, const struct dns_asker *asker, str_t question,
                 const struct dns_query *query, str_t target)
{
    uint16_t id;
    read_servers(dns);
    if (dns->n_servers == 0 || too_many(dns, asker) || question.len > DNS_DATAGRAM_MAX ||
        getrandom(&id, sizeof(id), 0) != sizeof(id)) {
        dns_reply_code(dns, asker, question, query, DNS_FAILED, false);
        return;
    }
    struct dns_forward *f = calloc(1, sizeof(*f));
    MUST(f != NULL);
    f->dns = dns;
    f->watch.fd = -1;
    f->asker = *asker;
    f->query = *query;
    f->alias = target.len > 0;
    f->n_question = question.len;
    memcpy(f->question, question.at, question.len);
    memcpy(f->asked + 2, question.at, question.len);
    f->n_asked =
        f->alias ? dns_ask((uint8_t *)f->asked + 2, id, target, query->type) : question.len;
    memcpy(f->asked + 2, &id, sizeof(id));
    f->asked[0] = (char)(f->n_asked >> 8);
    f->asked[1] = (char)f->n_asked;
    list_add_before(&dns->forwards, &f->link);
    dns->n_forwards++;
    if (asker->connection != NULL)
        dns_connection_waits(asker->connection, f);
    if (f->n_asked == 0)
        finish_code(f, DNS_FAILED, false);
    else
        next_try(f);
}
