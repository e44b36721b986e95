//! Canonical JSON: sorted keys, no white space, no floats, text in NFC; the same facts give the same bytes.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

/// The canonical bytes of `value`. A float has no canonical form here and is written as the text of its digits.
#[must_use]
pub fn canonical_json(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::Number(number) => text(&number.to_string(), out),
        Value::String(words) => text(words, out),
        Value::Array(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(String, &Value)> = members
                .iter()
                .map(|(name, value)| (name.nfc().collect(), value))
                .collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            out.push(b'{');
            for (place, (name, value)) in sorted.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                text(name, out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
    }
}

fn text(words: &str, out: &mut Vec<u8>) {
    let normal: String = words.nfc().collect();
    out.extend_from_slice(Value::String(normal).to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_spelling_do_not_matter() {
        let one = serde_json::json!({"b": 1, "a": {"d": [1, "tu\u{0301}i"], "c": null}});
        let other = serde_json::json!({"a": {"c": null, "d": [1, "túi"]}, "b": 1});
        assert_eq!(canonical_json(&one), canonical_json(&other));
        let text = String::from_utf8(canonical_json(&one)).unwrap();
        assert_eq!(text, r#"{"a":{"c":null,"d":[1,"túi"]},"b":1}"#);
    }
}
