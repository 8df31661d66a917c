/* Who is at the other end of a TCP connection of this machine with itself: sock_diag(7), which every user may ask. */
#ifndef CLINUX_SOCKETS_H
#define CLINUX_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

/* One end of a TCP connection. */
struct clinux_tcp_end {
    uint32_t uid;   /* who made the socket, as this user namespace has it; 0 where no process has it any more */
    uint32_t inode; /* 0 where no process has it any more */
    uint8_t state;  /* of the kernel's tcp_states.h */
};

/* A socket to ask through, one question at a time. Its descriptor, or -errno. */
int clinux_open_sock_diag(void);

/* Fills `end` with what the kernel knows of the socket that `connection` is connected with, by the exact addresses and
   ports of both. 0, or an errno: EADDRNOTAVAIL where one of them is no loopback address, ENOENT where the socket is gone,
   ENOTCONN where `connection` has ended meanwhile: the addresses may be another socket's by now. */
int clinux_tcp_peer(int diag, int connection, struct clinux_tcp_end *end);

/* 0 where the kernel finds the socket `listening` in this way at all, or an errno. */
int clinux_probe_sock_diag(int diag, int listening);

/* Sets the access list of an open file (acl(5)), as the kernel stores it. 0, or an errno. */
int clinux_set_access_list(int file, const void *list, size_t length);

#endif
