#define _GNU_SOURCE
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

int clinux_open_sock_diag(void) {
    const int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    return diag >= 0 ? diag : -errno;
}

/* Puts an address into the form of inet_diag_sockid. 0, or an errno. */
static int copy_address(const struct sockaddr_storage *address, __be32 to[4], __be16 *port) {
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        if (ntohl(in->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET) return EADDRNOTAVAIL;
        to[0] = in->sin_addr.s_addr;
        *port = in->sin_port;
        return 0;
    }
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)address;
    if (address->ss_family != AF_INET6 || !IN6_IS_ADDR_LOOPBACK(&in->sin6_addr)) return EADDRNOTAVAIL;
    memcpy(to, &in->sin6_addr, sizeof in->sin6_addr);
    *port = in->sin6_port;
    return 0;
}

/* Whether the kernel speaks of the address that was asked for. A socket of IPv6 may be connected with one of IPv4, and
   then has its address in a form of its own (RFC 4291, 2.5.5.2). */
static int is_same_address(const __be32 found[4], int found_family, const __be32 wanted[4], int wanted_family) {
    if (found_family == wanted_family) return memcmp(found, wanted, wanted_family == AF_INET ? 4 : 16) == 0;
    const __be32 mapped[4] = {0, 0, htonl(0xFFFF), wanted[0]};
    return wanted_family == AF_INET && found_family == AF_INET6 && memcmp(found, mapped, sizeof mapped) == 0;
}

static int ask(int diag, int family, const struct inet_diag_sockid *id, struct clinux_tcp_end *end) {
    static atomic_uint last_number;
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 question;
    } request = {
        .header = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST,
                   .nlmsg_seq = atomic_fetch_add(&last_number, 1) + 1},
        .question = {.sdiag_family = (__u8)family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u, .id = *id},
    };
    request.question.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    request.question.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(diag, &request, sizeof request, MSG_DONTWAIT, (const struct sockaddr *)&kernel, sizeof kernel) < 0)
        return errno;
    /* The answer is there when the question is sent. A late one to an earlier question is passed over. */
    for (int rest = 8; rest > 0; rest--) {
        union {
            struct nlmsghdr header;
            char bytes[1024];
        } answer;
        struct sockaddr_nl from = {0};
        socklen_t length = sizeof from;
        const ssize_t size = recvfrom(diag, &answer, sizeof answer, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
        if (size < 0) return errno;
        if (from.nl_pid != 0 || !NLMSG_OK(&answer.header, (size_t)size)
            || answer.header.nlmsg_seq != request.header.nlmsg_seq)
            continue;
        if (answer.header.nlmsg_type == NLMSG_ERROR) {
            if (answer.header.nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) return EBADMSG;
            const int error = -((const struct nlmsgerr *)NLMSG_DATA(&answer.header))->error;
            return error > 0 ? error : EBADMSG;
        }
        if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY
            || answer.header.nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
            return EBADMSG;
        const struct inet_diag_msg *found = NLMSG_DATA(&answer.header);
        /* Without such a connection the kernel looks for one that listens. */
        if (found->id.idiag_sport != id->idiag_sport || found->id.idiag_dport != id->idiag_dport
            || !is_same_address(found->id.idiag_src, found->idiag_family, id->idiag_src, family)
            || !is_same_address(found->id.idiag_dst, found->idiag_family, id->idiag_dst, family))
            return ENOENT;
        *end = (struct clinux_tcp_end){
            .uid = found->idiag_uid, .inode = found->idiag_inode, .state = found->idiag_state};
        return 0;
    }
    return EBADMSG;
}

int clinux_tcp_peer(int diag, int connection, struct clinux_tcp_end *end) {
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t length = sizeof own;
    if (getsockname(connection, (struct sockaddr *)&own, &length) != 0) return errno;
    length = sizeof peer;
    if (getpeername(connection, (struct sockaddr *)&peer, &length) != 0) return errno;
    if (own.ss_family != peer.ss_family) return EADDRNOTAVAIL;
    struct inet_diag_sockid id = {0};
    int error = copy_address(&peer, id.idiag_src, &id.idiag_sport);
    if (error == 0) error = copy_address(&own, id.idiag_dst, &id.idiag_dport);
    if (error == 0) error = ask(diag, own.ss_family, &id, end);
    if (error != 0) return error;
    __u8 state = 0; /* the first byte of struct tcp_info */
    length = sizeof state;
    if (getsockopt(connection, IPPROTO_TCP, TCP_INFO, &state, &length) != 0) return errno;
    return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT ? 0 : ENOTCONN;
}

int clinux_probe_sock_diag(int diag, int listening) {
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof own;
    if (getsockname(listening, (struct sockaddr *)&own, &length) != 0) return errno;
    struct inet_diag_sockid id = {0};
    const int error = copy_address(&own, id.idiag_src, &id.idiag_sport);
    struct clinux_tcp_end end;
    return error != 0 ? error : ask(diag, own.ss_family, &id, &end);
}

int clinux_set_access_list(int file, const void *list, size_t length) {
    return fsetxattr(file, "system.posix_acl_access", list, length, 0) == 0 ? 0 : errno;
}
