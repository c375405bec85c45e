/**
 * The standard headers that a parsed header may include, reduced to the types that function signatures use. They are
 * ours, so that one header parses alike on every machine and for every target: the widths come from the parser's
 * predefined macros for the target, never from the system. `uid_t` and `gid_t` are 32-bit unsigned on all targets.
 */

const STDINT = `#ifndef A3S_STDINT_H
#define A3S_STDINT_H
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INTPTR_TYPE__ intptr_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __INTMAX_TYPE__ intmax_t;
typedef __UINTMAX_TYPE__ uintmax_t;
#define INT8_MIN (-128)
#define INT16_MIN (-32767 - 1)
#define INT32_MIN (-2147483647 - 1)
#define INT64_MIN (-__INT64_MAX__ - 1)
#define INT8_MAX __INT8_MAX__
#define INT16_MAX __INT16_MAX__
#define INT32_MAX __INT32_MAX__
#define INT64_MAX __INT64_MAX__
#define UINT8_MAX __UINT8_MAX__
#define UINT16_MAX __UINT16_MAX__
#define UINT32_MAX __UINT32_MAX__
#define UINT64_MAX __UINT64_MAX__
#define SIZE_MAX __SIZE_MAX__
#define A3S_JOIN_(value, suffix) value##suffix
#define A3S_JOIN(value, suffix) A3S_JOIN_(value, suffix)
#define INT8_C(value) value
#define INT16_C(value) value
#define INT32_C(value) value
#define INT64_C(value) A3S_JOIN(value, __INT64_C_SUFFIX__)
#define UINT8_C(value) value
#define UINT16_C(value) value
#define UINT32_C(value) A3S_JOIN(value, __UINT32_C_SUFFIX__)
#define UINT64_C(value) A3S_JOIN(value, __UINT64_C_SUFFIX__)
#endif
`;

const STDDEF = `#ifndef A3S_STDDEF_H
#define A3S_STDDEF_H
typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef __WCHAR_TYPE__ wchar_t;
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
`;

const STDBOOL = `#ifndef A3S_STDBOOL_H
#define A3S_STDBOOL_H
#define bool _Bool
#define true 1
#define false 0
#endif
`;

const SYS_TYPES = `#ifndef A3S_SYS_TYPES_H
#define A3S_SYS_TYPES_H
#include <stddef.h>
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef int pid_t;
typedef long ssize_t;
typedef __INT64_TYPE__ off_t;
#endif
`;

const STDARG = `#ifndef A3S_STDARG_H
#define A3S_STDARG_H
typedef __builtin_va_list va_list;
#endif
`;

/** File name to content; written to the parser's system include folder. */
export const STANDARD_HEADERS: Readonly<Record<string, string>> = {
  'stdint.h': STDINT,
  'inttypes.h': '#include <stdint.h>\n',
  'stddef.h': STDDEF,
  'stdbool.h': STDBOOL,
  'stdarg.h': STDARG,
  'sys/types.h': SYS_TYPES,
  'unistd.h': '#include <sys/types.h>\n',
};
