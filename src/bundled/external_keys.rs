//! What the console shows of an external key and no AWS API carries.

use super::{Answer, Call};
use crate::aws::xks_console::{DescribeExternalKey, DescribeExternalKeyOutput};

impl Call<'_> {
    pub async fn describe_external_key(&self, request: &DescribeExternalKey) -> Answer<DescribeExternalKeyOutput> {
        let target = self.store().read(|tx| {
            let store = self.find_key_store(tx, &request.custom_key_store_id)?;
            self.proxy_target(&store)
        })?;
        let metadata = self.metadata("DescribeKey", None);
        let answer = self.aws.proxies.get_key_metadata(&target, &metadata, &request.xks_key_id).await;
        let key = answer.map_err(|failure| failure.create_key_error())?;
        Ok(DescribeExternalKeyOutput { key_spec: key.key_spec, key_usage: key.key_usage, key_status: key.key_status })
    }
}
