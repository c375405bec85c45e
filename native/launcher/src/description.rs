//! What a VM is described by, and the reading of it from JSON.
//!
//! The text comes from another program and is not trusted: its size is capped, unknown fields are refused, and every
//! error names the field.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::command_line;
use crate::error::{Code, LauncherError};

/// Largest description accepted, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// libkrun copies a tag into a field of this many bytes, and panics when it does not fit (the virtio specification's
/// size of a file system tag).
const MAX_TAG_BYTES: usize = 36;
const DEFAULT_MEMORY_MIB: u32 = 512;
/// libkrun panics when the guest's kernel does not fit; the one of libkrunfw 5 ends near 40 MiB.
const LEAST_MEMORY_MIB: u32 = 64;

/// Log levels, by libkrun's numbers.
pub const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A host folder that the guest may mount by its tag: `mount -t virtiofs <tag> <folder>`.
#[derive(Debug, PartialEq, Eq)]
pub struct Mount {
    pub tag: String,
    pub path: String,
}

/// A TCP port of the host that leads to one of the guest.
#[derive(Debug, PartialEq, Eq)]
pub struct Port {
    pub host: u16,
    pub guest: u16,
}

/// One microVM and the command that it runs.
#[derive(Debug, PartialEq, Eq)]
pub struct Description {
    pub root: String,
    pub command: String,
    /// Without the command's own name.
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub workdir: String,
    pub vcpus: u8,
    pub memory_mib: u32,
    pub mounts: Vec<Mount>,
    pub ports: Vec<Port>,
    pub log_level: u32,
}

type Parsed<T> = Result<T, LauncherError>;

/// Reads a description. Nothing outside the text is looked at.
///
/// # Errors
/// `BadDescription`, naming the field.
pub fn parse(text: &[u8]) -> Parsed<Description> {
    if text.len() as u64 > MAX_BYTES {
        return Err(bad(format!("the description is larger than {MAX_BYTES} bytes")));
    }
    let value: Value =
        serde_json::from_slice(text).map_err(|error| bad(format!("the description is not valid JSON: {error}")))?;
    let Value::Object(mut fields) = value else {
        return Err(bad(format!("the description must be an object, not {}", kind(&value))));
    };
    let description = Description {
        root: absolute("root", required(&mut fields, "root")?)?,
        command: non_empty("command", required(&mut fields, "command")?)?,
        arguments: list(&mut fields, "arguments", any_text)?,
        environment: environment(&mut fields)?,
        workdir: fields
            .remove("workdir")
            .map_or(Ok("/".into()), |value| absolute("workdir", value))?,
        vcpus: number(&mut fields, "vcpus", 1, 1..=u64::from(u8::MAX))? as u8,
        memory_mib: number(
            &mut fields,
            "memoryMib",
            DEFAULT_MEMORY_MIB.into(),
            LEAST_MEMORY_MIB.into()..=u32::MAX.into(),
        )? as u32,
        mounts: list(&mut fields, "mounts", mount)?,
        ports: list(&mut fields, "ports", port)?,
        log_level: log_level(fields.remove("logLevel"))?,
    };
    refuse_unknown("", &fields)?;
    refuse_repeats(&description)?;
    command_line::check(&description)?;
    Ok(description)
}

/// A `BadDescription` with this message.
pub fn bad(message: impl Into<String>) -> LauncherError {
    LauncherError::new(Code::BadDescription, message)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn required(fields: &mut Map<String, Value>, name: &str) -> Parsed<Value> {
    fields.remove(name).ok_or_else(|| bad(format!("{name} is missing")))
}

fn refuse_unknown(prefix: &str, fields: &Map<String, Value>) -> Parsed<()> {
    fields
        .keys()
        .next()
        .map_or(Ok(()), |name| Err(bad(format!("unknown field {prefix}{name:?}"))))
}

fn any_text(name: &str, value: Value) -> Parsed<String> {
    match value {
        Value::String(text) if text.contains('\0') => Err(bad(format!("{name} contains a NUL character"))),
        Value::String(text) => Ok(text),
        other => Err(bad(format!("{name} must be a string, not {}", kind(&other)))),
    }
}

fn non_empty(name: &str, value: Value) -> Parsed<String> {
    let text = any_text(name, value)?;
    if text.is_empty() {
        return Err(bad(format!("{name} must not be empty")));
    }
    Ok(text)
}

fn absolute(name: &str, value: Value) -> Parsed<String> {
    let text = any_text(name, value)?;
    if !text.starts_with('/') {
        return Err(bad(format!("{name} must be an absolute path, not {text:?}")));
    }
    Ok(text)
}

fn list<T>(fields: &mut Map<String, Value>, name: &str, item: fn(&str, Value) -> Parsed<T>) -> Parsed<Vec<T>> {
    match fields.remove(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => {
            let named = values.into_iter().enumerate();
            named
                .map(|(index, value)| item(&format!("{name}[{index}]"), value))
                .collect()
        }
        Some(other) => Err(bad(format!("{name} must be a list, not {}", kind(&other)))),
    }
}

fn environment(fields: &mut Map<String, Value>) -> Parsed<Vec<(String, String)>> {
    match fields.remove("environment") {
        None => Ok(Vec::new()),
        Some(Value::Object(variables)) => variables
            .into_iter()
            .map(|(name, value)| {
                if name.is_empty() || name.contains(['=', '\0']) {
                    return Err(bad(format!("environment: {name:?} cannot be the name of a variable")));
                }
                let value = any_text(&format!("environment.{name}"), value)?;
                Ok((name, value))
            })
            .collect(),
        Some(other) => Err(bad(format!("environment must be an object, not {}", kind(&other)))),
    }
}

fn integer(name: &str, value: &Value, range: RangeInclusive<u64>) -> Parsed<u64> {
    value.as_u64().filter(|number| range.contains(number)).ok_or_else(|| {
        bad(format!(
            "{name} must be a whole number from {} to {}, not {value}",
            range.start(),
            range.end()
        ))
    })
}

fn number(fields: &mut Map<String, Value>, name: &str, default: u64, range: RangeInclusive<u64>) -> Parsed<u64> {
    fields
        .remove(name)
        .map_or(Ok(default), |value| integer(name, &value, range))
}

fn object(name: &str, value: Value) -> Parsed<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(bad(format!("{name} must be an object, not {}", kind(&other)))),
    }
}

fn member(name: &str, fields: &mut Map<String, Value>, key: &str) -> Parsed<Value> {
    fields
        .remove(key)
        .ok_or_else(|| bad(format!("{name}.{key} is missing")))
}

fn mount(name: &str, value: Value) -> Parsed<Mount> {
    let mut fields = object(name, value)?;
    let tag = non_empty(&format!("{name}.tag"), member(name, &mut fields, "tag")?)?;
    if tag.len() > MAX_TAG_BYTES || tag == "/dev/root" {
        return Err(bad(format!(
            "{name}.tag must be at most {MAX_TAG_BYTES} bytes, and not /dev/root (the guest's own root)"
        )));
    }
    let path = absolute(&format!("{name}.path"), member(name, &mut fields, "path")?)?;
    refuse_unknown(&format!("{name}."), &fields)?;
    Ok(Mount { tag, path })
}

fn port(name: &str, value: Value) -> Parsed<Port> {
    let mut fields = object(name, value)?;
    let mut side = |key: &str| {
        let value = member(name, &mut fields, key)?;
        integer(&format!("{name}.{key}"), &value, 1..=u64::from(u16::MAX)).map(|number| number as u16)
    };
    let (host, guest) = (side("host")?, side("guest")?);
    refuse_unknown(&format!("{name}."), &fields)?;
    Ok(Port { host, guest })
}

fn log_level(value: Option<Value>) -> Parsed<u32> {
    let Some(value) = value else { return Ok(1) };
    let by_name = value
        .as_str()
        .and_then(|name| LOG_LEVELS.iter().position(|level| *level == name));
    let by_number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    match by_name.or(by_number) {
        Some(level) if level < LOG_LEVELS.len() => Ok(level as u32),
        _ => Err(bad(format!(
            "logLevel must be 0 to 5 or one of {}, not {value}",
            LOG_LEVELS.join(", ")
        ))),
    }
}

fn refuse_repeats(description: &Description) -> Parsed<()> {
    let Description { mounts, ports, .. } = description;
    if let Some(tag) = repeat(mounts.iter().map(|mount| mount.tag.as_str())) {
        return Err(bad(format!("mounts: the tag {tag:?} occurs twice")));
    }
    if let Some(port) = repeat(ports.iter().map(|port| port.host)) {
        return Err(bad(format!("ports: the host port {port} occurs twice")));
    }
    if let Some(port) = repeat(ports.iter().map(|port| port.guest)) {
        return Err(bad(format!("ports: the guest port {port} occurs twice")));
    }
    Ok(())
}

fn repeat<T: Ord + Copy>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let mut seen = BTreeSet::new();
    items.find(|item| !seen.insert(*item))
}

#[cfg(test)]
mod tests;
