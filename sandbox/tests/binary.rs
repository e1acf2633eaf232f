//! The program: ready line, control endpoint, ends.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

struct Program {
    child: Child,
    ready: Value,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pushcore-sandbox"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout"))
            .read_line(&mut line)
            .expect("ready line");
        Self {
            child,
            ready: serde_json::from_str(&line).expect("JSON"),
        }
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let token = self.ready["control"]["token"].as_str().expect("a token");
        self.control_as(method, path, body, &format!("authorization: Bearer {token}\r\n"))
    }

    /// With header lines of one's own; one that says `host` is the only one.
    fn control_as(&self, method: &str, path: &str, body: &Value, headers: &str) -> (u16, Value) {
        let address = self.ready["control"]["url"]
            .as_str()
            .expect("url")
            .trim_start_matches("http://")
            .to_owned();
        let mut tcp = TcpStream::connect(&address).expect("connect");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let host = match headers.starts_with("host:") {
            true => String::new(),
            false => format!("host: {address}\r\n"),
        };
        let head = format!("{method} {path} HTTP/1.1\r\n{host}{headers}connection: close\r\n");
        write!(tcp, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("write");
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).expect("read");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head");
        (
            head[9..12].parse().expect("status"),
            serde_json::from_str(body).expect("JSON"),
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_control_endpoint_drives_everything() {
    let mut program = Program::start(&[]);
    let null = Value::Null;
    // The ready line, but for what changes have to show.
    let mut known = program.ready.clone();
    let control = known["control"].as_object_mut().expect("an object");
    assert!(control.remove("token").is_some());
    assert_eq!(program.control_as("GET", "/", &null, ""), (200, known));
    for file in [
        "/ca_file",
        "/apns/p8_file",
        "/fcm/service_account_file",
        "/webpush/vapid/pem_file",
    ] {
        let path = program
            .ready
            .pointer(file)
            .and_then(Value::as_str)
            .expect("path")
            .to_owned();
        assert!(
            std::path::Path::new(&path).is_absolute() && std::fs::read(&path).is_ok(),
            "{file}"
        );
    }
    let (status, subscription) =
        program.control("POST", "/webpush/subscriptions", &json!({"provider": "apple"}));
    assert_eq!(
        (status, subscription["expirationTime"].clone()),
        (200, Value::Null)
    );
    let change = json!({"endpoint": subscription["endpoint"], "state": "expired"});
    assert_eq!(program.control("POST", "/webpush/state", &change).0, 200);
    let device = json!({"token": "00FF", "bundle": "com.example.app", "unregistered_at": 5});
    assert_eq!(program.control("POST", "/apns/tokens", &json!([device])).0, 200);
    assert_eq!(
        program
            .control("POST", "/apns/order", &json!(["auth", "method"]))
            .0,
        200
    );
    assert_eq!(
        program
            .control(
                "POST",
                "/fcm/tokens",
                &json!({"token": "t", "state": "unregistered"})
            )
            .0,
        200
    );
    assert_eq!(
        program
            .control(
                "POST",
                "/adm/registrations",
                &json!({"id": "t", "state": {"replaced": "u"}})
            )
            .0,
        200
    );
    assert_eq!(
        program
            .control("POST", "/baidu/channels", &json!({"channel_id": "1"}))
            .0,
        200
    );
    let settings =
        json!({"profile": "lenient", "token_lifetime": 120, "apns_governor": false, "fcm_self_signed": true});
    assert_eq!(program.control("POST", "/settings", &settings).0, 200);
    assert_eq!(
        program.control("POST", "/clock", &json!({"offset_ms": 1000})).0,
        200
    );
    assert_eq!(program.control("POST", "/revoke", &null).0, 200);
    let fault =
        json!({"service": "apns", "times": 1, "action": {"kind": "goaway", "last": {"id": 5}, "debug": "x"}});
    assert_eq!(program.control("POST", "/faults", &fault).0, 200);
    assert_eq!(program.control("GET", "/faults", &null).1[0]["fired"], 0);
    assert_eq!(
        program
            .control("POST", "/faults", &json!({"action": {"kind": "magic"}}))
            .0,
        400
    );
    assert_eq!(
        program
            .control("POST", "/settings", &json!({"profil": "strict"}))
            .0,
        400
    );
    assert_eq!(program.control("GET", "/log?accepted=1", &null), (200, json!([])));
    assert_eq!(program.control("GET", "/stats", &null).1["judged"], 0);
    assert_eq!(program.control("GET", "/apns/stored", &null), (200, json!([])));
    assert_eq!(program.control("GET", "/headers", &null).1["requests"], 0);
    assert_eq!(
        program
            .control("POST", "/apns/bundles", &json!("com.example.late"))
            .0,
        200
    );
    let apns = json!({
        "apns_content_mismatch": "refuse",
        "apns_environment_key_reason": "BadEnvironmentKeyInToken",
    });
    assert_eq!(program.control("POST", "/settings", &apns).0, 200);
    let late = json!({"apns_content_mismatch": "delay", "apns_content_delay_ms": 5000, "seed": 7});
    assert_eq!(program.control("POST", "/settings", &late).0, 200);
    let devices = json!([{"online": true, "after_ms": 10}, {"token": "00ff", "online": false}]);
    assert_eq!(program.control("POST", "/apns/devices", &devices).0, 200);
    let delivered = program.control("GET", "/apns/delivered?token=00ff", &null);
    assert_eq!(delivered, (200, json!([])));
    let latency =
        json!({"service": "fcm", "distribution": {"kind": "log_normal", "median_ms": 3.0, "sigma": 0.5}});
    let set = program.control("POST", "/latency", &latency);
    assert_eq!(set, (200, json!({"fcm": latency["distribution"]})));
    let fixed = json!({"distribution": {"kind": "fixed", "ms": 1}});
    assert_eq!(
        program
            .control("POST", "/latency", &fixed)
            .1
            .as_object()
            .map(|all| all.len()),
        Some(5)
    );
    assert_eq!(
        program
            .control("POST", "/latency", &json!({"distribution": null}))
            .1,
        json!({})
    );
    assert_eq!(program.control("GET", "/latency", &null), (200, json!({})));
    for wrong in [
        json!({"service": "apple", "distribution": null}),
        json!({"distribution": {"kind": "uniform", "min_ms": 2, "max_ms": 1}}),
        json!({"distribution": {"kind": "pareto"}}),
    ] {
        assert_eq!(program.control("POST", "/latency", &wrong).0, 400, "{wrong}");
    }
    for wrong in [
        json!({"service": "apple", "action": {"kind": "no_answer"}}),
        json!({"probability": 2, "action": {"kind": "no_answer"}}),
    ] {
        assert_eq!(program.control("POST", "/faults", &wrong).0, 400, "{wrong}");
    }
    assert_eq!(program.control("POST", "/reset", &null).0, 200);
    assert_eq!(program.control("GET", "/faults", &null).1, json!([]));
    assert_eq!(program.control("GET", "/nothing", &null).0, 404);

    let directory = program.ready["state_dir"].as_str().expect("directory").to_owned();
    assert_eq!(program.control("POST", "/shutdown", &null).0, 200);
    assert!(program.child.wait().expect("ends").success());
    assert!(
        !std::path::Path::new(&directory).exists(),
        "its directory goes with it"
    );
}

#[test]
fn chance_and_delivery_can_be_set_at_the_start() {
    let file = std::env::temp_dir().join(format!("pushcore-sandbox-faults-{}.json", std::process::id()));
    std::fs::write(
        &file,
        r#"[{"service": "fcm", "action": {"kind": "rst", "code": 7}}]"#,
    )
    .expect("written");
    let from_file = format!("@{}", file.display());
    let program = Program::start(&[
        "--seed",
        "42",
        "--latency",
        "fixed:1",
        "--latency",
        "apns=log-normal:20,0.5",
        "--fault",
        r#"{"service": "apns", "probability": 0.25, "action": {"kind": "no_answer"}}"#,
        "--fault",
        &from_file,
        "--apns-online",
        "--apns-content-mismatch",
        "delay",
        "--apns-content-delay",
        "1000",
    ]);
    let latency = program.control("GET", "/latency", &Value::Null).1;
    assert_eq!(
        latency["apns"],
        json!({"kind": "log_normal", "median_ms": 20.0, "sigma": 0.5})
    );
    assert_eq!(latency["baidu"], json!({"kind": "fixed", "ms": 1.0}));
    let faults = program.control("GET", "/faults", &Value::Null).1;
    assert_eq!(faults[0]["fault"]["probability"], 0.25);
    assert_eq!(faults[1]["fault"]["service"], "fcm");
    std::fs::remove_file(&file).expect("removed");
    for wrong in [
        &["--latency", "apple=fixed:1"],
        &["--latency", "apns=fixed"],
        &["--fault", "{}"],
        &["--fault", "@/no/such/file"],
        &["--apns-content-mismatch", "ignore"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pushcore-sandbox"));
        let out = command.args(wrong).output().expect("runs");
        assert!(!out.status.success() && out.stdout.is_empty(), "{wrong:?}");
    }
}

#[test]
fn it_ends_with_its_parent_and_on_signals() {
    let mut program = Program::start(&["--exit-with-stdin"]);
    drop(program.child.stdin.take());
    assert!(program.child.wait().expect("ends").success());
    for signal in ["-TERM", "-INT"] {
        let mut program = Program::start(&[]);
        // Without the option the end of standard input means nothing.
        drop(program.child.stdin.take());
        assert_eq!(program.control("GET", "/stats", &Value::Null).0, 200);
        let id = program.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .expect("kill")
                .success()
        );
        assert!(program.child.wait().expect("ends").success());
    }
}

#[test]
fn curl_gets_its_answer_over_http_2_and_1() {
    let program = Program::start(&["--profile", "quirk"]);
    let features = Command::new("curl").arg("--version").output();
    if !features.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("HTTP2")) {
        println!("skipped: no curl with HTTP/2 on this machine");
        return;
    }
    let curl = |version: &str, url: &str| {
        let out = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--include",
                "--max-time",
                "20",
                version,
                "--data",
                "{}",
                "--cacert",
            ])
            .args([program.ready["ca_file"].as_str().expect("CA"), url])
            .output()
            .expect("curl");
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
    };
    let url = |service: &str, path: &str| {
        format!(
            "https://{}{path}",
            program.ready[service]["authority"].as_str().expect("authority")
        )
    };
    let answer = curl("--http2", &url("apns", "/3/device/00"));
    assert!(
        answer.starts_with("HTTP/2 403") && answer.contains("MissingProviderToken"),
        "{answer}"
    );
    let answer = curl("--http1.1", &url("fcm", "/v1/projects/p/messages:send"));
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("CREDENTIALS_MISSING"),
        "{answer}"
    );
    let log = program.control("GET", "/log?service=apns", &Value::Null).1;
    assert_eq!(
        (log[0]["rule"].as_str(), log[0]["accepted"].as_bool()),
        (Some("apns.auth.missing"), Some(false))
    );
}

#[test]
fn the_control_endpoint_answers_this_machine_and_obeys_who_knows_the_token() {
    let program = Program::start(&["--control-token", "sesame"]);
    let null = Value::Null;
    assert_eq!(program.ready["control"]["token"], "sesame");
    let url = program.ready["control"]["url"].as_str().expect("a url");
    let port = url.rsplit_once(':').expect("a port").1;
    let own = format!("origin: {url}\r\n");
    let by_name = format!("host: localhost:{port}\r\n");
    let rebound = format!("host: evil.example:{port}\r\n");
    // Reading: from this machine, by no other site's page.
    for (headers, status) in [
        ("", 200),
        (by_name.as_str(), 200),
        (own.as_str(), 200),
        (rebound.as_str(), 403),
        ("host: 127.0.0.1.evil.example\r\n", 403),
        ("origin: https://evil.example\r\n", 403),
        ("origin: null\r\n", 403),
    ] {
        for call in ["/", "/log", "/stats"] {
            assert_eq!(
                program.control_as("GET", call, &null, headers).0,
                status,
                "{call} {headers}"
            );
        }
    }
    // Changing: with the token.
    for call in [
        "/reset",
        "/faults",
        "/settings",
        "/apns/tokens",
        "/revoke",
        "/shutdown",
    ] {
        for headers in [
            "",
            "authorization: Bearer open\r\n",
            "authorization: Basic sesame\r\n",
        ] {
            assert_eq!(
                program.control_as("POST", call, &json!({}), headers).0,
                401,
                "{call} {headers}"
            );
        }
    }
    let token = "authorization: Bearer sesame\r\n";
    assert_eq!(program.control_as("POST", "/reset", &null, token).0, 200);
    let from_a_page = format!("{token}origin: http://evil.example\r\n");
    assert_eq!(program.control_as("POST", "/reset", &null, &from_a_page).0, 403);
}

#[test]
fn the_date_of_answers_is_absent_right_or_wrong_on_demand() {
    let program = Program::start(&[]);
    let metadata = program.ready["fcm"]["metadata"]
        .as_str()
        .expect("an authority")
        .to_owned();
    let date = || {
        let mut tcp = TcpStream::connect(metadata.replace("localhost", "127.0.0.1")).expect("connect");
        write!(tcp, "GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("write");
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).expect("read");
        let found = answer
            .lines()
            .find_map(|line| line.strip_prefix("date: ").map(str::to_owned));
        found.map(|date| httpdate::parse_http_date(&date).expect("a date"))
    };
    let set = |date: Value| {
        program
            .control("POST", "/settings", &json!({ "date": { "fcm": date } }))
            .0
    };
    let off = |date: std::time::SystemTime| match date.duration_since(std::time::SystemTime::now()) {
        Ok(ahead) => i64::try_from(ahead.as_secs()).expect("seconds"),
        Err(behind) => -i64::try_from(behind.duration().as_secs()).expect("seconds"),
    };
    assert!(off(date().expect("HTTP/1.1 has one")).abs() < 60);
    assert_eq!(set(json!("absent")), 200);
    assert_eq!(date(), None);
    assert_eq!(set(json!({ "offset_s": -3720 })), 200);
    assert!((off(date().expect("one")) + 3720).abs() < 60);
    assert_eq!(
        program
            .control("POST", "/clock", &json!({ "offset_ms": 7_200_000 }))
            .0,
        200
    );
    assert_eq!(set(json!("right")), 200);
    assert!((off(date().expect("one")) - 7200).abs() < 60);
    assert_eq!(set(json!("maybe")), 400);
    assert_eq!(
        program
            .control("POST", "/settings", &json!({ "date": { "smtp": "right" } }))
            .0,
        400
    );
}
