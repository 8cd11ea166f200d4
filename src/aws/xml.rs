//! Parses the XML of the AWS query protocol into JSON values: elements become members, text becomes strings, and
//! elements named `member` become list elements.

use quick_xml::Reader;
use quick_xml::events::BytesStart;
use quick_xml::events::Event;
use serde_json::{Map, Value};

/// The maximum nesting depth of elements. No AWS response comes close.
const MAX_DEPTH: usize = 64;

/// An element whose end tag hasn't been read yet.
#[derive(Default)]
struct OpenElement {
    name: String,
    text: String,
    members: Map<String, Value>,
}

impl OpenElement {
    fn from_start(start: &BytesStart<'_>) -> Self {
        Self { name: start.local_name().as_ref().to_owned(), ..Self::default() }
    }

    /// Adds a closed child element. If a name is repeated outside a list, the first element is kept.
    fn add_child(&mut self, closed: Self) {
        let value = if closed.members.is_empty() { Value::String(closed.text) } else { Value::Object(closed.members) };
        if closed.name == "member" {
            let list = self.members.entry(closed.name).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(elements) = list {
                elements.push(value);
            }
        } else {
            self.members.entry(closed.name).or_insert(value);
        }
    }
}

/// The error for text that isn't valid XML or nests too deeply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct XmlError(String);

/// Parses a document. Attributes and namespaces are ignored.
///
/// # Errors
/// [`XmlError`] if the document isn't well-formed, or if its elements nest too deeply.
pub fn parse(text: &str) -> Result<Value, XmlError> {
    let malformed = |error: &dyn std::fmt::Display| XmlError(format!("the XML isn't well-formed: {error}"));
    let mut reader = Reader::from_str(text);
    let mut open = vec![OpenElement::default()];
    loop {
        let event = reader.read_event().map_err(|error| malformed(&error))?;
        let depth = open.len();
        let Some(last) = open.last_mut() else { return Err(malformed(&"an element is closed twice")) };
        match event {
            Event::Start(start) if depth <= MAX_DEPTH => open.push(OpenElement::from_start(&start)),
            Event::Start(_) => return Err(XmlError(format!("the XML nests deeper than {MAX_DEPTH} elements"))),
            Event::Empty(start) => last.add_child(OpenElement::from_start(&start)),
            Event::End(_) => {
                let closed = open.pop().unwrap_or_default();
                match open.last_mut() {
                    Some(parent) => parent.add_child(closed),
                    None => return Err(malformed(&"an element is closed twice")),
                }
            }
            Event::Text(text) => last.text.push_str(&text.xml10_content()),
            Event::CData(text) => last.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let letter = reference.resolve_char_ref().map_err(|error| malformed(&error))?;
                match (letter, quick_xml::escape::resolve_predefined_entity(&reference)) {
                    (Some(letter), _) => last.text.push(letter),
                    (None, Some(text)) => last.text.push_str(text),
                    (None, None) => return Err(malformed(&format!("&{}; is not defined", &*reference))),
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match open.pop() {
        Some(document) if open.is_empty() => Ok(Value::Object(document.members)),
        _ => Err(malformed(&"it ends before all elements are closed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_become_members_and_lists() {
        let text = "<?xml version=\"1.0\"?><!-- c --><R xmlns=\"u\" new=\"1\"><n:A>x &amp; &#x41;<![CDATA[<>]]></n:A>\
            <A>again</A><L>\n <member>1</member>\n <member><B/></member></L><E/></R>";
        let expected = json!({ "R": { "A": "x & A<>", "L": { "member": ["1", { "B": "" }] }, "E": "" } });
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn malformed_xml_is_rejected() {
        for text in ["<R><A>x</A>", "<R></S>", "<R>&nbsp;</R>", "</R>", "<R"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(parse(&deep).unwrap_err().0.contains("deeper"));
        assert_eq!(parse("plain text"), Ok(json!({})));
    }
}
