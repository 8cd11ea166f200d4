use jiff::Timestamp;

use super::event_buffer::prune;
use super::*;
use crate::bundled::store::Store;
use crate::environment::Environment;

fn segments(store: &Store) -> Vec<(i64, i64)> {
    let rows = store.read(|tx| -> ApiResult<Vec<_>> {
        let mut query = tx.prepare("SELECT id, count FROM events ORDER BY id")?;
        Ok(query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    });
    rows.unwrap()
}

#[test]
fn segment_id_is_the_number_of_its_last_event() {
    let store = Store::in_memory(Environment::system().for_account()).unwrap();
    let event = || PendingEvent { account_region: "w".to_owned(), timestamp_millis: 0, json: "{}".to_owned() };
    for count in [1, 3, 2] {
        let mut segment = EventSegment::from(event());
        (1..count).for_each(|_| segment.push(&event()));
        store.append(|tx| segment.append(tx)).unwrap();
    }
    assert_eq!(segments(&store), [(1, 1), (4, 3), (6, 2)]);
}

#[test]
fn prune_deletes_events_that_are_too_old_or_too_many() {
    let store = Store::in_memory(Environment::system().for_account()).unwrap();
    let add = |id: i64, time: i64, count: i64| {
        let sql = "INSERT INTO events (id, world, first, last, count, lines) VALUES (?1, 'w', ?2, ?2, ?3, '{}')";
        store.append(|tx| tx.execute(sql, [id, time, count])).unwrap();
    };
    let prune = |time: i64| {
        let now = Timestamp::from_millisecond(time).unwrap().saturating_add(RETENTION).unwrap();
        store.append(|tx| prune(tx, now)).unwrap();
    };
    prune(0);
    add(10, 1, 10);
    add(12, 2, 2);
    // Another process can append a little later what happened a little earlier.
    add(13, 1, 1);
    prune(1);
    assert_eq!(segments(&store), [(10, 10), (12, 2), (13, 1)]);
    prune(2);
    assert_eq!(segments(&store), [(12, 2), (13, 1)]);
    add(12 + MAX_EVENTS - 1, 5, MAX_EVENTS - 2);
    prune(2);
    assert_eq!(segments(&store), [(12, 2), (13, 1), (MAX_EVENTS + 11, MAX_EVENTS - 2)]);
    add(12 + MAX_EVENTS, 5, 1);
    prune(2);
    assert_eq!(segments(&store), [(13, 1), (MAX_EVENTS + 11, MAX_EVENTS - 2), (MAX_EVENTS + 12, 1)]);
    prune(6);
    assert_eq!(segments(&store), []);
}
