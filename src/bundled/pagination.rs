//! Pagination of lists, with a limit and a marker for where the next page starts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ApiResult;
use crate::aws::error::ServiceError;
use crate::aws::limits;

/// One page of a list.
pub struct Page<T> {
    /// The elements on the page.
    pub items: Vec<T>,
    /// The marker of the next page, or `None` on the last page.
    pub next_marker: Option<String>,
}

/// The pagination parameters of a list request.
///
/// A marker contains the name of the last element on the previous page. Elements that are created or deleted between
/// two requests therefore don't shift the pages.
pub struct PageRequest {
    /// The name of the last element on the previous page, or an empty string for the first page.
    pub after: String,
    limit: u32,
}

impl PageRequest {
    /// Creates a page request from the parameters `Limit` and `Marker`.
    ///
    /// # Errors
    /// `ValidationException` if the limit is out of range, or `InvalidMarkerException` if the marker isn't valid.
    pub fn new(limit: Option<u32>, default: u32, max: u32, marker: Option<&str>) -> ApiResult<Self> {
        let limit = limit.unwrap_or(default);
        limits::list_limit(limit, max).map_err(|violation| violation.to_service_error(&limit.to_string()))?;
        Ok(Self { after: marker.map(decode_marker).transpose()?.unwrap_or_default(), limit })
    }

    /// Reduces the limit to at most `count` elements.
    #[must_use]
    pub fn at_most(self, count: usize) -> Self {
        Self { limit: self.limit.min(u32::try_from(count).unwrap_or(u32::MAX)), ..self }
    }

    /// Returns how many elements to fetch: one more than the limit, to find out whether there is a next page.
    pub fn fetch_limit(&self) -> u32 {
        self.limit + 1
    }

    /// Builds a page from up to [`fetch_limit`](Self::fetch_limit) elements.
    pub fn build_page<T>(&self, mut items: Vec<T>, name: impl Fn(&T) -> &str) -> Page<T> {
        let has_more = items.len() > self.limit as usize;
        items.truncate(self.limit as usize);
        let last = items.last().filter(|_| has_more);
        let next = last.map(|last| format!("m-{}", URL_SAFE_NO_PAD.encode(name(last))));
        Page { items, next_marker: next }
    }
}

/// Returns one page of `all`, which must be sorted by name. Intended for short lists.
///
/// # Errors
/// The errors of [`PageRequest::new`].
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
    Ok(name.ok_or_else(|| {
        ServiceError::new("InvalidMarkerException", "The marker is not valid. Use the marker of the previous response.")
    })?)
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
            paginate(vec!["a"], |name| name, limit, 5, 100, marker).err().map(|error| error.0.code).unwrap_or_default()
        };
        assert_eq!(code(None, Some("x")), "InvalidMarkerException");
        assert_eq!(code(Some(101), None), "ValidationException");
        assert_eq!(code(Some(0), None), "ValidationException");
    }
}
