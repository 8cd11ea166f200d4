use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;
use rusqlite::{OptionalExtension as _, params};

use super::*;

type Outcome<T> = Result<T, rusqlite::Error>;

fn open(dir: &Path) -> Store {
    let _opening = lock(dir).unwrap();
    Store::open(dir, Environment::system().for_account()).unwrap()
}

fn put_alias(tx: &Transaction, name: &str, target: u32) -> Outcome<usize> {
    let sql = "INSERT INTO aliases VALUES ('w', ?1, ?2, 0, 0) ON CONFLICT DO UPDATE SET key_id = ?2";
    tx.execute(sql, params![name, target.to_string()])
}

fn target(tx: &Transaction, name: &str) -> Outcome<Option<u32>> {
    let sql = "SELECT key_id FROM aliases WHERE world = 'w' AND name = ?1";
    let found: Option<String> = tx.query_row(sql, [name], |row| row.get(0)).optional()?;
    Ok(found.map(|text| text.parse().unwrap()))
}

/// Returns the target of an alias as a request does, and adds to `loads` if it was read from the database.
fn cached_target(store: &Store, name: &str, loads: &Cell<u32>) -> Option<u32> {
    store.invalidate_stale_cache().unwrap();
    let record = store.get_or_load(name, |tx, sources| {
        loads.set(loads.get() + 1);
        sources.add_row("aliases", &["w", name]);
        target(tx, name)
    });
    *record.unwrap()
}

#[test]
fn commit_removes_only_the_records_of_changed_rows() {
    let dir = tempfile::tempdir().unwrap();
    for store in [open(dir.path()), Store::in_memory(Environment::system().for_account()).unwrap()] {
        let loads = Cell::new(0);
        let values = || ["a", "b"].map(|name| cached_target(&store, name, &loads));
        assert_eq!((values(), values(), loads.get()), ([None; 2], [None; 2], 2));
        store.write(|tx| put_alias(tx, "a", 1)).unwrap();
        assert_eq!((values(), values(), loads.get()), ([Some(1), None], [Some(1), None], 3));
        store.append(|tx| tx.execute("INSERT INTO tags VALUES ('w', 'k', 'team', 'data')", [])).unwrap();
        store.write(|_| Outcome::Ok(())).unwrap();
        assert_eq!((values(), loads.get()), ([Some(1), None], 3));
        store.write(|tx| tx.execute("UPDATE aliases SET name = 'b' WHERE name = 'a'", [])).unwrap();
        assert_eq!((values(), loads.get()), ([None, Some(1)], 5));
        store.write(|tx| tx.execute("REPLACE INTO aliases VALUES ('w', 'b', '2', 0, 0)", [])).unwrap();
        assert_eq!((values(), loads.get()), ([None, Some(2)], 6));
        store.write(|tx| tx.execute("DELETE FROM aliases", [])).unwrap();
        assert_eq!((values(), loads.get()), ([None, None], 7));
    }
}

#[test]
fn failed_transaction_changes_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let (store, loads) = (open(dir.path()), Cell::new(0));
    store.write(|tx| put_alias(tx, "a", 1)).unwrap();
    assert_eq!(cached_target(&store, "a", &loads), Some(1));
    let failed = store.write(|tx| {
        put_alias(tx, "a", 2)?;
        tx.execute("INSERT INTO missing VALUES (1)", [])
    });
    assert!(failed.is_err());
    assert_eq!((cached_target(&store, "a", &loads), loads.get()), (Some(1), 1));
}

#[test]
fn transaction_of_another_process_removes_all_records() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs, loads) = (open(dir.path()), open(dir.path()), Cell::new(0));
    let values = || ["a", "b"].map(|name| cached_target(&ours, name, &loads));
    assert_eq!((values(), loads.get()), ([None; 2], 2));
    theirs.write(|tx| put_alias(tx, "a", 1)).unwrap();
    assert_eq!((values(), values(), loads.get()), ([Some(1), None], [Some(1), None], 4));
    // A commit of this process must not hide one of another process just before it.
    theirs.append(|tx| put_alias(tx, "a", 2)).unwrap();
    ours.write(|tx| put_alias(tx, "b", 3)).unwrap();
    assert_eq!(values(), [Some(2), Some(3)]);
    theirs.advance_clock(SignedDuration::from_hours(5), SignedDuration::from_hours(9)).unwrap();
    ours.invalidate_stale_cache().unwrap();
    assert_eq!(ours.environment().clock.ahead(), SignedDuration::from_hours(5));
}

#[test]
fn record_that_is_being_changed_is_not_cached() {
    let cache = RecordCache::default();
    let sources = |name| {
        let mut sources = Sources::default();
        sources.add_row("aliases", &["w", name]);
        sources
    };
    let before = |cache: &RecordCache| match cache.get::<u32>("record") {
        Lookup::Missing(before) => Some(before),
        Lookup::Found(_) => None,
    };
    let changed = || std::iter::once("aliases/w/a".to_owned()).collect();
    let early = before(&cache).unwrap();
    cache.begin_commit(changed(), None);
    cache.insert("record", &Arc::new(1_u32), sources("a"), &before(&cache).unwrap());
    let during = before(&cache).unwrap();
    cache.insert("record", &Arc::new(1_u32), sources("b"), &before(&cache).unwrap());
    assert!(before(&cache).is_none(), "another row isn't being changed");
    cache.end_commit(true);
    cache.begin_commit(std::iter::once("aliases/w/b".to_owned()).collect(), None);
    cache.end_commit(true);
    for outdated in [early, during] {
        cache.insert("record", &Arc::new(1_u32), sources("a"), &outdated);
        assert!(before(&cache).is_some(), "it was read before the commit");
    }
}

#[test]
fn readers_dont_wait_for_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()));
    store.write(|tx| put_alias(tx, "a", 1)).unwrap();
    cached_target(&store, "a", &Cell::new(0));
    let read = store.write(|tx| {
        put_alias(tx, "a", 2)?;
        let (reader, (sender, receiver)) = (Arc::clone(&store), mpsc::channel());
        std::thread::spawn(move || {
            let loads = Cell::new(0);
            let values = ["a", "b"].map(|name| cached_target(&reader, name, &loads));
            let _ = sender.send((values, loads.get(), reader.read(|tx| target(tx, "a")).unwrap()));
        });
        Outcome::Ok(receiver.recv_timeout(Duration::from_secs(20)))
    });
    assert_eq!(read.unwrap(), Ok(([Some(1), None], 1, Some(1))));
    assert_eq!(cached_target(&store, "a", &Cell::new(0)), Some(2));
}

#[test]
fn request_sees_what_was_committed_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (open(dir.path()), open(dir.path()));
    let (committed, is_finished) = ([const { AtomicU32::new(0) }; 2], AtomicBool::new(false));
    std::thread::scope(|scope| {
        let writers = [(&ours, "a"), (&theirs, "b")].into_iter().enumerate().map(|(at, (store, name))| {
            let committed = &committed[at];
            scope.spawn(move || {
                for number in 1..=150 {
                    store.write(|tx| put_alias(tx, name, number)).unwrap();
                    committed.store(number, Ordering::SeqCst);
                }
            })
        });
        let writers: Vec<_> = writers.collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_finished.load(Ordering::Relaxed) {
                    for (at, name) in ["a", "b"].into_iter().enumerate() {
                        let before = committed[at].load(Ordering::SeqCst);
                        let seen = cached_target(&ours, name, &Cell::new(0)).unwrap_or_default();
                        assert!(seen >= before, "{name} is {seen}, but {before} was committed");
                    }
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        is_finished.store(true, Ordering::Relaxed);
    });
    assert_eq!(["a", "b"].map(|name| cached_target(&ours, name, &Cell::new(0))), [Some(150); 2]);
}

#[derive(Clone, Debug)]
enum Step {
    Put(usize, u32),
    PutAndFail(usize, u32),
    Delete(usize),
    DeleteAll,
    Keep,
    Schedule(usize, Option<u32>),
    AddKey(usize),
    DeleteKey(usize),
    AppendFault,
    DeleteFaults,
    Nothing,
}

const NAMES: [&str; 3] = ["a", "b", "a/b"];

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    prop_oneof![
        (name.clone(), 0..3_u32).prop_map(|(name, target)| Step::Put(name, target)),
        (name.clone(), 0..3_u32).prop_map(|(name, target)| Step::PutAndFail(name, target)),
        name.clone().prop_map(Step::Delete),
        (name.clone(), prop::option::of(0..9_u32)).prop_map(|(name, due)| Step::Schedule(name, due)),
        name.clone().prop_map(Step::AddKey),
        name.prop_map(Step::DeleteKey),
        Just(Step::DeleteAll),
        Just(Step::Keep),
        Just(Step::AppendFault),
        Just(Step::DeleteFaults),
        Just(Step::Nothing),
    ]
}

fn apply(store: &Store, step: &Step) -> Outcome<usize> {
    match *step {
        Step::Put(name, target) => store.write(|tx| put_alias(tx, NAMES[name], target)),
        Step::PutAndFail(name, target) => store.write(|tx| {
            put_alias(tx, NAMES[name], target)?;
            Err(rusqlite::Error::InvalidQuery)
        }),
        Step::Delete(name) => store.write(|tx| tx.execute("DELETE FROM aliases WHERE name = ?1", [NAMES[name]])),
        Step::DeleteAll => store.write(|tx| tx.execute("DELETE FROM aliases", [])),
        // Writes nothing, because no value changes.
        Step::Keep => store.write(|tx| tx.execute("UPDATE aliases SET key_id = key_id", [])),
        Step::Schedule(name, due) => {
            store.append(|tx| tx.execute("UPDATE keys SET due = ?2 WHERE id = ?1", params![NAMES[name], due]))
        }
        Step::AddKey(name) => store.write(|tx| {
            let sql = "INSERT OR REPLACE INTO keys VALUES ('w', ?1, '{}', '', '', x'', NULL, NULL, NULL)";
            tx.execute(sql, [NAMES[name]])
        }),
        Step::DeleteKey(name) => store.write(|tx| tx.execute("DELETE FROM keys WHERE id = ?1", [NAMES[name]])),
        Step::AppendFault => {
            store.append(|tx| tx.execute("INSERT INTO proxy_faults (fault, created) VALUES ('', 0)", []))
        }
        Step::DeleteFaults => store.write(|tx| tx.execute("DELETE FROM proxy_faults", [])),
        Step::Nothing => store.write(|_| Ok(0)),
    }
}

/// Everything that is observed: the aliases, the next due time, and the number of faults.
type State = (Vec<Option<u32>>, Option<u32>, u32);

fn cached_state(store: &Store) -> State {
    let targets = NAMES.iter().map(|name| cached_target(store, name, &Cell::new(0))).collect();
    let due = store.get_or_load("", |tx, sources| {
        sources.add_due_times();
        tx.query_row("SELECT min(due) FROM keys", [], |row| row.get::<_, Option<u32>>(0))
    });
    let faults = store.get_or_load("", |tx, sources| {
        sources.add_table("proxy_faults");
        tx.query_row("SELECT count(*) FROM proxy_faults", [], |row| row.get::<_, u32>(0))
    });
    (targets, *due.unwrap(), *faults.unwrap())
}

fn stored_state(store: &Store) -> State {
    let state = store.read(|tx| {
        let targets = NAMES.iter().map(|name| target(tx, name)).collect::<Outcome<_>>()?;
        let sql = "SELECT (SELECT min(due) FROM keys), (SELECT count(*) FROM proxy_faults)";
        tx.query_row(sql, [], |row| Ok((targets, row.get(0)?, row.get(1)?)))
    });
    state.map_err(|error: rusqlite::Error| error).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cached_records_always_equal_the_database(
        steps in prop::collection::vec((any::<bool>(), step(), any::<bool>()), 1..60)
    ) {
        let dir = tempfile::tempdir().unwrap();
        let stores = [open(dir.path()), open(dir.path())];
        for store in &stores {
            store.set_durable(false).unwrap();
        }
        for (is_first, step, is_observed) in steps {
            let writer = &stores[usize::from(is_first)];
            let _ = apply(writer, &step);
            for store in stores.iter().filter(|_| is_observed) {
                prop_assert_eq!(cached_state(store), stored_state(writer), "after {:?}", step);
            }
            let counts = writer.read(|tx| {
                let sql = "SELECT coalesce((SELECT count FROM counts WHERE name = 'keys/w'), 0), (SELECT count(*) FROM keys)";
                tx.query_row(sql, [], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?)))
            });
            let (counted, keys) = counts.map_err(|error: rusqlite::Error| error).unwrap();
            prop_assert_eq!(counted, keys);
        }
    }
}

#[test]
fn migration_counts_keys_and_grants_and_numbers_events() {
    let connection = Connection::open_in_memory().unwrap();
    for migration in &MIGRATIONS[..14] {
        connection.execute_batch(migration).unwrap();
    }
    connection
        .execute_batch(
            "INSERT INTO keys VALUES ('w', '1', '', '', '', x'', NULL, NULL, NULL),
                 ('w', '2', '', '', '', x'', NULL, NULL, NULL), ('v', '3', '', '', '', x'', NULL, NULL, NULL);
             INSERT INTO grants VALUES ('w', '1', 'g', 't', '{}');
             INSERT INTO events VALUES (3, 'w', 1, 1, 2, 'x'), (5, 'w', 2, 2, 1, 'y'), (6, 'v', 3, 3, 40, 'z');",
        )
        .unwrap();
    for migration in &MIGRATIONS[14..] {
        connection.execute_batch(migration).unwrap();
    }
    let rows = |sql| -> Vec<(String, i64)> {
        let mut query = connection.prepare(sql).unwrap();
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    };
    let expected = [("grants/w/1", 1), ("keys/v", 1), ("keys/w", 2)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(rows("SELECT name, count FROM counts ORDER BY name"), expected);
    let expected = [("x", 2), ("y", 3), ("z", 43)].map(|(lines, id)| (lines.to_owned(), id));
    assert_eq!(rows("SELECT lines, id FROM events ORDER BY id"), expected);
    connection.execute_batch("DELETE FROM grants; DELETE FROM keys WHERE world = 'w'").unwrap();
    assert_eq!(rows("SELECT name, count FROM counts"), [("keys/v".to_owned(), 1)]);
}
