//! Is a library file as long as its own headers say?
//!
//! The dynamic loader maps a file that was cut off without a word, and the first touch of what is missing ends the
//! process with SIGBUS. A file that came down a broken connection deserves an error instead.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

const ELF_HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: u64 = 56;
const MACH_HEADER_BYTES: usize = 32;
const MACH_MAGIC: u32 = 0xfeed_facf;
const LC_SEGMENT_64: u32 = 0x19;
const SEGMENT_COMMAND_BYTES: usize = 72;
/// Load commands of a real library take some kilobytes.
const MAX_COMMANDS_BYTES: u64 = 1 << 20;

/// How many bytes the headers of `file` speak of; `None` for a file that is neither a 64-bit little-endian ELF nor a
/// 64-bit Mach-O, which the dynamic loader refuses by itself.
pub fn expected_bytes(file: &mut File) -> io::Result<Option<u64>> {
    let mut head = [0; ELF_HEADER_BYTES];
    if file.seek(SeekFrom::Start(0))? != 0 || file.read_exact(&mut head).is_err() {
        return Ok(None);
    }
    if head.starts_with(b"\x7fELF\x02\x01") {
        return elf_bytes(file, &head).map(Some);
    }
    if word(&head, 0) == MACH_MAGIC {
        return mach_bytes(file, &head).map(Some);
    }
    Ok(None)
}

fn elf_bytes(file: &mut File, head: &[u8]) -> io::Result<u64> {
    let (programs, sections) = (long(head, 32), long(head, 40));
    let mut end = sections.saturating_add(u64::from(half(head, 58)) * u64::from(half(head, 60)));
    for index in 0..u64::from(half(head, 56)) {
        let mut header = [0; PROGRAM_HEADER_BYTES as usize];
        let position = programs.saturating_add(index * PROGRAM_HEADER_BYTES);
        // A position beyond what the system can seek to is as far out of the file as any other.
        if file.seek(SeekFrom::Start(position)).is_err() || file.read_exact(&mut header).is_err() {
            return Ok(end.max(position.saturating_add(PROGRAM_HEADER_BYTES)));
        }
        end = end.max(long(&header, 8).saturating_add(long(&header, 32)));
    }
    Ok(end)
}

fn mach_bytes(file: &mut File, head: &[u8]) -> io::Result<u64> {
    let size = u64::from(word(head, 20)).min(MAX_COMMANDS_BYTES);
    let mut commands = Vec::new();
    file.seek(SeekFrom::Start(MACH_HEADER_BYTES as u64))?;
    file.take(size).read_to_end(&mut commands)?;
    let mut end = MACH_HEADER_BYTES as u64 + size;
    let mut rest = commands.as_slice();
    while rest.len() >= 8 {
        let length = word(rest, 4) as usize;
        if length < 8 || length > rest.len() {
            break;
        }
        if word(rest, 0) == LC_SEGMENT_64 && length >= SEGMENT_COMMAND_BYTES {
            end = end.max(long(rest, 40).saturating_add(long(rest, 48)));
        }
        rest = &rest[length..];
    }
    Ok(end)
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from(half(bytes, at)) | u32::from(half(bytes, at + 2)) << 16
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file_of(name: &str, bytes: &[u8]) -> File {
        let path = std::env::temp_dir().join(format!("krun-loader-{}-{name}", std::process::id()));
        File::create(&path).unwrap().write_all(bytes).unwrap();
        let file = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        file
    }

    #[test]
    fn an_executable_of_this_system_is_as_long_as_it_says() {
        let mut file = File::open(std::env::current_exe().unwrap()).unwrap();
        let expected = expected_bytes(&mut file).unwrap().unwrap();
        assert!(expected > 0 && expected <= file.metadata().unwrap().len());
    }

    #[test]
    fn an_elf_file_that_was_cut_off_says_it_was_longer() {
        let whole = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        for length in [64, 100, whole.len() / 2] {
            let expected = expected_bytes(&mut file_of("cut", &whole[..length])).unwrap().unwrap();
            assert!(expected > length as u64, "{length}");
        }
    }

    #[test]
    fn a_segment_of_a_mach_file_counts() {
        let mut bytes = vec![0_u8; 32 + 72];
        bytes[..4].copy_from_slice(&MACH_MAGIC.to_le_bytes());
        bytes[20..24].copy_from_slice(&72_u32.to_le_bytes());
        bytes[32..36].copy_from_slice(&LC_SEGMENT_64.to_le_bytes());
        bytes[36..40].copy_from_slice(&72_u32.to_le_bytes());
        bytes[32 + 40..32 + 48].copy_from_slice(&4096_u64.to_le_bytes());
        bytes[32 + 48..32 + 56].copy_from_slice(&1000_u64.to_le_bytes());
        assert_eq!(expected_bytes(&mut file_of("mach", &bytes)).unwrap(), Some(5096));
    }

    #[test]
    fn hostile_headers_overflow_nothing() {
        let mut bytes = vec![0xff_u8; 4096];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        assert!(expected_bytes(&mut file_of("hostile-elf", &bytes)).is_ok());
        bytes[..4].copy_from_slice(&MACH_MAGIC.to_le_bytes());
        assert!(expected_bytes(&mut file_of("hostile-mach", &bytes)).is_ok());
    }

    #[test]
    fn what_is_no_library_is_left_to_the_dynamic_loader() {
        assert_eq!(expected_bytes(&mut file_of("text", &[b'x'; 200])).unwrap(), None);
        assert_eq!(expected_bytes(&mut file_of("short", b"\x7fELF")).unwrap(), None);
    }
}
