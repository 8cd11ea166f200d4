//! GetResources of the Resource Groups Tagging API, which finds KMS keys by their tags.

use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::iam::Tag;
use crate::aws::tagging::{GetResources, GetResourcesOutput, ResourceTagMapping, TagFilter};
use crate::bundled::pagination::PageRequest;
use crate::bundled::{ApiResult, Call};

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidParameterException", message)
}

fn check_request(request: &GetResources) -> Result<(), ServiceError> {
    let has_filters = !request.tag_filters.is_empty() || !request.resource_type_filters.is_empty();
    if !request.resource_arn_list.is_empty() && (has_filters || request.resources_per_page.is_some()) {
        let message = "ResourceARNList can't be combined with TagFilters, ResourceTypeFilters, or ResourcesPerPage.";
        return Err(invalid(message));
    }
    if request.include_compliance_details == Some(true) || request.exclude_compliant_resources == Some(true) {
        return Err(invalid("The bundled AWS has no tag policies, so compliance details aren't available."));
    }
    if request.resources_per_page.is_some_and(|count| !(1..=100).contains(&count)) {
        return Err(invalid("ResourcesPerPage must be from 1 to 100."));
    }
    if request.tags_per_page.is_some_and(|count| !(100..=500).contains(&count) || count % 100 != 0) {
        return Err(invalid("TagsPerPage must be 100, 200, 300, 400, or 500."));
    }
    if request.tag_filters.len() > 50 || request.tag_filters.iter().any(|filter| filter.values.len() > 20) {
        return Err(invalid("TagFilters can have at most 50 filters with at most 20 values each."));
    }
    if request.tag_filters.iter().any(|filter| filter.key.is_empty() || filter.key.chars().count() > 128) {
        return Err(invalid("The key of a tag filter must have 1 to 128 characters."));
    }
    if let Some(malformed) = request.resource_arn_list.iter().find(|arn| arn.parse::<Arn>().is_err()) {
        return Err(invalid(format!("{malformed} is not a valid ARN.")));
    }
    Ok(())
}

fn matches_filters(tags: &[Tag], filters: &[TagFilter]) -> bool {
    let is_met = |filter: &TagFilter| {
        let has_value =
            |tag: &Tag| tag.key == filter.key && (filter.values.is_empty() || filter.values.contains(&tag.value));
        tags.iter().any(has_value)
    };
    filters.iter().all(is_met)
}

/// Returns how many resources fit on a page with at most `max_tags` tags. The first resource always fits.
fn resources_within_tag_limit(found: &[ResourceTagMapping], max_tags: Option<u32>) -> usize {
    let Some(max_tags) = max_tags else { return usize::MAX };
    let tags = found.iter().scan(0, |tags, resource| {
        *tags += resource.tags.len();
        Some(*tags)
    });
    tags.take_while(|tags| *tags <= max_tags as usize).count().max(1)
}

impl Call<'_> {
    pub fn get_resources(&self, request: &GetResources) -> ApiResult<GetResourcesOutput> {
        check_request(request)?;
        self.authorize("tag:GetResources", "*")?;
        let types = &request.resource_type_filters;
        if !types.is_empty() && !types.iter().any(|kind| kind == "kms" || kind == "kms:key") {
            return Ok(GetResourcesOutput::default());
        }
        let token = request.pagination_token.as_deref().filter(|token| !token.is_empty());
        let limit = if request.resource_arn_list.is_empty() { request.resources_per_page } else { Some(100) };
        let page_request = PageRequest::new(limit, 50, 100, token).map_err(|_| {
            let message = "PaginationToken is not valid. Use the PaginationToken of the previous response.";
            ServiceError::new("PaginationTokenExpiredException", message)
        })?;
        let mut found = self.tagged_keys(&page_request.after)?;
        found.retain(|resource| {
            let is_named =
                request.resource_arn_list.is_empty() || request.resource_arn_list.contains(&resource.resource_arn);
            is_named && matches_filters(&resource.tags, &request.tag_filters)
        });
        let page_request = page_request.at_most(resources_within_tag_limit(&found, request.tags_per_page));
        let page = page_request.build_page(found, |resource| &resource.resource_arn);
        Ok(GetResourcesOutput {
            pagination_token: page.next_marker.unwrap_or_default(),
            resource_tag_mapping_list: page.items,
        })
    }

    /// Returns the tagged keys of this account and Region that sort after the ARN `after`, sorted by ARN.
    fn tagged_keys(&self, after: &str) -> ApiResult<Vec<ResourceTagMapping>> {
        let after = after.rsplit('/').next().unwrap_or_default();
        self.store().read(|tx| {
            let mut query = tx.prepare(
                "SELECT key_id, tag_key, tag_value FROM tags WHERE world = ?1 AND key_id > ?2 ORDER BY key_id, tag_key",
            )?;
            let rows = query.query_map([self.account_region.as_str(), after], |row| {
                Ok((row.get::<_, String>(0)?, Tag { key: row.get(1)?, value: row.get(2)? }))
            })?;
            let mut found: Vec<ResourceTagMapping> = Vec::new();
            for row in rows {
                let (key_id, tag) = row?;
                let resource_arn = self.key_arn(&key_id);
                match found.last_mut().filter(|last| last.resource_arn == resource_arn) {
                    Some(last) => last.tags.push(tag),
                    None => found.push(ResourceTagMapping { resource_arn, tags: vec![tag] }),
                }
            }
            Ok(found)
        })
    }
}
