//! AWS Signature Version 4, the verifying side.

use super::caller::{Caller, Signed};
use crate::crypto;
use crate::http::Incoming;

/// The only algorithm.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The end of every scope.
const TERMINATOR: &str = "aws4_request";

/// Reads the signature of a request, and makes the text that the signature must be of.
pub(super) fn caller(incoming: &Incoming) -> Caller {
    if incoming.values("authorization").next().is_none() {
        return Caller::Unnamed;
    }
    match read(incoming) {
        Ok(signed) => Caller::Signed(signed),
        Err(fault) => Caller::Unreadable {
            fault: fault.to_owned(),
        },
    }
}

/// Returns whether a signature is by the holder of `secret`.
pub(super) fn is_by(signed: &Signed, secret: &str) -> bool {
    let mut key = crypto::hmac_sha256(format!("AWS4{secret}").as_bytes(), signed.day.as_bytes());
    for part in [&*signed.region, &*signed.service, TERMINATOR] {
        key = crypto::hmac_sha256(&key, part.as_bytes());
    }
    let expected = crypto::hmac_sha256(&key, signed.string_to_sign.as_bytes());
    crypto::is_same(crypto::hex(&expected).as_bytes(), signed.signature.as_bytes())
}

fn read(incoming: &Incoming) -> Result<Signed, &'static str> {
    let authorization = incoming
        .header("authorization")
        .ok_or("there is more than one Authorization header")?;
    let (algorithm, fields) = authorization
        .split_once(' ')
        .ok_or("the Authorization header has no fields")?;
    if algorithm != ALGORITHM {
        return Err("the algorithm is not AWS4-HMAC-SHA256");
    }
    let (mut credential, mut names, mut signature) = (None, None, None);
    for field in fields.split(',') {
        let (name, value) = field
            .trim()
            .split_once('=')
            .ok_or("a field of the Authorization header has no value")?;
        let place = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut names,
            "Signature" => &mut signature,
            _ => return Err("the Authorization header has an unknown field"),
        };
        if place.replace(value).is_some() {
            return Err("the Authorization header has a field twice");
        }
    }
    let credential = credential.ok_or("Authorization header requires 'Credential' parameter.")?;
    let names = names.ok_or("Authorization header requires 'SignedHeaders' parameter.")?;
    let signature = signature.ok_or("Authorization header requires 'Signature' parameter.")?;
    // An access key has no slash; the scope has four parts.
    let parts: Vec<&str> = credential.split('/').collect();
    let [access_key, day, region, service, TERMINATOR] = parts.as_slice() else {
        return Err("Credential must have 5 parts");
    };
    if access_key.is_empty() || signature.len() != 64 {
        return Err("Credential or Signature is not complete");
    }
    let date = incoming
        .header("x-amz-date")
        .ok_or("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")?;
    let signed_at = seconds(date).ok_or("the X-Amz-Date header has another form than yyyymmddThhmmssZ")?;
    if !date.starts_with(day) || day.len() != 8 {
        return Err(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
        );
    }
    let headers: Vec<String> = names.split(';').map(str::to_owned).collect();
    for needed in ["host", "x-amz-date"] {
        if !headers.iter().any(|name| name == needed) {
            return Err("'Host' and 'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.");
        }
    }
    // Two hosts or two dates, and a proxy and this program might each believe another one.
    if incoming.header("host").is_none() {
        return Err("there is no Host header, or more than one");
    }
    let canonical = canonical(incoming, &headers, names);
    let hash = crypto::hex(&crypto::sha256(&canonical));
    Ok(Signed {
        access_key: (*access_key).to_owned(),
        day: (*day).to_owned(),
        region: (*region).to_owned(),
        service: (*service).to_owned(),
        signed_at,
        string_to_sign: format!("{ALGORITHM}\n{date}\n{day}/{region}/{service}/{TERMINATOR}\n{hash}"),
        signature: signature.to_owned(),
        headers,
    })
}

/// The canonical request. The body's hash is computed, never believed: a header that names another one, or none
/// (`UNSIGNED-PAYLOAD`), ends in another signature.
fn canonical(incoming: &Incoming, headers: &[String], names: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(incoming.method_text().as_bytes());
    out.push(b'\n');
    path(incoming.path(), &mut out);
    out.push(b'\n');
    let mut pairs: Vec<(&str, &str)> = incoming
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.as_bytes());
    }
    out.push(b'\n');
    for name in headers {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        for (at, value) in incoming.values(name).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            squeezed(value, &mut out);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(names.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(crypto::hex(&crypto::sha256(incoming.body())).as_bytes());
    out
}

/// Appends the canonical path of every service but S3: without dot segments and empty segments, encoded a second time.
fn path(raw: &str, out: &mut Vec<u8>) {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let begin = out.len();
    for segment in &segments {
        out.push(b'/');
        for byte in segment.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
                _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            }
        }
    }
    if out.len() == begin || raw.ends_with('/') {
        out.push(b'/');
    }
}

/// Appends a value without white space around it, and one space in place of several.
fn squeezed(value: &[u8], out: &mut Vec<u8>) {
    let words = value.split(u8::is_ascii_whitespace);
    for (at, word) in words.filter(|word| !word.is_empty()).enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// Reads `yyyymmddThhmmssZ` as seconds since 1970.
fn seconds(date: &str) -> Option<u64> {
    let bytes = date.as_bytes();
    if bytes.len() != 16 || bytes.get(8) != Some(&b'T') || bytes.get(15) != Some(&b'Z') {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0, |all: u64, digit| {
            digit.is_ascii_digit().then(|| all * 10 + u64::from(digit - b'0'))
        })
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let lengths = [
        31,
        if leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let length = *lengths.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    if year < 1970 || day == 0 || day > length || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let before = year - 1;
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let months: u64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    let days = (year - 1970) * 365 + leaps(before) - leaps(1969) + months + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Writes seconds since 1970 as `yyyymmddThhmmssZ`.
pub(super) fn date(seconds: u64) -> String {
    // Days since 1 March of year 0, so that the leap day is the last one of its year.
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let in_month = day - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..=9 => (era * 400 + year, month + 3),
        _ => (era * 400 + year + 1, month - 9),
    };
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{year:04}{month:02}{in_month:02}T{hour:02}{minute:02}{:02}Z",
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        // `date -u -d ... +%s`
        for (text, expected) in [
            ("19700101T000000Z", 0),
            ("20000229T235959Z", 951_868_799),
            ("20240229T000000Z", 1_709_164_800),
            ("20261129T163654Z", 1_795_970_214),
            ("21000301T000000Z", 4_107_542_400),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
            assert_eq!(date(expected), text);
        }
        for text in [
            "",
            "20230229T000000Z",
            "20231301T000000Z",
            "20230001T000000Z",
            "20230100T000000Z",
            "20230101T240000Z",
            "20230101T000000z",
            "2023-01-01T00:00Z",
            "19691231T000000Z",
            "2023010aT000000Z",
            "20230101T006000Z",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn the_path_is_encoded_twice() {
        for (raw, expected) in [
            ("/", "/"),
            ("/v1/apps/a%20b%2Fc/messages", "/v1/apps/a%2520b%252Fc/messages"),
            ("/a//b/./c/../d/", "/a/b/d/"),
            ("/a~b-c_d.e", "/a~b-c_d.e"),
            ("/a:b@c", "/a%3Ab%40c"),
        ] {
            let mut out = Vec::new();
            path(raw, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    /// The example of AWS's documentation, "Signature Version 4 signing process", `GET ListUsers` of IAM.
    #[test]
    fn the_example_of_the_documentation_verifies() {
        let incoming = Incoming::new("GET", "/?Action=ListUsers&Version=2010-05-08", "")
            .unwrap()
            .with_header("Content-Type", "application/x-www-form-urlencoded;  charset=utf-8 ")
            .with_header("Host", "iam.amazonaws.com")
            .with_header("X-Amz-Date", "20150830T123600Z")
            .with_header("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
        let Caller::Signed(signed) = caller(&incoming) else {
            panic!("{:?}", caller(&incoming));
        };
        assert_eq!(signed.signed_at, 1_440_938_160);
        assert!(is_by(&signed, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
        assert!(!is_by(&signed, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEy"));
    }
}
