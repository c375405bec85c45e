use super::*;
use serde_json::json;

fn refused(value: &Value) -> String {
    let error = parse(value.to_string().as_bytes()).unwrap_err();
    assert_eq!(error.code, Code::BadDescription);
    error.message
}

/// A valid description with one field replaced.
fn with(field: &str, value: Value) -> Value {
    let mut description = json!({ "root": "/r", "command": "/bin/true" });
    description[field] = value;
    description
}

#[test]
fn the_smallest_description_gets_defaults() {
    let description = parse(br#"{"root":"/r","command":"/bin/true"}"#).unwrap();
    let Description {
        vcpus,
        memory_mib,
        log_level,
        workdir,
        ..
    } = &description;
    assert_eq!((*vcpus, *memory_mib, *log_level, workdir.as_str()), (1, 512, 1, "/"));
    assert!(description.environment.is_empty() && description.arguments.is_empty());
}

#[test]
fn every_field_is_read() {
    let text = json!({
        "root": "/r", "command": "/bin/sh", "arguments": ["-c", "a b", ""], "environment": { "A": "x y" },
        "workdir": "/w", "vcpus": 2, "memoryMib": 1024, "mounts": [{ "tag": "t", "path": "/p" }],
        "ports": [{ "host": 8080, "guest": 80 }], "logLevel": "trace"
    });
    let expected = Description {
        root: "/r".into(),
        command: "/bin/sh".into(),
        arguments: vec!["-c".into(), "a b".into(), String::new()],
        environment: vec![("A".into(), "x y".into())],
        workdir: "/w".into(),
        vcpus: 2,
        memory_mib: 1024,
        mounts: vec![Mount {
            tag: "t".into(),
            path: "/p".into(),
        }],
        ports: vec![Port { host: 8080, guest: 80 }],
        log_level: 5,
    };
    assert_eq!(parse(text.to_string().as_bytes()).unwrap(), expected);
}

#[test]
fn what_is_not_an_object_is_refused() {
    for text in ["", "{", "[]", "null", "{\"root\":1,}", "\u{feff}{}"] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().code, Code::BadDescription, "{text}");
    }
    assert!(parse(&[0xff, 0xfe]).is_err());
    assert!(parse("[".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn a_description_beyond_the_cap_is_refused_unread() {
    let text = vec![b' '; MAX_BYTES as usize + 1];
    assert!(parse(&text).unwrap_err().message.contains("larger than"));
}

#[test]
fn missing_and_unknown_fields_are_named() {
    assert_eq!(refused(&json!({ "command": "x" })), "root is missing");
    assert_eq!(refused(&json!({ "root": "/" })), "command is missing");
    assert_eq!(refused(&with("memory", json!(1))), "unknown field \"memory\"");
    assert!(refused(&with("ports", json!([{ "host": 1, "guest": 2, "udp": true }]))).contains("ports[0].\"udp\""));
}

#[test]
fn wrong_kinds_and_ranges_name_the_field() {
    let cases = [
        ("root", json!("relative")),
        ("root", json!(1)),
        ("command", json!("")),
        ("command", json!("a\0b")),
        ("arguments", json!("x")),
        ("arguments", json!([1])),
        ("environment", json!(["A=b"])),
        ("environment", json!({ "A=B": "x" })),
        ("environment", json!({ "": "x" })),
        ("environment", json!({ "A": 1 })),
        ("environment", json!({ "A": "x\0" })),
        ("workdir", json!("w")),
        ("vcpus", json!(0)),
        ("vcpus", json!(256)),
        ("vcpus", json!(1.5)),
        ("vcpus", json!("2")),
        ("memoryMib", json!(63)),
        ("memoryMib", json!(4_294_967_296_u64)),
        ("memoryMib", json!(-1)),
        ("mounts", json!([{ "tag": "t" }])),
        ("mounts", json!([{ "tag": "t".repeat(37), "path": "/p" }])),
        ("mounts", json!([{ "tag": "/dev/root", "path": "/p" }])),
        (
            "mounts",
            json!([{ "tag": "t", "path": "/p" }, { "tag": "t", "path": "/q" }]),
        ),
        ("ports", json!([{ "host": 0, "guest": 1 }])),
        ("ports", json!([{ "host": 65_536, "guest": 1 }])),
        ("ports", json!([{ "host": 1, "guest": 1 }, { "host": 1, "guest": 2 }])),
        ("ports", json!([{ "host": 1, "guest": 1 }, { "host": 2, "guest": 1 }])),
        ("logLevel", json!(6)),
        ("logLevel", json!("loud")),
    ];
    for (field, value) in cases {
        let message = refused(&with(field, value.clone()));
        assert!(message.contains(field), "{field}: {value} gave {message}");
    }
}

#[test]
fn what_the_guest_would_not_receive_as_it_is_gets_refused() {
    let cases = [
        ("command", json!("/bin/my program")),
        ("workdir", json!("/my folder")),
        ("arguments", json!(["say \"hi\""])),
        ("arguments", json!(["grüße"])),
        ("arguments", json!(["two\nlines"])),
        ("arguments", json!(["--"])),
        ("arguments", json!(["LD_PRELOAD=/x.so"])),
        ("arguments", json!(vec!["x"; 32])),
        ("arguments", json!(["x".repeat(2048)])),
        ("environment", json!({ "a.b": "x" })),
        ("environment", json!({ "1A": "x" })),
        ("environment", json!({ "KRUN_INIT": "/bin/false" })),
        ("environment", json!({ "root": "/dev/vda" })),
        ("environment", json!({ "A": "\t" })),
    ];
    for (field, value) in cases {
        let message = refused(&with(field, value.clone()));
        assert!(message.contains(field), "{field}: {value} gave {message}");
    }
}

#[test]
fn log_levels_go_by_name_and_by_number() {
    for (value, level) in [(json!("off"), 0), (json!("warn"), 2), (json!(4), 4)] {
        assert_eq!(
            parse(with("logLevel", value).to_string().as_bytes()).unwrap().log_level,
            level
        );
    }
}
