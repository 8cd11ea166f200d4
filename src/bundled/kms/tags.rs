//! TagResource, UntagResource, ListResourceTags.

use rusqlite::{Transaction, params};

use crate::aws::error::ServiceError;
use crate::aws::kms::{ListResourceTags, ListResourceTagsOutput, Tag, TagResource, UntagResource};
use crate::aws::limits;
use crate::aws::operation::Empty;
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::kms::key_record::KeyRecord;
use crate::bundled::pagination::paginate;
use crate::bundled::{ApiResult, Call, account_region};

impl Call<'_> {
    /// Adds tags, and replaces the values of existing tag keys.
    pub fn put_tags(&self, tx: &Transaction, key_id: &str, tags: &[Tag]) -> ApiResult<()> {
        let mut insert = tx.prepare_cached(
            "INSERT INTO tags VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET tag_value = excluded.tag_value",
        )?;
        for tag in tags {
            insert.execute(params![self.account_region, key_id, tag.tag_key, tag.tag_value])?;
        }
        Ok(())
    }

    /// Returns the tags of a KMS key, sorted by tag key.
    pub fn tags_of(&self, tx: &Transaction, key: &KeyRecord) -> ApiResult<Vec<Tag>> {
        let (account_region, key_id) =
            (account_region(&key.metadata.aws_account_id, &self.region), &key.metadata.key_id);
        let mut query =
            tx.prepare_cached("SELECT tag_key, tag_value FROM tags WHERE world = ?1 AND key_id = ?2 ORDER BY tag_key")?;
        let rows = query
            .query_map([&account_region, key_id], |row| Ok(Tag { tag_key: row.get(0)?, tag_value: row.get(1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub fn tag_resource(&self, request: &TagResource) -> ApiResult<Empty> {
        limits::tags(&request.tags)?;
        let tags = request.tags.iter().map(|tag| (tag.tag_key.as_str(), Some(tag.tag_value.as_str())));
        let authorization = AuthorizationRequest::from("kms:TagResource").with_tags(tags);
        self.commit_with_event(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, authorization)?;
            self.put_tags(tx, &key.metadata.key_id, &request.tags)?;
            if self.tags_of(tx, &key)?.len() > limits::MAX_TAGS {
                return Err(ServiceError::new("TagException", "Too many tags").into());
            }
            Ok(Empty {})
        })
    }

    pub fn untag_resource(&self, request: &UntagResource) -> ApiResult<Empty> {
        for key in &request.tag_keys {
            limits::tag_key(key).map_err(|violation| violation.to_service_error(key))?;
        }
        let authorization = AuthorizationRequest::from("kms:UntagResource")
            .with_tags(request.tag_keys.iter().map(|key| (key.as_str(), None)));
        self.commit_with_event(|tx| {
            let key = self.find_changeable_key(tx, &request.key_id, authorization)?;
            for tag_key in &request.tag_keys {
                tx.execute(
                    "DELETE FROM tags WHERE world = ?1 AND key_id = ?2 AND tag_key = ?3",
                    params![self.account_region, key.metadata.key_id, tag_key],
                )?;
            }
            Ok(Empty {})
        })
    }

    pub fn list_resource_tags(&self, request: &ListResourceTags) -> ApiResult<ListResourceTagsOutput> {
        let all = self.store().read(|tx| {
            let key = self.find_key_by_id(tx, &request.key_id, "kms:ListResourceTags")?;
            self.tags_of(tx, &key)
        })?;
        let page = paginate(all, |tag| &tag.tag_key, request.limit, 50, 50, request.marker.as_deref())?;
        Ok(ListResourceTagsOutput {
            tags: page.items,
            truncated: page.next_marker.is_some(),
            next_marker: page.next_marker,
        })
    }
}
