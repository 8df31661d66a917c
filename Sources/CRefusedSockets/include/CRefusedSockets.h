#ifndef CREFUSEDSOCKETS_H
#define CREFUSEDSOCKETS_H

/* Whether this process has asked for a socket of the internet and was refused any (EAFNOSUPPORT), or has looked a name up
   in vain. What a library asks of the kernel without the C library is not seen. */
int crefusedsockets_any(void);

#endif
