//! Pages of lists: a limit, and a marker that says where the next page starts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ApiResult;
use crate::aws::error::ServiceError;
use crate::aws::limits;

/// One page and where the next one starts.
pub struct Page<T> {
    /// The elements.
    pub items: Vec<T>,
    /// The marker of the next page, if there is one.
    pub next_marker: Option<String>,
}

/// What a request asks of a list: how many, and those after which name. A marker carries the name of the last element
/// before it, so that elements made or gone between two pages shift nothing.
pub struct PageRequest {
    /// The name of the last element that was given; empty at the start.
    pub after: String,
    limit: u32,
}

impl PageRequest {
    /// Reads `Limit` and `Marker`.
    ///
    /// # Errors
    /// `ValidationException` for a limit out of range, `InvalidMarkerException` for a marker of somebody else's making.
    pub fn new(limit: Option<u32>, default: u32, max: u32, marker: Option<&str>) -> ApiResult<Self> {
        let limit = limit.unwrap_or(default);
        limits::list_limit(limit, max).map_err(|violation| violation.to_service_error(&limit.to_string()))?;
        Ok(Self { after: marker.map(decode_marker).transpose()?.unwrap_or_default(), limit })
    }

    /// The same for a page of no more than `count` elements.
    #[must_use]
    pub fn at_most(self, count: usize) -> Self {
        Self { limit: self.limit.min(u32::try_from(count).unwrap_or(u32::MAX)), ..self }
    }

    /// How many elements to look for: one more than the page has room for tells that there is a next one.
    pub fn fetch_limit(&self) -> u32 {
        self.limit + 1
    }

    /// Makes a page of the first [`count`](Self::count) elements, fewer at the end of the list.
    pub fn build_page<T>(&self, mut items: Vec<T>, name: impl Fn(&T) -> &str) -> Page<T> {
        let has_more = items.len() > self.limit as usize;
        items.truncate(self.limit as usize);
        let last = items.last().filter(|_| has_more);
        let next = last.map(|last| format!("m-{}", URL_SAFE_NO_PAD.encode(name(last))));
        Page { items, next_marker: next }
    }
}

/// Cuts a page out of `all`, which is in the order of its names. For lists that are short.
///
/// # Errors
/// As [`Asked::new`].
pub fn paginate<T>(
    all: Vec<T>,
    name: impl Fn(&T) -> &str,
    limit: Option<u32>,
    default: u32,
    max: u32,
    marker: Option<&str>,
) -> ApiResult<Page<T>> {
    let page_request = PageRequest::new(limit, default, max, marker)?;
    let rest = all.into_iter().filter(|item| name(item) > page_request.after.as_str());
    Ok(page_request.build_page(rest.take(page_request.fetch_limit() as usize).collect(), name))
}

fn decode_marker(marker: &str) -> ApiResult<String> {
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
        fn pages_return_every_element_exactly_once(count in 0usize..40, limit in 1u32..12) {
            let all: Vec<String> = (0..count).map(|number| format!("{number:03}")).collect();
            let (mut seen, mut marker) = (Vec::new(), None);
            loop {
                let page = paginate(all.clone(), |name| name, Some(limit), 5, 100, marker.as_deref()).unwrap();
                seen.extend(page.items);
                marker = page.next_marker;
                if marker.is_none() {
                    break;
                }
            }
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn invalid_markers_and_limits_are_rejected() {
        let code = |limit, marker| {
            paginate(vec!["a"], |name| name, limit, 5, 100, marker).err().map(|fault| fault.0.code).unwrap_or_default()
        };
        assert_eq!(code(None, Some("x")), "InvalidMarkerException");
        assert_eq!(code(Some(101), None), "ValidationException");
        assert_eq!(code(Some(0), None), "ValidationException");
    }
}
