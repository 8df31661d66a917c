#ifndef CUNLOADEDMODULES_H
#define CUNLOADEDMODULES_H

/* From now on libp11-kit takes every library that it is to load for a PKCS#11 module, whether it exists or not, and
   loads none: p11-kit tells of a module only once its library is loaded, and loading runs the library's constructors.
   One file is one module, whatever its names. libp11-kit itself, as p11-kit-proxy.so, is none, and no folder is. No
   function of such a module may be called. For a process that only asks, before it asks. 0, or an errno: ENOTSUP where
   libp11-kit is not built as expected. */
int cunloaded_load_no_modules(void);

#endif
