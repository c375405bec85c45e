//! Names and words of errno values, without a table of words: the system has those.

use std::io;

/// The errno of a function that does not exist.
pub(crate) const ENOSYS: i32 = if cfg!(target_os = "macos") { 78 } else { 38 };

/// Names by number from 1 on, `-` where a number has none; 35 and 95 have two, of which libuv gives these. From
/// `asm-generic/errno-base.h` and `asm-generic/errno.h`, which x86-64 and arm64 share.
#[cfg(not(target_os = "macos"))]
const NAMES: &str = "\
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY \
    EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK \
    EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC \
    EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR \
    ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG \
    EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE \
    EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT ENOTSUP \
    EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED \
    ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH \
    EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE \
    ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL";

/// Names by number from 1 on, from `sys/errno.h` of Darwin.
#[cfg(target_os = "macos")]
const NAMES: &str = "\
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EDEADLK ENOMEM EACCES EFAULT ENOTBLK EBUSY \
    EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK \
    EPIPE EDOM ERANGE EAGAIN EINPROGRESS EALREADY ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT \
    EPROTONOSUPPORT ESOCKTNOSUPPORT ENOTSUP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN \
    ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT \
    ECONNREFUSED ELOOP ENAMETOOLONG EHOSTDOWN EHOSTUNREACH ENOTEMPTY EPROCLIM EUSERS EDQUOT ESTALE EREMOTE \
    EBADRPC ERPCMISMATCH EPROGUNAVAIL EPROGMISMATCH EPROCUNAVAIL ENOLCK ENOSYS EFTYPE EAUTH ENEEDAUTH \
    EPWROFF EDEVERR EOVERFLOW EBADEXEC EBADARCH ESHLIBVERS EBADMACHO ECANCELED EIDRM ENOMSG EILSEQ ENOATTR \
    EBADMSG EMULTIHOP ENODATA ENOLINK ENOSR ENOSTR EPROTO ETIME EOPNOTSUPP ENOPOLICY ENOTRECOVERABLE \
    EOWNERDEAD EQFULL";

/// Name and words of a negative errno: `ENOENT`, `no such file or directory`.
pub(crate) fn describe(number: i64) -> (String, String) {
    let known = usize::try_from(number.unsigned_abs())
        .ok()
        .and_then(|positive| NAMES.split(' ').nth(positive.checked_sub(1)?))
        .filter(|name| *name != "-");
    match known {
        Some(name) => (name.to_owned(), words(number.unsigned_abs())),
        // libuv's name for what it does not know.
        None => ("UNKNOWN".to_owned(), format!("unknown system error {number}")),
    }
}

fn words(positive: u64) -> String {
    // Only called for numbers in the table, all of which an i32 holds.
    let text = io::Error::from_raw_os_error(positive as i32).to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::{describe, ENOSYS};

    #[test]
    fn names_common_errors_in_the_words_of_the_system() {
        let (name, words) = describe(-2);
        assert_eq!((name.as_str(), words.as_str()), ("ENOENT", "no such file or directory"));
        assert_eq!(describe(-22).0, "EINVAL");
        assert_eq!(describe(-i64::from(ENOSYS)).0, "ENOSYS");
    }

    #[test]
    fn agrees_with_the_standard_library_about_the_numbers() {
        for (name, kind) in [
            ("EADDRINUSE", ErrorKind::AddrInUse),
            ("ECONNREFUSED", ErrorKind::ConnectionRefused),
            ("ETIMEDOUT", ErrorKind::TimedOut),
            ("ENOTEMPTY", ErrorKind::DirectoryNotEmpty),
            ("ESTALE", ErrorKind::StaleNetworkFileHandle),
        ] {
            let number = (1i64..200).find(|number| describe(-number).0 == name);
            let found = number.map(|number| Error::from_raw_os_error(number as i32).kind());
            assert_eq!(found, Some(kind), "{name}");
        }
    }

    #[test]
    fn says_so_when_a_number_is_unknown() {
        for number in [-4_095, -100_000, i64::MIN, 0] {
            assert_eq!(describe(number).0, "UNKNOWN", "{number}");
        }
    }
}
