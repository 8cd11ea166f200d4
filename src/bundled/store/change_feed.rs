//! Which keys and key stores changed, so that a process that shows them reads only those again.
//!
//! Triggers of the database record each change in the transaction that makes it. Only the latest are kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::Store;
use crate::storage::changes::{ChangedResource, Changes, ResourceKind};

/// The number of changes that are kept. The schema has the same number.
const KEPT_CHANGES: i64 = 1000;

/// The changes of an account, by this and other processes.
pub struct ChangeFeed {
    store: Arc<Store>,
    /// The number of the last change that was returned.
    last: i64,
}

impl ChangeFeed {
    /// Creates a feed that begins with the next change.
    ///
    /// # Errors
    /// An error of the database.
    pub fn open(store: Arc<Store>) -> Result<Self, rusqlite::Error> {
        let last = store.read(last_change)?;
        Ok(Self { store, last })
    }

    /// Returns the changes since the last call. If they can't be read, anything may have changed.
    pub fn take(&mut self) -> Changes {
        let read = self.store.read(|tx| Ok::<_, rusqlite::Error>((changes_after(tx, self.last)?, last_change(tx)?)));
        let Ok((changes, last)) = read else { return Changes::Everything };
        self.last = last;
        changes
    }
}

fn last_change(tx: &Transaction) -> Result<i64, rusqlite::Error> {
    let found = tx.prepare_cached("SELECT id FROM changes ORDER BY id DESC LIMIT 1")?.query_row([], |row| row.get(0));
    Ok(found.optional()?.unwrap_or_default())
}

fn changes_after(tx: &Transaction, last: i64) -> Result<Changes, rusqlite::Error> {
    // The oldest changes may have been deleted.
    if last_change(tx)? - last >= KEPT_CHANGES {
        return Ok(Changes::Everything);
    }
    let mut query = tx.prepare_cached("SELECT DISTINCT world, is_key_store, name FROM changes WHERE id > ?1")?;
    let rows = query.query_map(params![last], |row| {
        let account_region: String = row.get(0)?;
        let (account_id, region) = account_region.split_once('/').unwrap_or_default();
        let kind = if row.get(1)? { ResourceKind::KeyStore } else { ResourceKind::Key };
        let (account_id, region) = (account_id.to_owned(), region.to_owned());
        Ok(ChangedResource { account_id, region, kind, id: row.get(2)? })
    })?;
    Ok(Changes::Resources(rows.collect::<Result<BTreeSet<_>, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;

    fn run(store: &Store, statements: &str) {
        store.write(|tx| tx.execute_batch(statements)).unwrap();
    }

    fn named(changes: &Changes) -> Vec<(ResourceKind, &str)> {
        let Changes::Resources(resources) = changes else { panic!("{changes:?}") };
        let is_ours = |one: &ChangedResource| one.account_id == "111122223333" && one.region == "us-west-2";
        assert!(resources.iter().all(is_ours), "{resources:?}");
        resources.iter().map(|one| (one.kind, one.id.as_str())).collect()
    }

    #[test]
    fn feed_names_each_changed_key_and_key_store_once() {
        use ResourceKind::{Key, KeyStore};
        let store = Arc::new(Store::in_memory(Environment::system()).unwrap());
        run(&store, "INSERT INTO tags VALUES ('111122223333/us-west-2', 'early', 'team', 'x')");
        let mut feed = ChangeFeed::open(Arc::clone(&store)).unwrap();
        assert_eq!(named(&feed.take()), []);
        let key = "'111122223333/us-west-2', 'k1', '{}', 'policy', 'm', x'00', NULL, NULL, NULL";
        for (statements, expected) in [
            (format!("INSERT INTO keys VALUES ({key})"), vec![(Key, "k1")]),
            ("UPDATE keys SET policy = 'new'; UPDATE keys SET document = '[]'".to_owned(), vec![(Key, "k1")]),
            ("UPDATE keys SET due = 1".to_owned(), vec![]),
            ("INSERT INTO aliases VALUES ('111122223333/us-west-2', 'alias/a', 'k1', 1, 1)".to_owned(), vec![(Key, "k1")]),
            ("UPDATE aliases SET key_id = 'k2'".to_owned(), vec![(Key, "k1"), (Key, "k2")]),
            ("DELETE FROM aliases".to_owned(), vec![(Key, "k2")]),
            ("UPDATE tags SET tag_value = 'y'".to_owned(), vec![(Key, "early")]),
            ("DELETE FROM tags; DELETE FROM keys".to_owned(), vec![(Key, "early"), (Key, "k1")]),
            (
                "INSERT INTO key_stores (world, id, document, secret) VALUES ('111122223333/us-west-2', 'cks-1', '{}', x'00')"
                    .to_owned(),
                vec![(KeyStore, "cks-1")],
            ),
            ("UPDATE key_stores SET document = '[]'".to_owned(), vec![(KeyStore, "cks-1")]),
            ("UPDATE key_stores SET checked = 1".to_owned(), vec![]),
            ("DELETE FROM key_stores".to_owned(), vec![(KeyStore, "cks-1")]),
        ] {
            run(&store, &statements);
            assert_eq!(named(&feed.take()), expected, "{statements}");
            assert_eq!(named(&feed.take()), [], "{statements}");
        }
    }

    #[test]
    fn only_the_latest_changes_are_kept_and_with_more_anything_may_have_changed() {
        let store = Arc::new(Store::in_memory(Environment::system()).unwrap());
        let mut feed = ChangeFeed::open(Arc::clone(&store)).unwrap();
        let insert = |count: i64, first: i64| {
            let numbers =
                format!("WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n LIMIT {count})");
            run(
                &store,
                &format!("INSERT INTO tags {numbers} SELECT '111122223333/us-west-2', 'k' || i, 't', '' FROM n"),
            );
        };
        insert(KEPT_CHANGES - 1, 0);
        assert_eq!(named(&feed.take()).len(), 999);
        insert(KEPT_CHANGES, 10_000);
        assert_eq!(feed.take(), Changes::Everything);
        insert(1, 20_000);
        assert_eq!(named(&feed.take()), [(ResourceKind::Key, "k20000")]);
        let kept: i64 = store.read(|tx| tx.query_row("SELECT count(*) FROM changes", [], |row| row.get(0))).unwrap();
        assert_eq!(kept, KEPT_CHANGES);
    }
}
