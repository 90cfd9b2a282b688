//! What moves from store to store.

use super::Fresh;
use crate::store;

#[tokio::test]
async fn every_table_is_moved_from_store_to_store() {
    let fresh = Fresh::sqlite().await;
    let file = rusqlite::Connection::open(&fresh.config.path).unwrap();
    let query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '*sql*' ORDER BY name";
    let mut query = file.prepare(query).unwrap();
    let tables: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut moved: Vec<_> = store::moving::TABLES.iter().map(|(table, _)| *table).collect();
    moved.sort_unstable();
    assert_eq!(tables, moved);
}
