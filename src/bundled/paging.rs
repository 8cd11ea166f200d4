//! Pages of lists: a limit, and a marker that says where the next page starts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Answer;
use crate::aws::error::ServiceError;
use crate::aws::limits;

/// One page and where the next one starts.
pub struct Page<T> {
    /// The elements.
    pub items: Vec<T>,
    /// The marker of the next page, if there is one.
    pub next: Option<String>,
}

/// Cuts a page out of `all`, which is in a fixed order. A marker carries the name of the last element before it, so
/// that elements made or gone between two pages shift nothing.
///
/// # Errors
/// `ValidationException` for a limit out of range, `InvalidMarkerException` for a marker of somebody else's making.
pub fn page<T>(
    all: Vec<T>,
    name: impl Fn(&T) -> &str,
    limit: Option<u32>,
    default: u32,
    most: u32,
    marker: Option<&str>,
) -> Answer<Page<T>> {
    let limit = limit.unwrap_or(default);
    limits::list_limit(limit, most).map_err(|violation| violation.to_service_error(Some(&limit.to_string())))?;
    let after = marker.map(read_marker).transpose()?;
    let mut rest = all.into_iter().filter(|item| after.as_deref().is_none_or(|after| name(item) > after)).peekable();
    let mut items = Vec::new();
    while items.len() < limit as usize
        && let Some(item) = rest.next()
    {
        items.push(item);
    }
    let next = match (rest.peek(), items.last()) {
        (Some(_), Some(last)) => Some(format!("m-{}", URL_SAFE_NO_PAD.encode(name(last)))),
        _ => None,
    };
    Ok(Page { items, next })
}

fn read_marker(marker: &str) -> Answer<String> {
    let name = marker.strip_prefix("m-").and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let name = name.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(name.ok_or_else(|| ServiceError::new("InvalidMarkerException", "The marker is not one that a list gave."))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_element_comes_once(count in 0usize..40, limit in 1u32..12) {
            let all: Vec<String> = (0..count).map(|number| format!("{number:03}")).collect();
            let (mut seen, mut marker) = (Vec::new(), None);
            loop {
                let page = page(all.clone(), |name| name, Some(limit), 5, 100, marker.as_deref()).unwrap();
                seen.extend(page.items);
                marker = page.next;
                if marker.is_none() {
                    break;
                }
            }
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn strange_markers_and_limits_are_refused() {
        let code = |limit, marker| {
            page(vec!["a"], |name| name, limit, 5, 100, marker).err().map(|fault| fault.0.code).unwrap_or_default()
        };
        assert_eq!(code(None, Some("x")), "InvalidMarkerException");
        assert_eq!(code(Some(101), None), "ValidationException");
        assert_eq!(code(Some(0), None), "ValidationException");
    }
}
